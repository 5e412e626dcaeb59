"""OTLP receivers: spans and log records over HTTP and gRPC into Kafka, answered once Kafka has acknowledged."""
