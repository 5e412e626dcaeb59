"""What an evaluator takes and what it returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Document:
    """A piece of retrieved context.

    Attributes:
        text: what it says.
        id: what a citation names it by; "" when it has no name.
    """

    text: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model asked for.

    Attributes:
        name: of the tool.
        arguments: as the model wrote them: JSON, possibly broken.
    """

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What is scored: a span, a whole trace, or an item of an experiment.

    Attributes:
        input: text of what was asked: the last user message of a model call, else the input as text.
        output: text of the answer.
        expected: what the answer should have been; None where nobody said.
        context: documents that were retrieved for it, in order.
        tool_calls: tools that the answer asks for.
        tools: JSON schemas of the parameters of the tools that were offered, by name.
        latency_ms: how long it took; None where that is not known.
        cost_nanousd: what it cost, nano-dollars; None where that is not known.
        attributes: everything else: span attributes, an item's metadata.
    """

    input: str = ""
    output: str = ""
    expected: str | None = None
    context: tuple[Document, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    latency_ms: float | None = None
    cost_nanousd: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an evaluator says of a sample.

    Attributes:
        value: a number, 1 and 0 for yes and no; None for a label alone.
        label: a word; "" for none.
        explanation: what a person can check: what was found and where.
    """

    value: float | None = None
    label: str = ""
    explanation: str = ""


class Evaluator(Protocol):
    """Scores a sample.

    Attributes:
        name: of the score that it gives.
        version: changes whenever the same sample may be scored otherwise.
    """

    @property
    def name(self) -> str:
        """Of the score."""
        ...

    @property
    def version(self) -> str:
        """Of the evaluator."""
        ...

    def __call__(self, sample: Sample) -> Verdict | None:
        """The verdict; None where the evaluator does not apply, such as groundedness without context."""
        ...


UserEvaluator = Callable[[Sample], "Verdict | float | bool | str | None"]
"""What a user may write instead: a number, yes or no, a label; its `__name__` is the score's name."""
