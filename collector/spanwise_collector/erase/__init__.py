"""Erasing what is stored of a user, a session or a trace: see docs/decisions/0016-erasure.md."""
