"""How much CO2 a kWh costs: emission factors, and intensities of what is produced and of what is consumed."""
