"""Whether there is an answer at all: text or a tool call.

White space alone is none, and neither is what stands for nothing (`null`, `None`, `N/A`, `undefined`, `{}`, `[]`,
`""`) or a text of punctuation alone.
"""

import re
from typing import Final

from spanwise_evaluators.definition import Definition, yes_or_no
from spanwise_evaluators.model import Sample, Verdict

_NOTHING: Final = re.compile(r"(?i:null|none|nil|n/a|nan|undefined)\.?|[\s\"'{}\[\]().,;:!?_*#`\u2026-]*")


def not_empty(sample: Sample) -> Verdict:
    """Whether the output says something."""
    if sample.tool_calls:
        return yes_or_no(True)
    text = sample.output.strip()
    if not text:
        return yes_or_no(False, "empty")
    if _NOTHING.fullmatch(text):
        return yes_or_no(False, "placeholder", f"the answer is {text[:80]!r}")
    return yes_or_no(True)


DEFINITION: Final = Definition(
    name="not_empty", revision=1, reads=frozenset({"output", "tool_calls"}), prepare=lambda: not_empty
)
