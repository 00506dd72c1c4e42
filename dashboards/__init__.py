"""dashboards show: panels, queries and rules as data, generated to committed files. Imports schemas only."""
