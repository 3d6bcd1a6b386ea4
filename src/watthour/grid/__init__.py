"""The grid's own room: the regions of EIA-930 as one provider of sites."""
