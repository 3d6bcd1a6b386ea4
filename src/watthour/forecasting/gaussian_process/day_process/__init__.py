"""Day-ahead demand as a Gaussian process over days: one local day of 24 hours is one sample."""
