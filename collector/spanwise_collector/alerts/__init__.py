"""Alert rules: reading, evaluating, their lifecycle, and telling people."""
