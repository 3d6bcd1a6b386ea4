"""Streams of notices between those who bring readings and those who work on them."""
