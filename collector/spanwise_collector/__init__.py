"""The collector: Kafka in, ClickHouse out, and the HTTP API over it."""
