"""Broker and engine for one machine, from Python wheels."""
