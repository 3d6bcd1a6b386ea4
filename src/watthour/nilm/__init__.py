"""Which appliances run, told from the mains of a house alone."""
