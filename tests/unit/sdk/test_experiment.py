"""`spanwise.experiment` without a collector: running, errors, limits, what evaluators may say."""

import asyncio
import json
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import spanwise
from spanwise.experiments import ExperimentError, Item, Sample, Verdict
from spanwise.testing import Capture

ITEMS = [{"input": f"q{number}", "expected": f"a{number}"} for number in range(4)]


def exact(sample: Sample) -> bool:
    """Whether it is what was expected."""
    return sample.output == sample.expected


def answer(item: Item) -> str:
    """Right for all but the second."""
    return "?" if item.input == "q1" else f"a{item.input[1:]}"


def outputs(result: Any) -> list[Any]:
    """Outputs in the order of the items."""
    return [one.output for one in result.results]


def test_a_list_is_run_and_scored() -> None:
    """Results are in the order of the items; the table has the mean and its interval."""
    result = spanwise.experiment(ITEMS, answer, [exact], experiment_id=None, name="smoke")

    assert outputs(result) == ["a0", "?", "a2", "a3"]
    assert [one.scores for one in result.results] == [{"exact": 1.0}, {"exact": 0.0}, {"exact": 1.0}, {"exact": 1.0}]
    assert result.mean("exact") == 0.75
    metric = result.metrics["exact"]
    assert (metric.low, metric.high) == pytest.approx((0.3006, 0.9544), abs=1e-4)  # Wilson, 3 of 4
    lines = str(result).splitlines()
    assert lines[0] == f"smoke: 4 items, 0 errors  ({result.experiment_id})"
    assert lines[2].split() == ["exact", "0.750", "0.301", "to", "0.954", "4"]


def test_an_async_task_runs_so_many_at_once() -> None:
    """Never more than the limit, and as many as that; also from inside an event loop."""
    running = most = 0

    async def task(item: Item) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return str(item.input)

    async def inside() -> list[Any]:
        return outputs(spanwise.experiment([{"input": str(n)} for n in range(20)], task, concurrency=3))

    assert asyncio.run(inside()) == [str(n) for n in range(20)]
    assert most == 3


def test_a_plain_task_runs_in_threads_at_once() -> None:
    """Two that wait for each other both come back."""
    both = threading.Barrier(2)

    def task(item: Item) -> int:
        return both.wait(20)

    result = spanwise.experiment([{"input": "a"}, {"input": "b"}], task, concurrency=2)
    assert sorted(outputs(result)) == [0, 1]


def test_errors_of_the_task_are_no_scores() -> None:
    """They are kept with their reason; the others go on; `sys.exit` in a task ends that run alone."""

    def task(item: Item) -> str:
        if item.input == "q1":
            raise ValueError("bad question")
        if item.input == "q2":
            raise SystemExit(3)
        return str(item.expected)

    result = spanwise.experiment(ITEMS, task, [exact])

    assert [one.error for one in result.results] == ["", "ValueError: bad question", "RuntimeError: SystemExit: 3", ""]
    assert [one.scores for one in result.errors] == [{}, {}]
    assert (result.mean("exact"), result.metrics["exact"].items) == (1.0, 2)
    assert "first error: " in str(result)


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_an_item_that_hangs_is_given_up(kind: str) -> None:
    """After its time; it is an error like any other, and the rest is done."""
    release = threading.Event()

    def plain(item: Item) -> str:
        if item.input == "q1":
            release.wait(60)
        return "done"

    async def awaited(item: Item) -> str:
        if item.input == "q1":
            await asyncio.sleep(60)
        return "done"

    task: Callable[[Item], Any] = plain if kind == "plain" else awaited
    try:
        result = spanwise.experiment(ITEMS, task, timeout_s=0.2, concurrency=1)
    finally:
        release.set()

    assert [one.error for one in result.results] == ["", "TimeoutError: no answer within 0.2 s", "", ""]


def test_retries_are_off_unless_asked_for() -> None:
    """With one retry an item that fails once is fine."""
    seen: set[str] = set()

    def task(item: Item) -> str:
        if item.id not in seen:
            seen.add(item.id)
            raise ConnectionError("once")
        return "ok"

    assert len(spanwise.experiment(ITEMS[:1], task).errors) == 1
    seen.clear()
    assert outputs(spanwise.experiment(ITEMS[:1], task, retries=1)) == ["ok"]


def test_everything_an_evaluator_may_say() -> None:
    """Numbers, yes and no, labels, verdicts, nothing; what fails or is no number is an error beside the scores."""

    class Registered:
        name = "length"
        version = "2"

        def __call__(self, sample: Sample) -> Verdict | None:
            return Verdict(value=float(len(sample.output)), label="short", explanation="2 characters")

    def tone(sample: Sample) -> str:
        return "kind"

    def skipped(sample: Sample) -> None:
        return None

    def broken(sample: Sample) -> float:
        raise KeyError("rubric")

    def infinite(sample: Sample) -> float:
        return math.inf

    async def judged(sample: Sample) -> float:
        await asyncio.sleep(0)
        return 0.5

    def listed(sample: Sample) -> Any:
        return [1]

    evaluators: list[Any] = [Registered(), tone, skipped, broken, infinite, judged, listed]
    (one,) = spanwise.experiment(ITEMS[:1], answer, evaluators).results

    assert one.scores == {"length": 2.0, "judged": 0.5}
    assert one.labels == {"length": "short", "tone": "kind"}
    assert one.explanations == {"length": "2 characters"}
    assert one.score_errors == {
        "broken": "KeyError: 'rubric'",
        "infinite": "ValueError: inf is no score",
        "listed": "TypeError: an evaluator returns a number, True or False, a label, a Verdict or None, not list",
    }


def test_evaluators_of_the_registry_are_given_by_name() -> None:
    """With parameters as in `@observe(evals=…)`; their versions are kept."""
    short = spanwise.evaluator("length", name="short", most=3)
    (one,) = spanwise.experiment([{"input": "a"}], lambda item: "[1]", ["valid_json", short]).results

    assert one.scores == {"valid_json": 1.0, "short": 1.0}


def test_evaluators_see_the_whole_item() -> None:
    """Input and output as text, metadata, documents under `context`, the time it took."""
    seen: list[Sample] = []
    item = {"input": {"q": 1}, "context": ["a", {"text": "b", "id": "doc-1"}], "topic": "x"}

    def look(sample: Sample) -> None:
        seen.append(sample)

    spanwise.experiment([item], lambda item: {"a": 2}, [look], name="look")
    (sample,) = seen

    assert (sample.input, sample.output, sample.expected) == ('{"q": 1}', '{"a": 2}', None)
    assert [(one.text, one.id) for one in sample.context] == [("a", ""), ("b", "doc-1")]
    assert sample.attributes["topic"] == "x"
    assert sample.latency_ms is not None
    assert sample.latency_ms > 0


def test_repeats_are_averaged_by_item() -> None:
    """Each item is run so many times; the mean is over items."""
    calls: dict[str, int] = {}

    def task(item: Item) -> str:
        calls[item.id] = calls.get(item.id, 0) + 1
        return str(item.expected) if calls[item.id] > 1 else "?"

    result = spanwise.experiment(ITEMS[:2], task, [exact], repeats=4, concurrency=1)

    assert [one.repeat for one in result.results] == [0, 1, 2, 3] * 2
    assert (result.mean("exact"), result.metrics["exact"].items) == (0.75, 2)


def test_each_run_is_a_span(spanwise_capture: Capture) -> None:
    """With the experiment and the item, input and output; spans of the task are below it, in plain tasks too."""

    @spanwise.observe
    def inner(text: str) -> str:
        return text.upper()

    def task(item: Item) -> str:
        if item.input == "b":
            raise ValueError("no")
        return inner(item.input)

    result = spanwise.experiment([{"id": "1", "input": "a"}, {"id": "2", "input": "b"}], task, concurrency=1, name="up")
    spans = {
        (span["name"], span["attributes"].get("spanwise.experiment.item.id")): span for span in spanwise_capture.spans
    }
    ran, failed = spans["experiment", "1"], spans["experiment", "2"]

    expected = {
        "spanwise.experiment.id": result.experiment_id,
        "spanwise.experiment.name": "up",
        "spanwise.experiment.dataset": "",
        "spanwise.experiment.item.id": "1",
        "spanwise.experiment.repeat": 0,
        "input.value": "a",
        "output.value": "A",
    }
    assert {name: ran["attributes"].get(name) for name in expected} == expected
    child = next(span for span in spanwise_capture.spans if span["name"].endswith("inner"))
    assert child["parent_id"] == ran["span_id"]
    assert (failed["status"], failed["status_message"]) == ("error", "no")
    assert (result.results[0].trace_id, result.results[0].span_id) == (ran["trace_id"], ran["span_id"])


def test_local_files(tmp_path: Path) -> None:
    """CSV and JSONL; further columns are metadata; a wrong line is named."""
    (tmp_path / "items.csv").write_text('input,expected,topic\n"a, b",c,x\nd,,\n')
    (tmp_path / "items.jsonl").write_text(json.dumps({"input": [1], "metadata": {"k": 1}, "z": 2}) + "\n\n")
    (tmp_path / "bad.jsonl").write_text('{"input": 1}\n{"q": 2}\n')
    seen: list[Item] = []

    def keep(item: Item) -> None:
        seen.append(item)

    spanwise.experiment(tmp_path / "items.csv", keep, concurrency=1)
    spanwise.experiment(str(tmp_path / "items.jsonl"), keep, concurrency=1)

    assert [(one.input, one.expected, dict(one.metadata)) for one in seen] == [
        ("a, b", "c", {"topic": "x"}),
        ("d", None, {}),
        ([1], None, {"z": 2, "k": 1}),
    ]
    with pytest.raises(ExperimentError, match=r"bad.jsonl, line 2 has no `input`; it has 'q'"):
        spanwise.experiment(tmp_path / "bad.jsonl", keep)
    with pytest.raises(ExperimentError, match=r"none.csv cannot be read"):
        spanwise.experiment(tmp_path / "none.csv", keep)


@pytest.mark.parametrize(
    ("dataset", "options", "says"),
    [
        ([], {}, "There are no items in the list"),
        ([{"input": "a"}, {"input": "a"}], {}, "Two items of the list are the same"),
        ([{"question": "a"}], {}, "item 1 has no `input`; it has 'question'"),
        ("faq", {}, "set SPANWISE_API_URL"),
        (ITEMS, {"experiment_id": "x1"}, "Going on with an experiment needs a collector"),
        (ITEMS, {"experiment_id": "../x"}, "experiment_id is '../x'"),
        (ITEMS, {"repeats": 0}, "repeats and concurrency are at least 1"),
        (ITEMS, {"api_url": "collector:4318"}, "SPANWISE_API_URL is 'collector:4318'"),
        (ITEMS, {"evaluators": [lambda sample: 1]}, "An evaluator needs a name"),
        (ITEMS, {"evaluators": [exact, exact]}, "Two evaluators are named 'exact'"),
        (ITEMS, {"evaluators": [3]}, "3 is no evaluator"),
        (ITEMS, {"evaluators": ["valid_jsn"]}, "did you mean 'valid_json'"),
        (ITEMS, {"evaluators": ["regex"]}, r"spanwise.evaluator\('regex', …\)"),
        (ITEMS, {"evaluators": "valid_json"}, "evaluators must be a list"),
    ],
)
def test_what_cannot_begin_says_why(dataset: Any, options: dict[str, Any], says: str) -> None:
    """Before anything is run."""
    with pytest.raises(ExperimentError, match=says):
        spanwise.experiment(dataset, lambda item: pytest.fail("it must not run"), **options)


def test_progress_is_shown_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """A line that is written over, with the errors; nothing where the output is no terminal."""
    spanwise.experiment(ITEMS, answer, name="quiet")
    assert capsys.readouterr().err == ""
    spanwise.experiment(ITEMS, lambda item: 1 / 0, name="loud", progress=True)
    assert capsys.readouterr().err.endswith("\rloud: 4 of 4, 4 errors \n")
