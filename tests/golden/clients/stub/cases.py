"""What the stub does, chosen by a marker in the request's text: `[case:tool]`, or with a name: `[case:tool chat]`.

The last marker in the request's texts counts, so that it survives a tool result or a framework's own prompts. The
first word is the behaviour, the whole is the name of the case in the truth log.
"""

import re
from typing import Final, NamedTuple

BEHAVIOURS: Final = {
    "plain": "answers with text",
    "tool": "calls the first tool that the request offers until a result for it is there, then answers with text",
    "think": "answers with a thought before the text, where the API shows thoughts",
    "error429": "refuses with 429 always",
    "error500": "fails with 500 always",
    "retry": "refuses with 429 once per case, then answers with text",
    "timeout": "waits TIMEOUT_S before it would answer: longer than the client does",
    "cut": "breaks the connection off in the middle of the answer, without its end",
    "slow": "streams a word every SLOW_S seconds, for a client that turns away before the end",
}
TIMEOUT_S: Final = 4.0
SLOW_S: Final = 0.05
SLOW_WORDS: Final = 100
_MARKER: Final = re.compile(r"\[case:([a-z0-9]+)((?: [\w./-]+)*)\]")


class Case(NamedTuple):
    """A case.

    Attributes:
        behaviour: one of `BEHAVIOURS`.
        name: behaviour and label, as in the marker.
    """

    behaviour: str
    name: str


def case_of(texts: list[str]) -> Case:
    """The case that a request's texts name; `plain` where they name none.

    Raises:
        ValueError: for an unknown behaviour.
    """
    found = [match for text in texts for match in _MARKER.finditer(text)]
    if not found:
        return Case("plain", "")
    behaviour, label = found[-1].groups()
    if behaviour not in BEHAVIOURS:
        raise ValueError(f"no behaviour {behaviour!r}; stub/cases.py lists them")
    return Case(behaviour, behaviour + label)
