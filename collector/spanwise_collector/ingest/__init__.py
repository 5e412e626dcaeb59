"""From Kafka records to ClickHouse rows, exactly once."""
