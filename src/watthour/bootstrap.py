"""The only place that names adapters: settings go in, ports come out."""
