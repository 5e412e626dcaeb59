"""Where Kafka or the table of pins has forgotten how far a partition was read."""

from datetime import timedelta

from spanwise_collector.store.database import Database
from tests.support.replaying import call, now, rows_of, world


def test_a_partition_whose_position_was_forgotten_is_not_stored_twice(kafka_bootstrap: str, database: Database) -> None:
    """As after a week away: the ledger says what is stored, and only what came since is read."""
    with world(kafka_bootstrap, database) as made:
        made.send(*(one for number in range(5) for one in call(number, at=now() - timedelta(minutes=5))))
        before = {table: rows_of(database, table) for table in ("spans", "trace_agg", "metrics_1d", "producers")}
        made.restart(forgetting=True)
        made.wait()
        again = {table: rows_of(database, table) for table in before}
        made.send(call(9, at=now())[0])

    assert again == before
    assert len(rows_of(database, "spans")) == 11
    assert database.query("SELECT sum(n) FROM metrics_1d").rows == [(11,)]
