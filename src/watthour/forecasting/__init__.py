"""Features known at issue time, models, calibration and backtests."""
