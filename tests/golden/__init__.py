"""One frozen payload a schema version, readable for ever."""
