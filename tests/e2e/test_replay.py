"""Tables rebuilt from a real broker: the same when nothing changed, and what was asked for when something did."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from spanwise_collector.api.app import create_app
from spanwise_collector.cli.errors import CommandError
from spanwise_collector.cli.replay import add_replay, run_replay
from spanwise_collector.ingest.kafka_ranges import KafkaRanges
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.ingest.source import LogRange
from spanwise_collector.replay.jobs import ReplayJobs
from spanwise_collector.replay.replayer import Phase
from spanwise_collector.replay.spec import ReplayError
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import StoreError, TransientStoreError
from spanwise_collector.store.migrate import migrate
from tests.support.curated import served
from tests.support.databases import drop
from tests.support.replaying import World, built, call, everything, failing_at, now, world

START = now()


@pytest.fixture
def database(database_dsn: str) -> Iterator[Database]:
    """A new database: of one that was emptied the engine would still know the tokens of amendments."""
    made = Database.open(database_dsn, readers=2)
    try:
        migrate(made)
        yield made
        drop(made)
    finally:
        made.close()


@pytest.fixture
def filled(kafka_bootstrap: str, database: Database) -> Iterator[World]:
    """Calls of yesterday and today, with wrappers, one record sent twice, one that is junk."""
    with world(kafka_bootstrap, database) as made:
        calls = [call(number, at=START - timedelta(days=number % 2, minutes=number)) for number in range(12)]
        made.send(*(one for pair in calls for one in pair), calls[3][0], b"this is no OTLP")
        yield made


def test_a_replay_of_what_did_not_change_changes_nothing(filled: World) -> None:
    """Every table has the same rows before and after the swap, roll-ups included, and ingest goes on."""
    before = filled.stored()
    replayer = filled.replayer()
    built(replayer, everything())
    found = replayer.found()

    assert found is not None
    assert (found[1], [one.differs for one in found[2].values()]) == (Phase.READY, [False])
    assert [(one.before, one.after) for one in found[2].values()] == [(24, 24)]
    assert [progress.phase for progress in replayer.swap()] == [Phase.CATCHING_UP, Phase.SWAPPING, Phase.DONE]
    assert filled.stored() == before
    filled.send(call(99, at=now())[0])
    assert len(filled.stored()["spans"]) == 25


def test_new_prices_are_shown_and_written(filled: World) -> None:
    """Under prices of the user's own only costs and their version differ, and each call still counts once."""
    replayer = filled.replayer()
    prices = '[[models]]\nmodel = "gpt-4o"\ninput = 1000000\noutput = 0\n'
    spec = replace(everything(), prices=prices)
    before = filled.stored()

    built(replayer, spec)
    found = replayer.found()
    assert found is not None
    difference = found[2]["shop"]

    assert (difference.changed, difference.added, difference.removed, difference.bodies) == (24, 0, 0, 0)
    assert set(difference.columns) <= {
        "cost_input_n", "cost_output_n", "cost_total_n", "cost_computed_n", "price_version", "cost_source",
    }  # fmt: skip
    assert filled.stored() == before
    list(replayer.swap())
    tokens = sum(100 + number for number in range(12))
    sums = filled.database.query(
        "SELECT (SELECT sum(cost_n) FROM metrics_1d), (SELECT sum(cost_n) FROM trace_agg), "
        "(SELECT sumIf(cost_total_n, counts_usage) FROM spans), (SELECT sum(n) FROM metrics_1d)"
    ).rows
    assert sums == [(tokens * 1_000_000_000, tokens * 1_000_000_000, tokens * 1_000_000_000, 24)]
    assert difference.cost_after_n == tokens * 1_000_000_000


def test_a_mask_takes_texts_out_of_history(filled: World) -> None:
    """After the swap no table has an address any more."""
    spec = replace(everything(), mask_patterns="email")
    replayer = filled.replayer()
    assert "@example.org" in repr(filled.stored())

    built(replayer, spec)
    found = replayer.found()
    assert found is not None
    assert (found[2]["shop"].bodies, "input_preview" in found[2]["shop"].columns) == (24, True)
    list(replayer.swap())

    assert "@example.org" not in repr(filled.stored())
    assert len(filled.stored()["spans"]) == 24


def test_what_arrives_meanwhile_is_kept(filled: World) -> None:
    """Spans stored between the beginning and the swap are there afterwards, in the roll-ups too."""
    replayer = filled.replayer()
    built(replayer, everything())
    one, two = call(50, at=now() - timedelta(days=1))
    filled.send(one, two)
    before = filled.stored()

    list(replayer.swap())

    assert filled.stored() == before


def test_only_the_time_asked_for_is_read_again(kafka_bootstrap: str, database: Database) -> None:
    """Records from before the time keep their rows, though they lie on the same day."""
    at = now()
    with world(kafka_bootstrap, database) as made:
        for number in range(4):
            made.send(*call(number, at=at - timedelta(minutes=3)), at=at - timedelta(hours=4 - number))
        spec = everything()
        spec = replace(spec, start_us=int((at - timedelta(hours=2.5)).timestamp() * 1e6), mask_patterns="email")
        replayer = made.replayer()

        built(replayer, spec)
        list(replayer.swap())

        bodies = [body for (body,) in made.database.query("SELECT input FROM span_io FINAL").rows]
        assert sorted(body.count("@example.org") for body in bodies) == [0, 0, 0, 0, 1, 1, 1, 1]
        left = made.database.query("SELECT uniqExact(trace_id) FROM spans WHERE position(input_preview, '@') > 0").rows
        assert left == [(2,)]
        assert made.database.query("SELECT sum(n) FROM metrics_1d").rows == [(8,)]


@pytest.mark.parametrize("stopped_after", [2, 6])
def test_an_interrupted_build_goes_on(filled: World, stopped_after: int) -> None:
    """Whatever the step it stopped after, another process ends with the same tables."""
    before = filled.stored()
    spec = everything()
    built(filled.replayer(), spec, steps=stopped_after)

    replayer = filled.replayer()
    built(replayer, spec)
    list(replayer.swap())

    assert filled.stored() == before


@pytest.mark.parametrize(
    "statement", ["INSERT INTO span_io", "CREATE TABLE IF NOT EXISTS spans_out", "INSERT INTO signals_1h"]
)
def test_a_swap_that_fails_before_it_began_can_be_made_again(filled: World, statement: str) -> None:
    """The store fails while late arrivals are taken over: nothing in use has changed, and the next try works."""
    spec = everything()
    built(filled.replayer(), spec)
    one, two = call(50, at=now() - timedelta(days=1))
    filled.send(one, two)
    before = filled.stored()
    with pytest.raises(TransientStoreError, match="the disk is full"):
        list(filled.replayer(open_database=failing_at(statement, TransientStoreError("the disk is full"))).swap())
    assert filled.stored() == before

    replayer = filled.replayer()
    built(replayer, spec)
    list(replayer.swap())

    assert filled.stored() == before


def test_a_swap_cut_short_while_partitions_are_replaced_is_finished_at_the_next_start(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the tables are new: the next start makes the others new as well, before anything is stored."""
    spec = replace(everything(), mask_patterns="email")
    replayer = filled.replayer()
    built(replayer, spec)
    done = 0
    command = filled.database.command

    def cut_short(sql: str, parameters: dict[str, object] = {}) -> None:  # noqa: B006
        nonlocal done
        if "REPLACE PARTITION" in sql:
            done += 1
            if done > 2:
                raise StoreError("killed")
        command(sql, parameters)

    with monkeypatch.context() as patched:
        patched.setattr(filled.database, "command", cut_short)
        with pytest.raises(StoreError, match="killed"):
            list(replayer.swap())
    with pytest.raises(ReplayError, match="has to be finished"):
        filled.replayer().discard()

    assert filled.replayer().finish_swap()

    assert "@example.org" not in repr(filled.stored())
    assert filled.database.query("SELECT sum(n) FROM metrics_1d").rows == [(24,)]
    assert not filled.replayer().finish_swap()


def test_what_kafka_has_lost_is_not_replayed(filled: World) -> None:
    """The message says what is missing; nothing was begun."""

    class Trimmed(KafkaRanges):
        def ranges(self, topic: str) -> dict[int, LogRange]:
            return {part: replace(has, start=3) for part, has in super().ranges(topic).items()}

    kafka = KafkaConnection(bootstrap=filled.bootstrap)
    replayer = filled.replayer(log=lambda: Trimmed(kafka))

    with pytest.raises(ReplayError, match=r"begins at offset 3, 0 is needed.*Take a later --from"):
        built(replayer, everything())

    assert replayer.found() is None


def test_spans_that_were_deleted_stop_a_replay(filled: World) -> None:
    """Charts count spans that are no longer stored: their share would be lost, so it is refused."""
    filled.database.command("ALTER TABLE spans DELETE WHERE name = 'wrapper' SETTINGS mutations_sync = 2")

    with pytest.raises(ReplayError, match=r"only \d+ are stored"):
        built(filled.replayer(), everything())


def test_a_discarded_replay_leaves_no_trace(filled: World) -> None:
    """Both databases are gone, and what is in use is as it was."""
    before = filled.stored()
    replayer = filled.replayer()
    built(replayer, everything())

    replayer.discard()

    names = filled.database.query("SELECT name FROM system.databases").rows
    assert not [name for (name,) in names if name.startswith(filled.database.address.database + "_")]
    assert (replayer.found(), filled.stored()) == (None, before)


def test_the_command_shows_the_difference_and_swaps_it_in(
    filled: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over HTTP, as a person uses it: no, then with a price file and yes; afterwards there is no replay any more."""
    jobs = ReplayJobs(filled.replayer())
    app = create_app(database=filled.database, settings=Settings(clickhouse="chdb:///unused"), replay=jobs)
    prices = tmp_path / "prices.toml"
    prices.write_text('[[models]]\nmodel = "gpt-4o"\ninput = 1000000\noutput = 0\n')
    times = ["--from", str(START.date() - timedelta(days=3)), "--to", str(START.date() + timedelta(days=2))]

    with served(app) as url:

        def command(*words: str, answer: str = "") -> list[str]:
            parser = argparse.ArgumentParser()
            add_replay(parser, lambda parser, _: parser.set_defaults(data_dir=tmp_path))
            code = run_replay(parser.parse_args([*words, "--api", url]), ask=lambda _: answer, sleep=time.sleep)
            assert code == 0
            return capsys.readouterr().out.splitlines()

        unchanged = command(*times)
        assert unchanged[-1] == "24 spans were rebuilt, and nothing differs from what is in use."
        with pytest.raises(CommandError, match="There is no replay"):
            command("--status")
        refused = command(*times, "--prices", str(prices), answer="n")
        assert refused[-1] == "Nothing was changed. What was rebuilt stays until `spanwise replay --discard`."
        assert "shop" in command("--status")[2]
        with pytest.raises(CommandError, match="Another replay is there"):
            command(*times)
        done = command(*times, "--prices", str(prices), answer="y")
        assert done[-1] == "Swapped in."
        with pytest.raises(CommandError, match="There is no replay"):
            command("--status")
        with pytest.raises(CommandError, match="No batch with records"):
            command("--from", "2020-01-01", "--to", "2020-01-02")

    tokens = sum(100 + number for number in range(12))
    assert filled.database.query("SELECT sum(cost_n) FROM metrics_1d").rows == [(tokens * 1_000_000_000,)]


def test_what_was_erased_stays_away(filled: World) -> None:
    """A trace that the list of erasures names is not rebuilt; one that is erased meanwhile stops the swap."""
    database, trace = filled.database, (4).to_bytes(16, "big")

    def erase(number: int, trace: bytes) -> None:
        database.command(
            "INSERT INTO erased_traces (project_id, trace_id, number, erasure_id) "
            f"VALUES ('shop', unhex('{trace.hex()}'), {number}, 'e')"
        )
        database.command(
            "INSERT INTO erasure_marks (number, owner, project_id, erasure_id, kind, digest, before, ts) "
            f"VALUES ({number}, 'test', 'shop', 'e', 'traces', '', now64(6), now64(3))"
        )

    erase(1, trace)
    replayer = filled.replayer()
    built(replayer, everything())
    found = replayer.found()
    assert found is not None
    assert (found[2]["shop"].before, found[2]["shop"].after, found[2]["shop"].removed) == (24, 22, 2)

    erase(2, (5).to_bytes(16, "big"))
    with pytest.raises(ReplayError, match="something was erased"):
        list(replayer.swap())
    replayer.discard()
    built(replayer, everything())
    list(replayer.swap())

    left = database.query("SELECT uniqExact(trace_id), count() FROM spans").rows
    assert left == [(10, 20)]
    assert database.query("SELECT sum(n) FROM metrics_1d").rows == [(20,)]
