"""Storms: seeded faults strike the real pipeline while a log runs through it; in the end it stands as on a calm day.

``python -m tests.system.faults --help`` plays storms; a short one is part of the ordinary tests.
"""
