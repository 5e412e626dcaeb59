"""Anchors: items that people have labelled once and for all, in a JSONL file."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from spanwise_evaluators.model import Document, Sample

MAX_ANCHORS: Final = 10_000
_KEYS: Final = {"id", "input", "output", "context", "expected", "label"}


class AnchorError(ValueError):
    """The file cannot be used; the message names the line and what to write."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One item.

    Attributes:
        id: of the item in its file.
        sample: what is judged.
        label: what people say, from 0 (worst) to 1 (best).
    """

    id: str
    sample: Sample
    label: float


def parse_anchors(text: str) -> tuple[Anchor, ...]:
    """The items of a file's text, one JSON object per line.

    `label` is 0 to 1, or true and false, or `pass` and `fail`. An item without an `id` gets one from its content.

    Raises:
        AnchorError: a line is none, or an id comes twice.
    """
    found: dict[str, Anchor] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        anchor = _anchor(line, f"line {number}")
        if anchor.id in found:
            raise AnchorError(f"line {number}: the id {anchor.id!r} comes twice")
        found[anchor.id] = anchor
    if not found:
        raise AnchorError("it has no items; write one JSON object per line with input, output and label")
    if len(found) > MAX_ANCHORS:
        raise AnchorError(f"it has {len(found):,} items; {MAX_ANCHORS:,} are more than enough")
    return tuple(found.values())


def load_anchors(path: Path) -> tuple[Anchor, ...]:
    """The items of a file.

    Raises:
        AnchorError: it cannot be read or used.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AnchorError(f"{path} cannot be read ({error})") from None
    try:
        return parse_anchors(text)
    except AnchorError as error:
        raise AnchorError(f"{path}: {error}") from None


def _anchor(line: str, where: str) -> Anchor:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AnchorError(f"{where} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise AnchorError(f"{where} is no object")
    unknown = sorted(found.keys() - _KEYS)
    if unknown:
        raise AnchorError(f"{where}: there is no key {unknown[0]!r}; there are {', '.join(sorted(_KEYS))}")
    context = found.get("context", [])
    texts = [found.get("input", ""), found.get("output"), found.get("expected", "")]
    if not all(isinstance(text, str) for text in texts) or not texts[1]:
        raise AnchorError(f"{where}: input, output and expected are texts, and output is not empty")
    if not isinstance(context, list) or not all(isinstance(one, str) for one in context):
        raise AnchorError(f"{where}: context is a list of texts")
    sample = Sample(
        input=texts[0],
        output=texts[1],
        expected=found.get("expected"),
        context=tuple(Document(one) for one in context),
    )
    named = found.get("id", "")
    if not isinstance(named, str) or len(named) > 200:
        raise AnchorError(f"{where}: id is a text of at most 200 characters")
    content = json.dumps([*texts, context], ensure_ascii=False).encode()
    return Anchor(named or hashlib.sha256(content).hexdigest()[:16], sample, _label(found.get("label"), where))


def _label(said: Any, where: str) -> float:
    if said in ("pass", "fail"):
        return float(said == "pass")
    if isinstance(said, bool | int | float) and 0 <= said <= 1:
        return float(said)
    raise AnchorError(
        f"{where}: label is 0 to 1, true or false, `pass` or `fail`; for grades 1 to k, (g - 1) / (k - 1)"
    )
