"""Watthour: energy intelligence from the appliance to the grid."""

__version__ = "0.1.0"
