"""Annotation queues: what people review, how it is chosen, and what becomes of their verdicts."""
