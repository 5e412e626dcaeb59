"""A day's texts against the stored reference, on the real engine: what is found, and what is told of it."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.store.database import Database
from spanwise_collector.texts.explain import Change
from spanwise_collector.texts.finding import TextFinding
from spanwise_collector.texts.findings import text_findings
from spanwise_collector.texts.trials import TextTrials, finding_of, log_e
from spanwise_collector.texts.worker import TextWorker
from tests.unit.collector.texts.made import NOW, Sender, days_ago, foreign_texts, usual_texts

OF_DAY = 500
BEFORE = 260
"""Texts of each of the eight days before."""
AT = time_of(NOW)


def _history(database: Database) -> Sender:
    """Eight days and a reference of them, which ends a day ago."""
    rng = np.random.default_rng(1)
    sender = Sender(database)
    for day in range(9, 1, -1):
        sender.send(usual_texts(rng, BEFORE), days_ago(day, 1 / 24))
    assert 1 == TextWorker(database, now=lambda: AT).round().models
    return sender


def _input(database: Database, window: Window) -> TextFinding:
    found = text_findings(database, "shop", window, AT)
    assert ["input", "output"] == [one.side for one in found]
    return found[0]


def test_foreign_requests(database: Database) -> None:
    """5 % of another domain since noon are found, with their share, examples, words and start."""
    sender = _history(database)
    rng = np.random.default_rng(2)
    day = days_ago(1)
    noon = day.start + 12 * HOUR
    sender.send(usual_texts(rng, OF_DAY // 2), Window(day.start, noon))
    later = usual_texts(rng, OF_DAY // 2)
    foreign = foreign_texts(rng, 30)
    for place, text in enumerate(foreign):
        later[place * 8] = text
    sender.send(later, Window(noon, day.end))
    found = _input(database, day)

    assert ("compared", OF_DAY, 8 * BEFORE) == (found.verdict, found.n, found.n_reference)
    assert found.p_value < 1e-3
    assert found.novelty is not None
    assert 0.05 < found.novelty.after < 0.2
    assert found.novelty.low > 0
    assert "up" == found.direction
    new = [cluster for cluster in found.clusters if cluster.kind == "new"]
    assert new
    assert set(new[0].examples) <= set(foreign)
    assert len(new[0].examples) == len(new[0].trace_ids)
    stored = database.query("SELECT lower(hex(trace_id)), input_preview FROM spans WHERE input_preview != ''").rows
    assert set(zip(new[0].trace_ids, new[0].examples, strict=True)) <= set(stored)
    assert noon - 6 * HOUR <= new[0].began < noon + 6 * HOUR if new[0].began is not None else False
    assert {"comet", "away"} & {word.word for word in found.words_up}
    assert "percentage points, 95 % interval" in found.sentence


def test_a_usual_day(database: Database) -> None:
    """A day like the others is compared and has nothing to explain; outputs that nobody sends have no reference."""
    sender = _history(database)
    sender.send(usual_texts(np.random.default_rng(3), OF_DAY), days_ago(1))
    found, output = text_findings(database, "shop", days_ago(1), AT)

    assert found.p_value > 0.05
    assert ((), (), (), "") == (found.clusters, found.words_up, found.words_down, found.sentence)
    assert "500 inputs are compared with 2,080 of 8 earlier days." == found.detail
    assert ("no_reference", 0) == (output.verdict, output.n)
    # Where people called a change expected, an older reference says nothing any more.
    restart = time_of(days_ago(2).start)
    again = text_findings(database, "shop", days_ago(1), AT, restarted_at=lambda _side: restart)
    assert "What is normal began anew; its texts are being collected." == again[0].detail


def test_few_texts(database: Database) -> None:
    """A quiet day takes texts of the days before it, up to 7 and never of the reference; too few are not judged."""
    sender = _history(database)
    rng = np.random.default_rng(4)
    sender.send(usual_texts(rng, 300), days_ago(1))
    sender.send(usual_texts(rng, 300), days_ago(0))
    later = AT + timedelta(days=1)
    both = text_findings(database, "shop", Window(days_ago(0).start, days_ago(0).end), later)[0]
    one = _input(database, days_ago(1))

    assert ("compared", 500) == (both.verdict, both.n)
    assert days_ago(1).start < both.window.start < days_ago(0).start
    assert "too_few" == one.verdict
    assert "300 inputs in up to 7 days are too few to compare; it takes 500." == one.detail


def test_in_the_digest(database: Database) -> None:
    """Each side is a trial among others, told as the API tells it, with its evidence."""
    sender = _history(database)
    rng = np.random.default_rng(6)
    sender.send(usual_texts(rng, OF_DAY - 50) + foreign_texts(rng, 50), days_ago(1))
    start = days_ago(1).start // 1_000_000
    trials, compared = TextTrials(database, now=lambda: AT).trials("shop", start, start + DAY // 1_000_000)

    assert ["input", "output"] == list(compared)
    assert 1 == len(trials)
    finding = trials[0].finding
    assert trials[0].log_e > 3
    assert ("text_input", "text", "up") == (finding.signal, finding.form, finding.direction)
    assert any(cluster.is_new and cluster.examples and cluster.trace_ids for cluster in finding.clusters)
    assert any(word.z > 0 for word in finding.words)
    assert finding.p_value is not None
    assert finding.p_value < 1e-3


def test_evidence() -> None:
    """The e-value falls with the p-value, and a change of less than 2 points has none."""
    window = Window(0, DAY)
    large = TextFinding("input", "compared", "", window, p_value=1e-4, change=Change(0.05, 0.09, 0.02, 0.06))
    small = replace(large, change=Change(0.05, 0.06, 0.005, 0.015))

    assert np.isclose(50.0, np.exp(log_e(large)))
    assert log_e(small) < -50
    assert log_e(replace(large, p_value=0.5, change=None)) < -50
    assert "The inputs are as they were." == finding_of(replace(large, change=None), "2026-03-10").sentence
