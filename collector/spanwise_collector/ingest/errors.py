"""Errors of ingest itself, beside those of the source and of the store."""


class IngestError(RuntimeError):
    """Ingest stops, because going on would lose data or put it into the wrong place. The message says what to do."""
