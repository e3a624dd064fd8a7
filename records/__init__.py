"""What happened: codes, tables, time, history and the readers that fill it."""
