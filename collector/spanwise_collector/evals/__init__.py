"""Scores for what applications did: evaluators and judges on spans from Kafka. See docs/judges.md."""
