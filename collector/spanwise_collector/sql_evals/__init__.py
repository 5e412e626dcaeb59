"""Evaluators that are one SQL expression over a span: checked, compiled, back-filled and kept live."""
