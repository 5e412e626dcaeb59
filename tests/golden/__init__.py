"""Recorded clients against what they should say: clients/README.md."""
