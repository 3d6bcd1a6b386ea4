"""Public data sets and tables of one's own, read in the layout in which they are published."""
