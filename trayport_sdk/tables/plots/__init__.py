"""Charts of tables: what is drawn of many rows, and where it is written to."""
