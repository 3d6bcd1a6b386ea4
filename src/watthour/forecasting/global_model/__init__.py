"""One model that learns from many series: what their days have in common, each in parts of its own level."""
