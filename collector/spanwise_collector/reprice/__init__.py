"""Costs of stored calls computed anew under another price list, in the engine."""
