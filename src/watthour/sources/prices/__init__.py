"""Prices of electricity: of day-ahead markets, and what suppliers' customers pay."""
