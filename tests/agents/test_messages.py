"""Everything an officer can be shown has its word."""

from typing import get_args

from agents import messages
from schemas.assessment import Clock, Flag, Level, Verdict, Verdict766
from schemas.event import Channel, Kind
from schemas.limits import LimitUnit
from streams.clock import State
from streams.counting import Ruling, Scored
from streams.reasons import Why


def test_every_word_of_the_answers_has_a_vietnamese_one() -> None:
    assert messages.VERDICTS.keys() == set(get_args(Verdict))
    assert messages.VERDICTS_766.keys() == set(get_args(Verdict766))
    assert messages.CLOCKS.keys() == set(get_args(Clock))
    assert messages.CHANNELS.keys() == set(get_args(Channel))
    assert messages.LIMIT_UNITS.keys() == set(get_args(LimitUnit))
    assert messages.LEVELS.keys() == set(Level)
    assert messages.FLAGS.keys() == set(Flag)
    assert messages.STATUSES.keys() == set(range(1, 11))


def test_every_reason_of_an_explanation_has_its_sentence() -> None:
    assert messages.STATES.keys() == set(State)
    assert messages.KINDS.keys() | {"status"} == set(get_args(Kind))
    assert messages.MOVES.keys() == set(Why)
    assert messages.RULINGS.keys() == set(Ruling)
    assert messages.SCORED.keys() == set(Scored)


def test_a_limit_is_written_with_a_comma() -> None:
    assert messages.limit_text("0.5 working_day") == "0,5 ngày làm việc"
    assert messages.limit_text("same_day") == "trong ngày"
    assert messages.limit_text("12 hour") == "12 giờ làm việc"
