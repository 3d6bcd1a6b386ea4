"""What a person may set: ``watthour.toml``, then the environment; secrets never leave as plain text."""
