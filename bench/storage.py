"""How many bytes a span takes on disk, by table, for lean (0.6 kB) and full (2 kB) spans: prints one JSON line.

    python -m bench.storage

Rows are made inside the embedded engine (bench/seed.py) and merged into one part for each partition, as they are after
some hours. Texts are English words of which few are frequent; real conversations repeat themselves and compress better.
"""

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.seed import Shape, seed
from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate

# Words in input and in output of the spans that have them (half of all): what makes a span of that size on average.
SIZES: Final = {"lean, 0.6 kB": 45, "full, 2 kB": 300}
END: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def measure(database: Database, spans: int, words: int) -> dict[str, Any]:
    """Bytes per span by table, and the size of the texts before compression."""
    migrate(database)
    database.command("SYSTEM STOP TTL MERGES")  # the dates are fixed
    seed(database, Shape(spans, END, days=1, body_words=words, big_traces=()))
    tables = [name for (name,) in database.query("SHOW TABLES").rows if not name.endswith("_mv")]
    for table in tables:
        database.command(f"OPTIMIZE TABLE {table} FINAL")
    sizes = database.query(
        "SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() "
        "AND table NOT IN ('schema_migrations') GROUP BY table ORDER BY bytes DESC"
    ).rows
    text = database.query("SELECT sum(length(input) + length(output)) FROM span_io").rows[0][0]
    return {
        "bytes_per_span": round(sum(size for _, size in sizes) / spans, 1),
        "by_table": {table: round(size / spans, 1) for table, size in sizes},
        "text_bytes_per_span": round(text / spans, 1),
    }


def main() -> None:
    """Measure each size in a database of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--spans", type=int, default=200_000, help="how many of each size (default 200,000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        results = {}
        for number, (name, words) in enumerate(SIZES.items()):
            database = Database.open(f"chdb://{Path(directory)}?database=s{number}", readers=1)
            results[name] = measure(database, options.spans, words)
            database.close()
    print(json.dumps({"bench": "storage", "spans": options.spans, **results}))


if __name__ == "__main__":
    main()
