"""What is worth knowing about a load: each insight one file, a pure function of tables, with its evidence."""
