"""Refused records after the fact: what they are, and how they are written to their topics once more."""
