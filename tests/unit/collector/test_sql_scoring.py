"""SQL evaluators as a part of the process."""

import time
from datetime import UTC, datetime

from spanwise_collector.settings import Settings
from spanwise_collector.sql_scoring import SqlScoring, make_sql_scoring
from spanwise_collector.store.database import Database
from tests.support.rows import insert, llm
from tests.support.running import eventually
from tests.support.sql_evals import Parts, stored_rows


def scoring(database: Database, role: str, **more: object) -> SqlScoring:
    """As the settings say."""
    directory = f"chdb://{database.address.path}?database={database.address.database}"
    settings = Settings.model_validate({"clickhouse": directory, "role": role, **more})
    return make_sql_scoring(
        settings,
        database,
        owner="collector-1/a",
        now=lambda: datetime.now(UTC),
        new_id=iter(f"id-{number}" for number in range(100)).__next__,
        clock=time.monotonic,
    )


def test_the_role_evals_scores_history_on_connections_of_its_own(database: Database) -> None:
    """From the wish to the scores; it is the holder of the lease meanwhile, and gives it up at the stop."""
    insert(database, [llm(trace=1, span=number, at_ms=number) for number in (1, 2)])
    definition = Parts(database).add("d", "duration_ms")
    part = scoring(database, "evals", sql_evals_seconds=0.05)
    job = part.for_api.jobs.start(definition, 0, 4_000_000_000_000_000, "me")
    part.start()
    try:
        eventually(lambda: None if part.for_api.jobs.open() else True, what="the end of the job")
        done = part.for_api.jobs.get("default", job.id)
        assert done is not None
        assert (done.state, stored_rows(database), part.for_api.worker()) == ("done", 2, "collector-1")
        (meter,) = part.meters
        assert {one.name for one in meter.collect()} >= {"spanwise_sql_evals_scored", "spanwise_sql_evals_backfilled"}
    finally:
        part.stop()
    assert part.for_api.worker() == ""


def test_without_the_role_or_turned_off_nothing_runs(database: Database) -> None:
    """The API works; start and stop do nothing."""
    for part in (scoring(database, "api"), scoring(database, "evals", sql_evals_seconds=0)):
        part.start()
        assert (part.meters, part.for_api.worker(), part.for_api.definitions.all()) == ([], "", [])
        part.stop()
