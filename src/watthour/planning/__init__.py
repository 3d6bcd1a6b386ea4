"""What electricity costs, and when to use it."""
