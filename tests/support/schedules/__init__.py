"""Random schedules of faults over the real ingest loop, a real engine and a real Apache Kafka."""
