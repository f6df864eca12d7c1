"""Labelled scans and images from recorded bags."""
