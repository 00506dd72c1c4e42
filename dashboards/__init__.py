"""dashboards show: boards and alarms as data, generated to committed files. Imports schemas only."""
