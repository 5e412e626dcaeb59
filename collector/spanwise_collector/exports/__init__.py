"""Scheduled exports: datasets and scores as files in a directory or a bucket. See docs/exports.md."""
