"""What the collector does with more records than it can store."""
