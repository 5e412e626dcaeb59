"""Means of scores that can be trusted: weighted, with intervals, corrected by people; when to believe a judge."""
