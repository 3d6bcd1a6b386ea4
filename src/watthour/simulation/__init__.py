"""Invented regions, marked as such in every row."""
