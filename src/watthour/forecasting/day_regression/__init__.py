"""A Gaussian process over days for any series with a daily rhythm and covariates known ahead; values of any sign."""
