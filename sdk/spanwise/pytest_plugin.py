"""Fixture `spanwise_capture` for the tests of applications."""
