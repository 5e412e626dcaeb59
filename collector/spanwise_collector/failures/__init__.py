"""What failed, and which failures are the same: masks, templates and groups of messages."""
