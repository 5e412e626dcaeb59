"""Rounds of looking at texts, on the real engine."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.store.database import Database
from spanwise_collector.texts.reference import ReferenceModel
from spanwise_collector.texts.stored import Side, insert_model, newest_model, read_texts
from spanwise_collector.texts.worker import Round, TextWorker
from tests.support.rows import Span, insert, llm
from tests.unit.collector.texts.made import NOW, Sender, days_ago, usual_texts

WEEK = 260
"""Texts a day, so that a week and a day have over 2,000."""


def _worker(database: Database, *, later: timedelta = timedelta(0), **options: object) -> TextWorker:
    # A quarter past, when the hour before has settled.
    return TextWorker(database, now=lambda: time_of(NOW) + timedelta(minutes=15) + later, **options)  # type: ignore[arg-type]


def _rounds(worker: TextWorker) -> Round:
    """All rounds until there is no more to do, summed up."""
    texts = models = 0
    while True:
        found = worker.round()
        texts, models = texts + found.texts, models + found.models
        if not found.more:
            return Round(texts, models)


def _versions(database: Database, side: str = "input") -> dict[int, int]:
    rows = database.query(
        "SELECT model_version, count() FROM text_features WHERE side = {side:String} GROUP BY model_version",
        {"side": side},
    ).rows
    return dict(rows)


def _days(database: Database, days: Sequence[int], of_day: int = WEEK, hours: int = 1) -> None:
    rng = np.random.default_rng(days[0] + 100)
    sender = Sender(database, first=(days[0] + 100) * 100_000)
    for day in days:
        sender.send(usual_texts(rng, of_day), days_ago(day, hours / 24))


def test_languages_before_there_is_a_reference(database: Database) -> None:
    """From the first hour on texts have a language; with less than a week of them there is no model yet."""
    _days(database, [3, 2, 1], of_day=40)
    found = _rounds(_worker(database))
    rows = database.query("SELECT language, count() FROM text_features GROUP BY language").rows

    assert Round(120, 0) == found
    assert [("en", 120)] == rows
    assert {0: 120} == _versions(database)
    assert newest_model(database, "shop", "input") is None


def test_a_reference_after_a_week(database: Database) -> None:
    """With 2,000 texts of 7 days a model is fitted that ends a day ago; the last day's texts are placed by it."""
    _days(database, range(9, 0, -1))
    found = _rounds(_worker(database))
    model = newest_model(database, "shop", "input")

    assert model is not None
    assert Window(NOW // HOUR * HOUR - 29 * DAY, NOW // HOUR * HOUR - DAY) == model.reference
    assert 8 * WEEK == model.n_texts
    # Of the last 7 days each text once: six in the reference, and the last one by the model.
    assert Round(7 * WEEK, 1) == found
    assert {0: 6 * WEEK, model.version: WEEK} == _versions(database)
    novel, low, high = database.query(
        "SELECT avg(is_novel), min(cluster), max(cluster) FROM text_features WHERE model_version > 0"
    ).rows[0]
    assert 0 <= low < high < 32
    assert novel < 0.15
    # It is read as it was fitted.
    read = ReferenceModel.from_text(model.model)
    assert read.to_text() == model.model
    assert (8 * WEEK, 256) == read.sample.shape
    assert newest_model(database, "shop", "input", before=model.reference.end) == model
    assert newest_model(database, "shop", "input", before=model.reference.end - 1) is None


class Overtaken:
    """A store through which another collector does everything just before the first text's row is written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._other: TextWorker | None = _worker(database)
        self.query = database.query

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """Insert, after the other has."""
        if self._other is not None and table == "text_features":
            other, self._other = self._other, None
            _rounds(other)
        self._database.insert(table, rows, token=token)


def test_nothing_twice(database: Database) -> None:
    """Neither a second round nor a second collector at the same time stores a text or a model again."""
    _days(database, range(9, 0, -1))
    late = _rounds(TextWorker(Overtaken(database), now=lambda: time_of(NOW) + timedelta(minutes=15)))
    rows = database.query("SELECT count(), uniq(trace_id), (SELECT count() FROM text_models) FROM text_features").rows

    assert 7 * WEEK == late.texts
    assert [(7 * WEEK, 7 * WEEK, 1)] == rows
    assert Round(0, 0) == _worker(database).round()
    model = newest_model(database, "shop", "input")
    assert model is not None
    insert_model(database, "shop", "input", model)
    assert [(1,)] == database.query("SELECT count() FROM text_models").rows


def test_the_next_hour_and_the_next_week(database: Database) -> None:
    """Later rounds take what is new; a week later a new model is fitted, and the last day is placed by it as well."""
    _days(database, range(9, 0, -1))
    _rounds(_worker(database))
    first = newest_model(database, "shop", "input")
    assert first is not None
    _days(database, [0], of_day=6, hours=2)
    hour = _rounds(_worker(database, later=timedelta(hours=1)))
    _days(database, [-1, -2, -3, -4, -5, -6])
    week = _rounds(_worker(database, later=timedelta(days=7)))
    second = newest_model(database, "shop", "input")

    assert Round(3, 0) == hour
    assert second is not None
    assert (1, first.version + 7 * 86_400) == (week.models, second.version)
    assert {0: 11 * WEEK + 3, first.version: WEEK + 3, second.version: WEEK} == _versions(database)


def test_a_new_normal(database: Database) -> None:
    """What people called expected begins a reference anew, from then on, after a day with texts enough."""
    _days(database, range(9, 0, -1))
    _rounds(_worker(database))
    _days(database, [0, -1, -2], of_day=600)
    restart = time_of(days_ago(0).start)

    def restarted_at(project: str, side: Side) -> datetime | None:
        assert "shop" == project
        return restart if side == "input" else None

    early = _rounds(_worker(database, later=timedelta(days=1, hours=3), restarted_at=restarted_at))
    late = _rounds(_worker(database, later=timedelta(days=2, hours=3), restarted_at=restarted_at))
    model = newest_model(database, "shop", "input")

    assert (0, 1) == (early.models, late.models)
    assert model is not None
    assert Window(days_ago(0).start, days_ago(0).start + DAY + 3 * HOUR) == model.reference


def test_a_round_is_bounded(database: Database) -> None:
    """A round looks at 48 hours and says that there are more; an hour's texts are a sample."""
    _days(database, [3, 2], of_day=250, hours=25)
    worker = _worker(database, texts_per_hour=4)
    first = worker.round()

    assert first.more
    assert 48 * 4 == first.texts
    assert 49 * 4 == first.texts + _rounds(worker).texts
    hours = database.query("SELECT count() FROM text_features GROUP BY toStartOfHour(time)").rows
    assert [(4,)] * 49 == hours


def test_one_text_of_a_trace(database: Database) -> None:
    """The root's text counts, else the first input and the last output of its model calls; texts are not read twice."""
    insert(
        database,
        [
            Span(trace=1, span=1, input="asked", output="answered", at_ms=0),
            llm(trace=1, span=2, parent=1, input="asked again", output="a step", at_ms=10),
            Span(trace=2, span=3, at_ms=20),
            llm(trace=2, span=4, parent=3, input="first", output="thought", at_ms=30),
            llm(trace=2, span=5, parent=3, input="second", output="said", at_ms=40),
            Span(trace=2, span=6, parent=3, kind="tool", input="{}", output="[]", at_ms=35),
        ],
    )
    window = Window(NOW, NOW + HOUR)

    assert ["asked", "first"] == [text.text for text in read_texts(database, "default", "input", window, 10)]
    assert ["answered", "said"] == [text.text for text in read_texts(database, "default", "output", window, 10)]
    assert [] == read_texts(database, "other", "input", window, 10)
