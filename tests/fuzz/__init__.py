"""Coverage-guided fuzzing of everything that decodes what strangers send."""
