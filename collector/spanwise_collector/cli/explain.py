"""`spanwise explain`: for every value of a span, where it comes from, in plain words."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from spanwise_collector.cli.address import address
from spanwise_collector.cli.errors import EXIT_OK, CommandError, UsageError
from spanwise_collector.cli.http import get
from spanwise_collector.cli.terminal import Terminal

WIDTH: Final = 110
_VALUE: Final = 48
_GIVER: Final = 78
_NAMES: Final = {"body": "the {attribute}", "event": "an event", "resource": "the resource", "derived": "other fields"}


def run_explain(
    *, trace_id: str, span_id: str, project: str, data_dir: Path, api: str, as_json: bool, terminal: Terminal
) -> int:
    """Print where the values of a trace's spans come from.

    Args:
        trace_id: 32 hex digits.
        span_id: 16 hex digits for one span alone, or empty.
        project: of the trace.
        data_dir: of the `spanwise up` to ask; not used when `api` is given.
        api: base URL of a collector, or empty.
        as_json: print the API's answer and nothing else.
        terminal: where the lines go.

    Returns:
        `EXIT_OK`.

    Raises:
        UsageError: an id is none.
        CommandError: no collector answers, or it has no such trace.
    """
    for name, text, length in (("trace", trace_id, 32), ("span", span_id, 16)):
        if text and not (len(text) == length and all(digit in "0123456789abcdefABCDEF" for digit in text)):
            raise UsageError(f"{text!r} is not a {name} id: {length} hex digits, as the trace page shows it.")
    url, key = address(api, data_dir)
    query = urlencode({"project": project, **({"span": span_id} if span_id else {})})
    answer = get(f"{url}/api/v1/traces/{quote(trace_id)}/explain?{query}", key=key, timeout_s=30.0)
    if answer is None:
        raise CommandError(f"No collector answers at {url}. Start one with `spanwise up`, or name it with --api URL.")
    found = answer.json()
    if answer.status != 200:
        raise CommandError(
            f"{found.get('detail') or f'the collector answered {answer.status}'} --project names another."
        )
    if as_json:
        terminal.line(json.dumps(found, indent=2, ensure_ascii=False))
        return EXIT_OK
    for line in explanation(found):
        terminal.line(line)
    return EXIT_OK


def explanation(found: Mapping[str, Any]) -> Iterator[str]:
    """The lines to print of the API's answer."""
    spans: Sequence[Mapping[str, Any]] = found["spans"]
    calls = sum(span["counts_usage"] for span in spans)
    many = "1 span" if len(spans) == 1 else f"{len(spans)} spans"
    yield f"trace {found['trace_id']} in project {found['project']}: {many}, of which {calls} bear a bill"
    for span in spans:
        yield ""
        yield from _span(span)
    if found["left_out"]:
        yield ""
        yield f"{found['left_out']} more spans are left out; --span ID explains one."


def _span(span: Mapping[str, Any]) -> Iterator[str]:
    yield f"{_plain(span['name']) or '(no name)'}  [{span['kind']}]  span {span['span_id']}"
    by = f"made by {span['scope']}; " if span["scope"] else ""
    convention = (
        f"its attributes' names are {span['convention']}'s" if span["convention"] else "no convention recognised"
    )
    yield from _block("origin", f"{by}{convention}")
    yield from _block("bill", span["bill"])
    for line in span["tokens"]:
        yield from _block("tokens", line)
    yield from _cost(span["cost"])
    for warning in span["warnings"]:
        yield from _block("warning", warning)
    yield ""
    for one in span["fields"]:
        yield from _field(one)
    yield from _left("not mapped to a field, kept as attributes", span["unmapped"])
    yield from _left("of the resource and the scope", span["resource"])
    if span["raw"]:
        sizes = ", ".join(f"{_plain(name)} ({len(text):,} characters)" for name, text in span["raw"].items())
        yield from _block("as sent", f"kept as it was sent beside its new form: {sizes}")


def _cost(cost: Mapping[str, Any]) -> Iterator[str]:
    total = "" if cost["total_nanousd"] is None else f"{_usd(cost['total_nanousd'])}. "
    yield from _block("cost", f"{total}{cost['words']}")
    if cost["reported_nanousd"] is not None:
        computed = "unknown" if cost["computed_nanousd"] is None else _usd(cost["computed_nanousd"])
        yield from _block("", f"reported {_usd(cost['reported_nanousd'])}, by the price list {computed}")
    for line in cost["lines"]:
        price = "?" if line["usd_per_million"] is None else f"${line['usd_per_million']:g}"
        amount = "?" if line["nanousd"] is None else _usd(line["nanousd"])
        yield from _block("", f"{line['tokens']:>9,} {line['sort']:<16} at {price} per million = {amount}")


def _field(one: Mapping[str, Any]) -> Iterator[str]:
    first, *more = textwrap.wrap(_giver(one), _GIVER, break_on_hyphens=False) or [""]
    yield f"  {one['field']:<20} {_short(one['value']):<{_VALUE}}  {first}"
    yield from (f"  {'':<20} {'':<{_VALUE}}    {line}" for line in more)
    for other in one["others"]:
        lost = f"not used: {_plain(other['attribute'])} ({other['convention']})"
        yield f"  {'':<20} {_short(other['value']):<{_VALUE}}  {lost}"


def _giver(one: Mapping[str, Any]) -> str:
    if one["origin"] != "attribute":
        return f"from {_NAMES[one['origin']].format(**one)}: {one['reading']}"
    path = f", member {one['path']}" if one["path"] else ""
    by = f" ({one['convention']})" if one["convention"] else f": {one['reading']}"
    return f"from {_plain(one['attribute'])}{path}{by}"


def _left(title: str, values: Mapping[str, str]) -> Iterator[str]:
    if values:
        yield f"  {title}:"
        yield from (f"    {_plain(name)} = {_short(value)}" for name, value in values.items())


def _block(label: str, text: str) -> Iterator[str]:
    """Text behind a label, wrapped."""
    for line in textwrap.wrap(text, WIDTH - 11) if len(text) > WIDTH - 11 else [text]:
        yield f"  {label:<8} {line}"
        label = ""


def _usd(nanousd: int) -> str:
    return f"${nanousd / 1e9:.9f}".rstrip("0").rstrip(".")


def _short(text: str) -> str:
    text = " ".join(_plain(text).split())
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"


def _plain(text: str) -> str:
    """What users and models wrote, without characters that steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
