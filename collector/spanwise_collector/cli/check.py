"""`spanwise check`: whether a candidate is worse than a baseline, for CI."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from spanwise_collector.cli.asking import Collector, columns, time_option
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.terminal import Terminal
from spanwise_schemas.api_experiments import ComparedMetric, ExperimentComparison

_FAILED: Final = ("worse",)
_HEADS: Final = ("metric", "baseline", "candidate", "difference", "95 % interval", "compared")


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What to check.

    Attributes:
        baseline: experiment or `release:NAME`.
        candidate: likewise.
        metrics: names; empty: all scores, and errors.
        margin: a smaller difference does not matter; None: the collector's default.
        lower_is_better: scores of which less is better.
        fail_on_inconclusive: fail too where a metric cannot be told.
        start: of traces of releases; date or RFC 3339; empty: 30 days ago.
        end: likewise; empty: now.
        junit: file to write; None: none.
        markdown: file to write; None: none.
    """

    baseline: str
    candidate: str
    metrics: Sequence[str] = ()
    margin: float | None = None
    lower_is_better: Sequence[str] = ()
    fail_on_inconclusive: bool = False
    start: str = ""
    end: str = ""
    junit: Path | None = None
    markdown: Path | None = None


def run_check(
    options: CheckOptions,
    *,
    api: str,
    data_dir: Path,
    project: str,
    terminal: Terminal,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Compare, print the table, write the files.

    Returns:
        `EXIT_OK`, or `EXIT_FAILED` where a regression is proven.

    Raises:
        UsageError: an option is wrong, no collector answers, or one side has no data: exit code 2, so that CI can tell
            a regression from a check that could not be made.
    """
    if options.margin is not None and options.margin < 0:
        raise UsageError("--margin is below 0")
    try:
        collector = Collector.of(api or environ.get("SPANWISE_API_URL", ""), data_dir, project)
        found = ExperimentComparison.model_validate(
            collector.read(
                "experiments",
                "compare",
                baseline=options.baseline,
                candidate=options.candidate,
                metric=list(options.metrics),
                # A margin of 0 is one, and an empty parameter is left out.
                margin="" if options.margin is None else repr(options.margin),
                lower_is_better=list(options.lower_is_better),
                **{"from": time_option("--from", options.start) if options.start else ""},
                to=time_option("--to", options.end) if options.end else "",
            )
        )
    except UsageError:
        raise
    except CommandError as error:
        raise UsageError(str(error)) from None
    failed = [one for one in found.metrics if fails(one, options.fail_on_inconclusive)]
    for line in told(found):
        terminal.line(line)
    terminal.line()
    terminal.line(conclusion(failed))
    _write(options.junit, junit(found, options.fail_on_inconclusive))
    _write(options.markdown, markdown(found, failed))
    return EXIT_FAILED if failed else EXIT_OK


def fails(one: ComparedMetric, on_inconclusive: bool) -> bool:
    """Whether a metric fails the check."""
    return one.verdict in _FAILED or (on_inconclusive and one.verdict == "inconclusive")


def told(found: ExperimentComparison) -> list[str]:
    """The comparison as lines."""
    lines = [
        f"{name:<11}{side.label}, {side.n:,} {'items' if side.kind == 'experiment' else 'scored targets'}"
        for name, side in (("baseline", found.baseline), ("candidate", found.candidate))
    ]
    lines.append("")
    rows: list[tuple[str, ...]] = [(*_HEADS, *_judged_heads(found), "verdict")]
    rows += [(*row(one), *_judged_cells(found, one), one.words) for one in found.metrics]
    lines += columns(rows)
    lines += [f"note: {note}" for note in found.notes]
    return lines


def row(one: ComparedMetric) -> tuple[str, str, str, str, str, str]:
    """A metric's numbers, as they read."""
    known = one.low is not None and one.high is not None
    interval = f"{_signed(one.low or 0.0)} to {_signed(one.high or 0.0)}" if known else "unknown"
    compared = f"{one.n:,}" if one.groups == one.n else f"{one.n:,} in {one.groups:,} groups"
    return (one.metric, _number(one.baseline), _number(one.candidate), _signed(one.difference), interval, compared)


def correction(one: ComparedMetric) -> str:
    """By how many labels of people a judge's means were corrected, or why not; empty where no judge gave the score."""
    return one.correction.words if one.correction is not None else ""


def _judged_heads(found: ExperimentComparison) -> tuple[str, ...]:
    """A column more where a judge's scores are compared."""
    return ("judge's means",) if any(one.correction is not None for one in found.metrics) else ()


def _judged_cells(found: ExperimentComparison, one: ComparedMetric) -> tuple[str, ...]:
    return (correction(one) or "no judge",) if _judged_heads(found) else ()


def conclusion(failed: Sequence[ComparedMetric]) -> str:
    """The last line."""
    if not failed:
        return "No regression is proven."
    worse = [one.metric for one in failed if one.verdict == "worse"]
    open_ones = [one.metric for one in failed if one.verdict != "worse"]
    parts = [f"worse: {', '.join(worse)}"] if worse else []
    parts += [f"inconclusive: {', '.join(open_ones)}"] if open_ones else []
    return f"The check fails: {'; '.join(parts)}."


def markdown(found: ExperimentComparison, failed: Sequence[ComparedMetric]) -> str:
    """The comparison as Markdown, for a comment or a job's summary."""
    lines = [
        f"### {_cell(found.candidate.label)} against {_cell(found.baseline.label)}",
        "",
        f"**{_cell(conclusion(failed))}**",
        "",
        f"| {' | '.join((*_HEADS, *_judged_heads(found), 'verdict'))} |",
        f"|---|---:|---:|---:|---|---:|{'---|' * (1 + len(_judged_heads(found)))}",
    ]
    for one in found.metrics:
        mark = {"worse": "❌ ", "better": "✅ ", "inconclusive": "❔ "}.get(one.verdict, "")
        cells = (*row(one), *_judged_cells(found, one))
        lines.append(f"| {' | '.join(_cell(text) for text in cells)} | {mark}{_cell(one.words)} |")
    lines += ["", *(f"- {_cell(note)}" for note in found.notes)] if found.notes else []
    return "\n".join(lines) + "\n"


def junit(found: ExperimentComparison, on_inconclusive: bool) -> str:
    """The comparison as JUnit XML: a test case per metric; one that cannot be told is skipped."""
    failures = sum(fails(one, on_inconclusive) for one in found.metrics)
    skipped = sum(one.verdict == "inconclusive" and not on_inconclusive for one in found.metrics)
    suite = ET.Element(
        "testsuite",
        name="spanwise check",
        tests=str(len(found.metrics)),
        failures=str(failures),
        errors="0",
        skipped=str(skipped),
    )
    for one in found.metrics:
        case = ET.SubElement(
            suite, "testcase", classname=f"{_xml(found.candidate.label)} against {_xml(found.baseline.label)}"
        )
        case.set("name", _xml(one.metric))
        name, baseline, candidate, difference, interval, compared = row(one)
        words = (
            f"{name}: {one.words}: {baseline} to {candidate}, difference {difference} ({interval}), {compared} compared"
        )
        if one.correction is not None:
            words += f", judge's means {correction(one)}"
        if fails(one, on_inconclusive):
            ET.SubElement(case, "failure", message=_xml(words), type=one.verdict)
        elif one.verdict == "inconclusive":
            ET.SubElement(case, "skipped", message=_xml(words))
        else:
            ET.SubElement(case, "system-out").text = _xml(words)
    root = ET.Element("testsuites")
    root.append(suite)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _write(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}" if abs(value) < 100 else f"{value:+,.0f}"


def _cell(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
    return " ".join(escaped.split())


def _xml(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(character for character in text if character in "\t\n" or character >= " ")
