"""The words every other package speaks: channels, windows, frames, ports, metrics and errors."""
