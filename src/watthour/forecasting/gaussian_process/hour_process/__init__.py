"""Hourly demand up to a week ahead as 24 Gaussian processes over days, one for each hour of the local clock."""
