"""Files that ClickHouse writes, in a directory and over S3: each part once, again after a failure."""

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from spanwise_collector.datasets.model import item_of
from spanwise_collector.datasets.store import Datasets
from spanwise_collector.exports.exporter import RETRY_AFTER, Exporter
from spanwise_collector.exports.places import Bucket, Directory, Place
from spanwise_collector.exports.plan import Export, ExportsFileError
from spanwise_collector.exports.runs import Runs, listed
from spanwise_collector.store.database import Database
from spanwise_schemas.api_datasets import NewItem
from tests.support.s3_server import s3_server
from tests.support.score_rows import Scored, insert_scores

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SECRET = "never-in-a-message"


class World:
    """An exporter with a clock of its own."""

    def __init__(self, database: Database, place: Place, *exports: Export) -> None:
        self.database = database
        self.now = NOW
        self.exports = exports
        ids = iter(range(10_000))
        self.datasets = Datasets(database, now=self._time, new_id=lambda: f"{next(ids):016x}")
        runs = Runs(database, self._time)
        self.wrong = ""
        self._exporter = Exporter(database, self.datasets, runs, place, self._wanted, now=self._time)

    def step(self, **later: float) -> Mapping[str, int]:
        """A round, some time later."""
        self.now += timedelta(**later)
        return self._exporter.step()

    def runs(self, project: str = "default") -> list[tuple[Any, ...]]:
        """What is told of them."""
        return [(one.name, one.part, one.rows, one.state) for one in listed(self.database, project)]

    def _wanted(self) -> tuple[Export, ...]:
        if self.wrong:
            raise ExportsFileError(self.wrong)
        return self.exports

    def _time(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def put(world: World, *inputs: str) -> None:
    """A new version of the dataset faq."""
    world.datasets.make("default", "faq")
    world.datasets.change("default", "faq", [item_of(NewItem(input=one, expected=one.upper())) for one in inputs])


def test_each_version_of_a_dataset_is_written_once(database: Database, tmp_path: Path) -> None:
    """In the format that is asked for, by the code of exports on demand; nothing again until there is a new version."""
    exports = [
        Export(name=f"as-{format}", what="dataset", dataset="faq", format=format)
        for format in ("jsonl", "parquet", "openai")  # noqa: A001
    ]
    world = World(database, Directory(tmp_path), *exports)
    put(world)
    assert world.step() == {"written": 0, "failed": 0}

    put(world, "one", "zwei ✓\nlines")
    assert (world.step(), world.step()) == ({"written": 3, "failed": 0}, {"written": 0, "failed": 0})
    put(world, "three")
    world.exports = world.exports[:1]
    assert world.step() == {"written": 1, "failed": 0}

    root = tmp_path / "project=default"
    lines = [json.loads(line) for line in (root / "as-jsonl/as-jsonl-v1.jsonl").read_text("utf-8").splitlines()]
    assert [(one["input"], one["expected"]) for one in lines] == [("one", "ONE"), ("zwei ✓\nlines", "ZWEI ✓\nLINES")]
    assert pq.read_table(root / "as-parquet/as-parquet-v1.parquet").num_rows == 2
    chat = json.loads((root / "as-openai/as-openai-v1.jsonl").read_text("utf-8").splitlines()[0])
    assert [one["content"] for one in chat["messages"]] == ["one", "ONE"]
    assert len((root / "as-jsonl/as-jsonl-v2.jsonl").read_text("utf-8").splitlines()) == 3
    assert sorted(world.runs()) == [
        ("as-jsonl", "v1", 2, "done"),
        ("as-jsonl", "v2", 3, "done"),
        ("as-openai", "v1", 2, "done"),
        ("as-parquet", "v1", 2, "done"),
    ]


def test_each_day_s_scores_are_written(database: Database, tmp_path: Path) -> None:
    """Of the project, from the first instant of the day to the last, as the newest rows say; empty days as well."""
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    insert_scores(
        database,
        [
            Scored(value=1.0, trace=1, zero=midnight),
            Scored(value=0.0, trace=2, zero=midnight, at=86_399.999_999, label="fail"),
            Scored(value=0.5, trace=3, zero=midnight + timedelta(days=1)),
            Scored(value=0.7, trace=4, zero=midnight, project="shop"),
        ],
    )
    world = World(database, Directory(tmp_path), Export(name="nightly", what="scores", days=2))

    assert (world.step(), world.step(hours=1)) == ({"written": 2, "failed": 0}, {"written": 0, "failed": 0})

    rows = pq.read_table(tmp_path / "project=default/nightly/nightly-2026-11-25.parquet").to_pylist()
    assert [(one["name"], one["value"], one["label"], one["trace_id"]) for one in rows] == [
        ("helpful", 1.0, "", f"{1:032x}"),
        ("helpful", 0.0, "fail", f"{2:032x}"),
    ]
    assert sorted(world.runs()) == [("nightly", "2026-11-24", 0, "done"), ("nightly", "2026-11-25", 2, "done")]
    assert world.step(days=1) == {"written": 1, "failed": 0}


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_scores_as_text(database: Database, tmp_path: Path, format: Any) -> None:  # noqa: A002
    """With a header, or as one object a line."""
    at = datetime(2026, 11, 25, 8, tzinfo=UTC)
    insert_scores(database, [Scored(name="tone", value=None, trace=1, zero=at, label='say "hi", please')])
    world = World(database, Directory(tmp_path), Export(name="n", what="scores", days=1, format=format))
    world.step()

    text = (tmp_path / f"project=default/n/n-2026-11-25.{format}").read_text("utf-8").splitlines()
    if format == "csv":
        assert text[0].startswith('"score_id","target"')
        assert '"say ""hi"", please"' in text[1]
    else:
        assert json.loads(text[0])["label"] == 'say "hi", please'


def test_a_bucket_gets_the_same_files(database: Database) -> None:
    """Signed with the key; what cannot be written is told without the secret, and tried again after ten minutes."""
    with s3_server() as bucket:
        place = Bucket(f"{bucket.url}/exports/spanwise/", "KEY", SECRET)
        world = World(database, place, Export(name="faq", what="dataset", dataset="faq", format="parquet"))
        put(world, "one")
        bucket.refuses = True
        assert (world.step(), world.step(seconds=60)) == ({"written": 0, "failed": 1}, {"written": 0, "failed": 0})
        (failed,) = listed(database, "default")
        bucket.refuses = False
        assert world.step(seconds=RETRY_AFTER.total_seconds()) == {"written": 1, "failed": 0}
        (done,) = listed(database, "default")

    (path,) = bucket.objects
    assert path == "/exports/spanwise/project%3Ddefault/faq/faq-v1.parquet"
    assert pq.read_table(io.BytesIO(bucket.objects[path])).num_rows == 1
    assert bucket.keys == {"KEY"}
    assert (failed.state, failed.place) == (
        "failed",
        f"{bucket.url}/exports/spanwise/project=default/faq/faq-v1.parquet",
    )
    assert "Access Denied" in failed.reason or "403" in failed.reason or "ACCESS" in failed.reason.upper()
    assert (done.state, done.rows, done.reason) == ("done", 1, "")
    for shown in (failed.reason, failed.place, repr(place), repr(done)):
        assert SECRET not in shown


def test_one_that_fails_does_not_hold_up_the_others(database: Database, tmp_path: Path) -> None:
    """Its reason is kept; a file that is wrong now is logged, and nothing is written until it is right."""
    missing = Export(name="missing", what="dataset", dataset="nowhere")
    world = World(database, Directory(tmp_path), missing, Export(name="faq", what="dataset", dataset="faq"))
    put(world, "one")

    assert world.step() == {"written": 1, "failed": 1}
    (told,) = [one for one in listed(database, "default") if one.name == "missing"]
    assert "nowhere" in told.reason

    world.wrong = "exports.toml: it is not TOML"
    assert world.step() == {"written": 0, "failed": 1}


def test_what_failed_is_superseded_by_a_newer_version(database: Database, tmp_path: Path) -> None:
    """A dataset that comes later than its export, and a version that nobody can write any more, fail no longer."""
    world = World(database, Directory(tmp_path), Export(name="faq", what="dataset", dataset="faq", format="jsonl"))
    assert (world.step(), world.runs()) == ({"written": 0, "failed": 1}, [("faq", "v0", 0, "failed")])
    put(world, "one")
    blocked = tmp_path / "project=default/faq/faq-v1.jsonl"
    blocked.mkdir(parents=True)
    assert world.step() == {"written": 0, "failed": 1}
    put(world, "two")

    assert world.step() == {"written": 1, "failed": 0}

    assert sorted(world.runs()) == [
        ("faq", "v0", 0, "superseded"),
        ("faq", "v1", 0, "superseded"),
        ("faq", "v2", 2, "done"),
    ]
    assert world.step(hours=1) == {"written": 0, "failed": 0}
