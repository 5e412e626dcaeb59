"""The truth log: what was asked, what was answered, and how many tokens that was said to be.

Counts are unlike in all entries and sorts, and so are their sums, so that each number found in what a client sent
can be traced to its source.
"""

import threading
import time
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any, Final, NamedTuple

from tests.golden.clients.stub.cases import Case

# Numbers that stand in telemetry for other reasons, and those of the answers' texts.
_TAKEN: Final = frozenset({16_384, 32_768, 65_535, 65_536, *range(10_000, 10_400)})


class Tokens(NamedTuple):
    """Tokens of one answer, cached ones in the input and reasoning in the output.

    Attributes:
        input: all input tokens.
        output: all output tokens.
        cache_read: of the input, read from a cache.
        cache_write: of the input, written to a cache; the two next are its parts.
        cache_write_5m: kept five minutes; 0 where the API knows no lifetimes.
        cache_write_1h: kept an hour.
        reasoning: of the output.
    """

    input: int
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0


NO_TOKENS: Final = Tokens(0)


class Counts:
    """Deals out token counts that never repeat, not even as a sum of those of one answer."""

    def __init__(self) -> None:
        self._used = set(_TAKEN)
        self._next = 1

    def deal(self, *, written: bool, lifetimes: bool) -> Tokens:
        """Tokens of the next answer, of the sorts that its API knows."""
        while True:
            fresh, read, w5, w1, visible, reasoning = (self._number() for _ in range(6))
            w5, w1 = w5 * written, w1 * lifetimes
            inputs = [one for one in (fresh, read, w5, w1) if one]
            sums = [sum(some) for size in range(1, len(inputs) + 1) for some in combinations(inputs, size)]
            sums += [visible, reasoning, visible + reasoning, sum(inputs) + visible + reasoning]
            if len(set(sums)) == len(sums) and self._used.isdisjoint(sums):
                self._used.update(sums)
                return Tokens(sum(inputs), visible + reasoning, read, w5 + w1, w5 * lifetimes, w1, reasoning)

    def embedding(self) -> Tokens:
        """Tokens of an embedding: input only."""
        while (number := self._number()) in self._used:
            pass
        self._used.add(number)
        return Tokens(number)

    def _number(self) -> int:
        # Powers of a primitive root go through 1 to 30,010 in an order without patterns. All are of five digits, which
        # hardly stand in a payload by chance.
        self._next = self._next * 17 % 30_011
        return 10_007 + self._next


@dataclass(slots=True)
class Asked:
    """A request, in one form for all APIs.

    Attributes:
        api: `openai.chat`, `openai.responses`, `openai.embeddings`, `anthropic.messages`, `gemini.generate`,
            `gemini.embed`.
        model: as asked for.
        stream: whether the answer shall come in pieces.
        system: text of the system prompt.
        messages: role, text, images (their URL or media type), tool_calls and tool_results of each, without the
            system prompt.
        tools: name of each tool offered.
        params: everything else that was asked.
        inputs: texts to embed.
    """

    api: str
    model: str
    stream: bool = False
    system: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)

    def texts(self) -> list[str]:
        """All texts, in order."""
        return [self.system, *(str(one["text"]) for one in self.messages), *self.inputs]

    @property
    def wants_tool(self) -> bool:
        """Whether tools are offered and the last turn brings no result of one."""
        return bool(self.tools) and not (self.messages and self.messages[-1]["tool_results"])


@dataclass(slots=True)
class Answer:
    """What was answered.

    Attributes:
        status: of HTTP.
        id: the provider's.
        model: that answered.
        text: of the answer.
        thought: shown before it.
        tool_calls: id, name and arguments (a JSON string) of each.
        finish_reason: the API's own word.
        usage: as on the wire.
        tokens: the same in inclusive terms.
        error: message of a refusal.
    """

    status: int
    id: str = ""
    model: str = ""
    text: str = ""
    thought: str = ""
    tool_calls: list[dict[str, str]] = field(default_factory=list)
    finish_reason: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    tokens: Tokens = NO_TOKENS
    error: str = ""


@dataclass(slots=True)
class Entry:
    """One request and its answer.

    Attributes:
        number: from 1, in order of arrival.
        case: its name.
        behaviour: of the stub.
        kind: `llm` or `embedding`.
        provider: `openai`, `anthropic` or `google`.
        asked: the request.
        answer: what was answered.
        ended: `complete`, `refused`, `timeout` (the client left before the answer), `cut` (by the stub) or `abandoned`
            (by the client).
        arrived_ns: time of arrival, nanoseconds since the epoch.
        ended_ns: time of the end.
    """

    number: int
    case: str
    behaviour: str
    kind: str
    provider: str
    asked: Asked
    answer: Answer
    ended: str = "open"
    arrived_ns: int = 0
    ended_ns: int = 0

    def as_json(self) -> dict[str, Any]:
        """As stored; the token counts by their names."""
        found = asdict(self)
        found["answer"]["tokens"] = self.answer.tokens._asdict()
        return found


class TruthLog:
    """What the stub answered. Safe to use from several threads."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.counts = Counts()
        self._lock = threading.Lock()
        self._retried: set[str] = set()

    def open(self, asked: Asked, case: Case, provider: str) -> Entry:
        """A new entry, without its answer."""
        kind = "embedding" if asked.inputs else "llm"
        with self._lock:
            number = len(self.entries) + 1
            entry = Entry(number, case.name, case.behaviour, kind, provider, asked, Answer(0))
            entry.arrived_ns = time.time_ns()
            self.entries.append(entry)
        return entry

    def deal(self, asked: Asked) -> Tokens:
        """Token counts for an answer to a request."""
        with self._lock:
            if asked.inputs:
                return self.counts.embedding()
            return self.counts.deal(
                written=not asked.api.startswith("gemini"), lifetimes=asked.api.startswith("anthropic")
            )

    def first_try(self, case: str) -> bool:
        """Whether a case is asked for the first time."""
        with self._lock:
            if case in self._retried:
                return False
            self._retried.add(case)
            return True

    def close(self, entry: Entry, ended: str) -> None:
        """Note how an answer ended."""
        with self._lock:
            entry.ended = ended
            entry.ended_ns = time.time_ns()
