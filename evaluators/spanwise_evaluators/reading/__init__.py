"""What several evaluators, and the collector, read out of texts: JSON, refusals, languages, numbers, names."""
