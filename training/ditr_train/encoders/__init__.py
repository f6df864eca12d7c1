"""Image encoders: a small one of our own, and published vision transformers."""
