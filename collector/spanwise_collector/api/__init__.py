"""The HTTP API: reading traces and metrics, the state of the pipeline, health."""
