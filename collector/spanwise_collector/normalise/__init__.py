"""From OTLP to rows: pure functions, no clock and no I/O. `spanwise_collector.ingest.transform` puts them together."""
