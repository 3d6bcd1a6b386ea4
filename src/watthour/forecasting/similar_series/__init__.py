"""A short series forecast from its own few days and from similar series with a long past."""
