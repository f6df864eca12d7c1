"""Experiments of many trainings or evaluations, and their tables."""
