"""Gaussian processes over local days: what the models of this room share, and the models."""
