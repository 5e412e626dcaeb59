"""Benchmarks: each is one command that prints one JSON line with its figures."""
