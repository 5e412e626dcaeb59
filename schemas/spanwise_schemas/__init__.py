"""What travels between the parts of Spanwise, and what is stored.

Import the module you need; this package imports nothing by itself, so that the SDK stays light:

- `attributes`: attribute names on spans and log records.
- `wire`: Kafka topics, record headers, partitioning.
- `api`: request and response models of the collector's HTTP API (pydantic).
- `migrations`: the numbered SQL files of the ClickHouse schema.
"""
