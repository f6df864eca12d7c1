"""Typed configurations, their files and their checks."""
