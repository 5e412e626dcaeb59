"""`spanwise explain` in words that a newcomer can read."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spanwise_collector.cli import main
from spanwise_collector.cli.explain import explanation, run_explain
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.query.explain import explained
from spanwise_schemas.api_explain import TraceExplanation
from tests.support.dashboard_data import OK_TRACE_ID, Dataset, little
from tests.support.dashboard_fake import FakeApi, serve
from tests.support.dashboard_rows import stored_columns

CALL = "0000000000000006"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def lines(data: Dataset, span_id: str, **columns: object) -> list[str]:
    """What is printed of one span, with some of its columns changed."""
    row = stored_columns(data.spans[(OK_TRACE_ID, span_id)]) | columns
    span = explained(row, PriceBook())
    return list(explanation(TraceExplanation(trace_id=OK_TRACE_ID, project="p", spans=[span]).model_dump(mode="json")))


def test_a_call_is_explained_in_words() -> None:
    """Origin, bill, tokens and cost as sentences; each field with its value and what gave it; then the rest."""
    found = lines(little(NOW), CALL)

    assert found[0] == f"trace {OK_TRACE_ID} in project p: 1 span, of which 1 bear a bill"
    assert found[2] == f"chat  [llm]  span {CALL}"
    assert "  origin   made by spanwise; its attributes' names are gen_ai's" in found
    assert "  bill     This span bears the bill: its tokens and cost are in every sum." in found
    assert any(line.startswith("  cost     $0.01") for line in found)
    assert any(line.split() == ["tok_input", "2196", "from", "gen_ai.usage.input_tokens", "(gen_ai)"] for line in found)
    assert any("finish_reason" in line and "from the output: no attribute gives it" in line for line in found)
    assert "    http.route = /api/answer" in found
    assert max(map(len, found)) <= 160


def test_what_was_not_used_stands_below_what_was() -> None:
    """An attribute that lost is named with its value right after the field."""
    found = lines(little(NOW), CALL, attrs={"llm.token_count.prompt": "999"}, raw={"input.value": "hi"})
    at = next(number for number, line in enumerate(found) if line.startswith("  tok_input"))

    assert found[at + 1].split() == ["999", "not", "used:", "llm.token_count.prompt", "(openinference)"]
    assert "  as sent  kept as it was sent beside its new form: input.value (2 characters)" in found


def test_both_costs_are_told_where_one_was_reported() -> None:
    """The reported one and what the price list says."""
    found = lines(little(NOW), CALL, cost_source="reported", cost_reported_n=5, cost_total_n=5)

    assert any(line.strip().startswith("reported $0.000000005, by the price list $0.0107") for line in found)


def test_nothing_steers_the_terminal() -> None:
    """What users and models wrote has its control characters taken out."""
    found = lines(little(NOW), CALL, name="\x1b[31mred", input_preview="a\x1b]0;title\x07b", attrs={"k\x1b": "v\r"})

    assert not any(ord(character) < 32 or ord(character) == 127 for line in found for character in line)


def ask(api_url: str, span: str = CALL, *, as_json: bool = False) -> str:
    """Output of the command against an API."""
    stream = io.StringIO()
    code = run_explain(
        trace_id=OK_TRACE_ID,
        span_id=span,
        project="default",
        data_dir=Path("unused"),
        api=api_url,
        as_json=as_json,
        terminal=Terminal(stream),
    )
    assert code == 0
    return stream.getvalue()


def test_the_command_asks_the_collector() -> None:
    """Words by default, the API's answer with --json."""
    with serve(FakeApi(little(NOW))) as url:
        assert f"span {CALL}" in ask(url)
        answer = TraceExplanation.model_validate(json.loads(ask(url, as_json=True)))

    assert [span.span_id for span in answer.spans] == [CALL]
    assert answer.spans[0].cost.source == "computed"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nonsense"], 2, "'nonsense' is not a trace id: 32 hex digits"),
        ([OK_TRACE_ID, "--span", "12"], 2, "'12' is not a span id: 16 hex digits"),
        ([OK_TRACE_ID, "--api", "http://127.0.0.1:1"], 1, "No collector answers at http://127.0.0.1:1."),
        ([OK_TRACE_ID, "--data-dir", "/nonexistent"], 1, "No `spanwise up` runs in /nonexistent."),
    ],
)
def test_what_cannot_be_asked_is_said(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An id that is none is wrong usage; a collector that is not there is a failure; both name the remedy."""
    assert main(["explain", *arguments]) == code
    assert capsys.readouterr().err.startswith(f"spanwise explain: {said}")


def test_an_unknown_trace_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """The collector's reason is passed on."""
    with serve(FakeApi(little(NOW))) as url:
        code = main(["explain", OK_TRACE_ID, "--span", "f" * 16, "--api", url])

    assert code == 1
    assert "is not in trace" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_failure() -> None:
    """`spanwise explain … | head -1` ends quietly with code 0."""
    with serve(FakeApi(little(NOW))) as url:
        command = [sys.executable, "-m", "spanwise_collector.cli", "explain", OK_TRACE_ID, "--span", CALL, "--api", url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.close()
            _, said = process.communicate(timeout=60)

    assert (process.returncode, said) == (0, b"")
