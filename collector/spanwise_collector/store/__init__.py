"""Access to ClickHouse, embedded or server, and its migrations."""
