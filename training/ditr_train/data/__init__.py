"""Labelled scans and images from recorded bags and public data sets."""
