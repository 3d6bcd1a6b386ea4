"""Saved models with their manifests, and which of them serves."""
