"""Use cases as sentences over ports: ingest, train, forecast, score."""
