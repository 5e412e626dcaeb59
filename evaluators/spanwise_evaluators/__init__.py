"""Evaluators without a model: small pure functions that score one sample.

The SDK, experiments and the collector use them alike. docs/evaluators.md lists them; `registry` makes them.
"""
