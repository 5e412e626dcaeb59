"""`spanwise check` of two releases on the real engine: judges' means are people's as far as people labelled."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import pytest

from spanwise_collector.cli import main
from spanwise_collector.store.database import Database
from tests.support.curated import curated_app, served
from tests.support.rows import T0, Span, insert
from tests.support.score_rows import Scored, human, insert_scores

ANSWERS, LABELLED = 600, 0.4
FIRST = {"v1": 1, "v2": 10_001}


@pytest.fixture
def url(database: Database) -> Iterator[str]:
    """A collector on a socket."""
    with served(curated_app(database)) as found:
        yield found


def released(
    database: Database,
    release: str,
    *,
    good: float,
    hits: float,
    misses: float = 0.05,
    asked: tuple[float, float] = (LABELLED, LABELLED),
    turns: int = 1,
) -> None:
    """A release of which people find a share good; the judge passes `hits` of that and `misses` of the rest.

    People were asked about good answers with the first chance of `asked`, about others with the second; `turns` of them
    are a session. Each answer is scored by code, too.
    """
    rng, first = Random(FIRST[release]), FIRST[release]
    numbers = range(first, first + ANSWERS)
    insert(
        database, [Span(trace=n, span=n, project="shop", release=release, session=f"s{n // turns}") for n in numbers]
    )
    scores = []
    for place, number in enumerate(numbers):
        fine = place < good * ANSWERS
        passed = rng.random() < (hits if fine else misses)
        scores.append(Scored(trace=number, project="shop", value=float(passed), at=60))
        scores.append(
            Scored(trace=number, project="shop", name="short", value=float(place % 10 > 0), source="code", at=60)
        )
        chance = asked[0] if fine else asked[1]
        if rng.random() < chance:
            scores.append(human(trace=number, project="shop", value=float(fine), chance=chance, at=90))
    insert_scores(database, scores)


def check(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str, ET.Element]:
    """Exit code, what is printed, the Markdown, and the JUnit suite."""
    junit, markdown = tmp_path / "check.xml", tmp_path / "check.md"
    sides = ["--baseline", "release:v1", "--candidate", "release:v2", "--from", f"{T0:%Y-%m-%d}"]
    files = ["--junit", str(junit), "--markdown", str(markdown)]
    code = main(["check", *sides, *files, "--project", "shop", "--api", url, *more])
    return code, capsys.readouterr().out, markdown.read_text(), ET.parse(junit).getroot()[0]


def line_of(printed: str, metric: str) -> str:
    """The line of a metric."""
    (line,) = [line for line in printed.splitlines() if line.startswith(f"{metric} ")]
    return line


def test_a_stricter_judge_is_no_regression(
    url: str, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without labels its means prove a regression; with them nothing, and it says how many labels more it takes."""
    released(database, "v1", good=0.8, hits=0.97)
    released(database, "v2", good=0.8, hits=0.75)
    code, printed, markdown, suite = check(url, tmp_path, capsys)

    assert code == 0
    line = line_of(printed, "helpful")
    assert "corrected by 2" in line
    assert "more labels needed" in line
    assert " no judge " in line_of(printed, "short")
    assert "note: helpful: given by a judge, corrected by 2" in printed
    assert "| helpful | 0." in markdown
    assert "| corrected by 2" in markdown
    skipped = suite.find("testcase[@name='helpful']/skipped")
    assert skipped is not None
    assert "judge's means corrected by 2" in (skipped.get("message") or "")
    assert check(url, tmp_path, capsys, "--fail-on", "inconclusive", "--metric", "helpful")[0] == 1

    database.command("ALTER TABLE scores DELETE WHERE source = 'human' SETTINGS mutations_sync = 2")
    code, printed, *_ = check(url, tmp_path, capsys)
    assert code == 1
    assert "not corrected: no labels" in line_of(printed, "helpful")
    assert "If the judge has become milder or stricter, that looks like a change of quality." in printed


def test_a_regression_that_the_judge_hides_is_proven(
    url: str, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The judge's means rise, people's fall; the numbers that are shown are the corrected ones."""
    released(database, "v1", good=0.9, hits=0.7)
    released(database, "v2", good=0.7, hits=0.99)
    code, printed, _, suite = check(url, tmp_path, capsys)

    assert code == 1
    baseline, candidate, difference = map(float, line_of(printed, "helpful").split()[1:4])
    assert (baseline, candidate) == pytest.approx((0.9, 0.7), abs=0.06)
    assert difference == pytest.approx(-0.2, abs=0.08)
    failure = suite.find("testcase[@name='helpful']/failure")
    assert failure is not None
    assert "judge's means corrected by 2" in (failure.get("message") or "")


def test_a_judge_that_disagrees_with_people_proves_no_regression(
    url: str, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its kappa is below the limit: inconclusive, although even people's labels say that it is worse."""
    released(database, "v1", good=0.9, hits=0.6, misses=0.5)
    released(database, "v2", good=0.5, hits=0.4, misses=0.35)
    code, printed, markdown, suite = check(url, tmp_path, capsys)

    assert code == 0
    line = line_of(printed, "helpful")
    assert "inconclusive, the judge is not trusted (judge 1: kappa 0." in line
    assert "is below 0.4)" in line
    assert "the judge is not trusted" in markdown
    assert suite.find("testcase[@name='helpful']/skipped") is not None


def test_chances_and_sessions_count(
    url: str, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """People looked at bad answers far more often: the mean is that of all. Turns of a session are not alone."""
    released(database, "v1", good=0.7, hits=0.9, asked=(0.2, 0.9), turns=3)
    released(database, "v2", good=0.7, hits=0.7, asked=(0.2, 0.9), turns=3)
    code, printed, *_ = check(url, tmp_path, capsys, "--metric", "helpful")

    assert code == 0
    baseline, candidate = map(float, line_of(printed, "helpful").split()[1:3])
    assert (baseline, candidate) == pytest.approx((0.7, 0.7), abs=0.06)
    assert "600 in 20" in line_of(printed, "helpful")
