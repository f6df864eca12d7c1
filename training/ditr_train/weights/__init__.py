"""Weights that others published, taken into our networks by name."""
