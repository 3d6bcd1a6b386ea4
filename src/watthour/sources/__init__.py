"""Connectors: one file per provider and data set, a pure parser under a thin fetcher."""
