"""Where readings and forecasts are kept with all their versions."""
