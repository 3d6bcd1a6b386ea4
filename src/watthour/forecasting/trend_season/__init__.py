"""A series without covariates, of any step: trend, season, week and memory as one Gaussian process."""
