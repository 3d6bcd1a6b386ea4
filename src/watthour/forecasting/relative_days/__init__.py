"""A positive series with a daily rhythm, in parts of its level: a regression over days and trees, averaged."""
