"""A small application, an experiment over its questions, and a check in CI."""
