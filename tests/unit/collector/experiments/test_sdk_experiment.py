"""`spanwise.experiment` with a collector: the dataset is fetched, results are stored, a run goes on, CI checks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from fastapi import FastAPI, Request, Response

import spanwise
from spanwise.experiments import ExperimentError, Item, Sample
from spanwise_collector.cli import main
from spanwise_collector.store.database import Database
from tests.support.curated import curated_app, served

pytest_plugins = ["pytester"]
SHOP = {"project": "shop"}


@dataclass(slots=True)
class World:
    """A collector that can be made to refuse results.

    Attributes:
        url: its address.
        refusing: answers 503 to results while it is above zero, once less each time.
        posted: batches of results that arrived, refused ones included.
    """

    url: str = ""
    refusing: int = 0
    posted: int = 0

    def get(self, path: str, **parameters: Any) -> Any:
        """What the API answers."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params={**SHOP, **parameters}, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A collector on a socket, which the SDK's settings name."""
    found = World()
    app = curated_app(database)
    _refuse(app, found)
    with served(app) as url:
        found.url = url
        monkeypatch.setenv("SPANWISE_API_URL", url)
        monkeypatch.setenv("SPANWISE_PROJECT", "shop")
        monkeypatch.setattr("spanwise._experiments_api.FIRST_WAIT_S", 0.01)
        yield found


def _refuse(app: FastAPI, world: World) -> None:
    @app.middleware("http")
    async def middleware(request: Request, call_next: Any) -> Any:
        if request.url.path.endswith("/results") and request.method == "POST":
            world.posted += 1
            if world.refusing:
                world.refusing -= 1
                return Response(json.dumps({"detail": "The store is away."}), 503)
        return await call_next(request)


def exact(sample: Sample) -> bool:
    """Whether it is what was expected."""
    return sample.output == sample.expected


def dataset(world: World, tmp_path: Path, items: int = 60) -> None:
    """A dataset of so many items, made with the command."""
    file = tmp_path / "faq.csv"
    file.write_text("question,answer\n" + "".join(f"q{n},a{n}\n" for n in range(items)))
    assert main(["datasets", "import", "faq", str(file), "--project", "shop", "--api", world.url]) == 0


def right_but(every: int) -> Any:
    """A task that is wrong for every so-many-th item."""

    def task(item: Item) -> str:
        number = int(item.input[1:])
        return "?" if every and number % every == 0 else f"a{number}"

    return task


def test_a_dataset_of_the_collector_is_run_and_stored(world: World, tmp_path: Path) -> None:
    """By name, with its version; results with their scores are there afterwards."""
    dataset(world, tmp_path)
    result = spanwise.experiment("faq", right_but(6), [exact], name="main", metadata={"model": "m-1"}, release="v1")
    old = spanwise.experiment("faq@1", right_but(0), [exact], name="old")

    assert (result.dataset, result.dataset_version, result.unsent, result.problem) == ("faq", 1, 0, "")
    stored = world.get(f"experiments/{result.experiment_id}")
    assert (stored["state"], stored["runs"], stored["items"], stored["name"]) == ("finished", 60, 60, "main")
    assert (stored["metadata"], stored["release"], stored["evaluators"]) == ({"model": "m-1"}, "v1", {"exact": ""})
    assert stored["metrics"][0]["mean"] == pytest.approx(50 / 60)
    assert (old.dataset_version, old.mean("exact")) == (1, 1.0)


def test_a_run_goes_on_where_it_stopped(world: World, tmp_path: Path) -> None:
    """Items that are done are not done again; those that failed are, and their results are replaced."""
    dataset(world, tmp_path, items=10)
    calls: list[str] = []

    def fails_late(item: Item) -> str:
        calls.append(item.input)
        if int(item.input[1:]) >= 7:
            raise ConnectionError("model away")
        return str(item.expected)

    def fine(item: Item) -> str:
        calls.append(item.input)
        return str(item.expected)

    first = spanwise.experiment("faq", fails_late, [exact], experiment_id="night-1", name="night")
    assert len(first.errors) == 3
    calls.clear()
    second = spanwise.experiment("faq", fine, [exact], experiment_id="night-1", name="night")

    assert sorted(calls) == ["q7", "q8", "q9"]
    assert (second.resumed, len(second.results), second.mean("exact"), second.errors) == (7, 10, 1.0, [])
    stored = world.get("experiments/night-1")
    assert (stored["runs"], stored["errors"], stored["state"]) == (10, 0, "finished")


def test_a_collector_that_is_away_for_a_while_loses_nothing(world: World) -> None:
    """Batches are sent again; each result is stored once."""
    world.refusing = 2
    result = spanwise.experiment([{"input": f"q{n}"} for n in range(150)], right_but(0), experiment_id="x1")

    assert (result.unsent, world.refusing) == (0, 0)
    assert world.get("experiments/x1")["runs"] == 150


def test_results_that_cannot_be_stored_are_returned_and_counted(world: World) -> None:
    """The run is not held up, nothing raises; comparing refuses, since it would compare a part."""
    world.refusing = 1000
    result = spanwise.experiment([{"input": "q1"}], right_but(0), experiment_id="x2")

    assert (result.unsent, result.problem, len(result.results)) == (1, "The store is away.", 1)
    assert "1 results are not stored: The store is away." in str(result)
    assert world.get("experiments/x2")["state"] == "stopped"
    with pytest.raises(ExperimentError, match="1 results are not stored"):
        result.compare("x2")


def test_errors_of_the_collector_are_told(world: World, tmp_path: Path) -> None:
    """A dataset that is not there or has no such version."""
    with pytest.raises(ExperimentError, match="There is no dataset 'faq' in the project 'shop'"):
        spanwise.experiment("faq", right_but(0))
    dataset(world, tmp_path, items=1)
    with pytest.raises(ExperimentError, match="has no version 7"):
        spanwise.experiment("faq", right_but(0), version=7)


def test_check_fails_on_a_proven_regression(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, the table, JUnit and Markdown; 0 without; 2 where a side is not there."""
    dataset(world, tmp_path, items=120)
    spanwise.experiment("faq", right_but(10), [exact], name="main")
    spanwise.experiment("faq", right_but(3), [exact], name="pr")
    capsys.readouterr()
    junit, markdown = tmp_path / "check.xml", tmp_path / "check.md"
    where = ["--project", "shop", "--api", world.url]
    files = ["--junit", str(junit), "--markdown", str(markdown)]
    code = main(["check", "--baseline", "main", "--candidate", "pr", *files, *where])
    printed = capsys.readouterr().out

    assert code == 1
    assert "baseline   main, 120 items\ncandidate  pr, 120 items\n" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("exact ")]
    assert line.split()[:4] == ["exact", "0.900", "0.667", "-0.233"]
    assert line.endswith("worse")
    assert printed.endswith("The check fails: worse: exact.\n")
    suite = ET.parse(junit).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    failure = suite.find("testcase[@name='exact']/failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("exact: worse: 0.900 to 0.667, difference -0.233")
    assert "| exact | 0.900 | 0.667 | -0.233 |" in markdown.read_text()
    assert "❌ worse |" in markdown.read_text()

    assert main(["check", "--baseline", "pr", "--candidate", "main", *where]) == 0
    assert "No regression is proven." in capsys.readouterr().out
    assert main(["check", "--baseline", "main", "--candidate", "nope", *where]) == 2
    assert "There is no experiment 'nope'" in capsys.readouterr().err
    assert main(["check", "--baseline", "main", "--candidate", "pr", "--api", "http://127.0.0.1:9"]) == 2
    assert "No collector answers" in capsys.readouterr().err


def test_inconclusive_fails_only_when_it_is_asked_to(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how many more items it takes; in JUnit it is skipped, or a failure."""
    dataset(world, tmp_path, items=20)
    spanwise.experiment("faq", right_but(10), [exact], name="main")
    spanwise.experiment("faq", right_but(5), [exact], name="pr")
    junit = tmp_path / "check.xml"
    both = ["check", "--baseline", "main", "--candidate", "pr", "--metric", "exact", "--project", "shop"]
    assert main([*both, "--api", world.url, "--junit", str(junit)]) == 0
    assert "more items needed" in capsys.readouterr().out
    assert ET.parse(junit).getroot()[0].get("skipped") == "1"
    assert main([*both, "--api", world.url, "--fail-on", "inconclusive", "--junit", str(junit)]) == 1
    assert "The check fails: inconclusive: exact." in capsys.readouterr().out
    assert ET.parse(junit).getroot()[0].get("failures") == "1"


def test_datasets_from_the_command_line(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made, filled, listed, shown, exported; a wrong line is named and nothing is stored."""
    monkeypatch.chdir(tmp_path)
    where = ["--project", "shop", "--api", world.url]

    def said(*arguments: str) -> tuple[int, str, str]:
        code = main(["datasets", *arguments, *where])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    assert said("list")[1] == "No datasets. `spanwise datasets import NAME FILE` makes one.\n"
    assert said("create", "faq", "--description", "What people ask")[0] == 0
    (tmp_path / "a.jsonl").write_text('{"q": "one", "a": "1", "t": "x"}\n{"q": "two"}\n')
    code, out, _ = said("import", "faq", "a.jsonl", "--input", "q", "--expected", "a", "--metadata", "t")
    assert (code, out) == (0, "faq v1: 2 items; 2 added.\n")
    (tmp_path / "b.csv").write_text("input\nx\n\n\ny,z\n")
    code, _, err = said("import", "faq", "b.csv")
    assert (code, err) == (1, "spanwise datasets: line 5: 2 values where the header has 1 columns\n")
    assert said("import", "faq")[0] == 2
    assert said("import", "faq", "c.txt")[2] == (
        "spanwise datasets: c.txt: the name must end in .csv, .jsonl, .ndjson, .parquet\n"
    )
    shown = said("show", "faq")[1]
    assert "from a.jsonl" in shown
    assert "one  ->  1" in shown
    assert "What people ask" in said("list")[1]
    assert said("export", "faq", "--format", "openai")[1] == (
        "1 items in faq-v1.jsonl; 1 have nothing for this format and are left out.\n"
    )
    assert said("import", "faq two", "a.jsonl", "--input", "q")[1] == "faq two v1: 2 items; 2 added.\n"
    assert said("export", "faq two", "--out", "two.jsonl")[1] == "2 items in two.jsonl.\n"
    assert json.loads((tmp_path / "faq-v1.jsonl").read_text())["messages"][0]["content"] == "one"


def test_preference_pairs_from_the_command_line(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line for each item that one of two experiments got right and the other wrong."""
    monkeypatch.chdir(tmp_path)
    dataset(world, tmp_path)
    spanwise.experiment("faq", right_but(6), [exact], name="old")
    spanwise.experiment("faq", right_but(0), [exact], name="new")
    sides = ["--baseline", "old", "--candidate", "new", "--metric", "exact"]
    capsys.readouterr()

    assert main(["datasets", "pairs", *sides, "--project", "shop", "--api", world.url]) == 0

    told = "10 pairs in preferences.jsonl; 50 items have none: ties, errors, or only one side has them.\n"
    assert capsys.readouterr().out == told
    first = json.loads((tmp_path / "preferences.jsonl").read_text().splitlines()[0])
    assert (first["chosen"][0]["content"][0], first["rejected"][0]["content"]) == ("a", "?")


def test_the_pytest_fixture(world: World, tmp_path: Path, pytester: pytest.Pytester) -> None:
    """Fails below a limit and on a proven regression, with the table; passes otherwise; the marker gives defaults."""
    dataset(world, tmp_path, items=100)
    spanwise.experiment("faq", right_but(10), [exact], name="main")
    pytester.makepyfile(
        """
        import pytest

        def exact(sample):
            return sample.output == sample.expected

        def task(every):
            return lambda item: "?" if int(item.input[1:]) % every == 0 else item.expected

        pytestmark = pytest.mark.spanwise_experiment(dataset="faq", evaluators=[exact])

        def test_fine(spanwise_experiment):
            result = spanwise_experiment(task(10), at_least={"exact": 0.9}, baseline="main", margin=0.05)
            assert result.name == "test_fine"
            assert spanwise_experiment.comparison.metrics[0].verdict == "no_difference"

        def test_too_low(spanwise_experiment):
            spanwise_experiment(task(10), at_least={"exact": 0.95})

        def test_worse(spanwise_experiment):
            spanwise_experiment(task(3), baseline="main")

        def test_errors(spanwise_experiment):
            spanwise_experiment(lambda item: 1 / 0)
        """
    )
    outcome = pytester.runpytest_subprocess("-p", "no:randomly", "--strict-markers")

    outcome.assert_outcomes(passed=1, failed=3)
    outcome.stdout.fnmatch_lines(["*exact: 0.900 is below 0.95*"])
    outcome.stdout.fnmatch_lines(["*exact: worse: 0.900 to 0.660*"])
    outcome.stdout.fnmatch_lines(["*errors: 100 of 100 runs failed*"])
