"""Experiments: results of a task over a dataset, and what can be said of two of them."""
