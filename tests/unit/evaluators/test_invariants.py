"""What holds for every evaluator and every sample."""

import json
import math
import string
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from spanwise_evaluators import registry
from spanwise_evaluators.model import Document, Sample, ToolCall
from spanwise_evaluators.reading.identifiers import KINDS, identifiers
from spanwise_evaluators.reading.numbers import claimed, unknown

EVALUATORS = [
    registry.make("valid_json"),
    registry.make("schema_match", schema={"type": "object", "required": ["a"]}),
    registry.make("regex", pattern="[a-z]+@"),
    registry.make("contains", texts=["a", "1"], ignore_case=True),
    registry.make("contains"),
    registry.make("exact_match", compare="loose"),
    registry.make("exact_match", compare="json"),
    registry.make("length", unit="sentences", least=1, most=3),
    registry.make("language_match"),
    registry.make("not_refused"),
    registry.make("not_empty"),
    registry.make("no_pii", kinds=list(KINDS), ignore=["input"]),
    registry.make("numbers_in_context"),
    registry.make("entities_in_context"),
    registry.make("groundedness", n=2),
    registry.make("citations", required=True, support=0.2),
    registry.make("latency_budget", most_ms=100),
    registry.make("cost_budget", most_usd=0.1),
    registry.make("tool_arguments"),
]

# Texts that come near to what evaluators look for, beside any text at all.
PIECES = st.sampled_from(
    [
        "I can't ",
        "[1]",
        "[doc-2] ",
        '{"a": ',
        "}",
        "```json\n",
        "3.14",
        "1.234,5 ",
        "2026-01-31",
        "Maria Lopez ",
        "12 %",
        "a@b.example ",
        "9:30",
        "\n",
        "k",
        ".",
        "4111 1111 1111 1111",
        "DE89370400440532013000",
        "【",
        "】",
        "电池",
    ]
)
TEXTS = st.one_of(st.text(max_size=120), st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=12).map("".join))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SAMPLES = st.builds(
    Sample,
    input=TEXTS,
    output=st.one_of(TEXTS, JSON.map(json.dumps)),
    expected=st.none() | TEXTS,
    context=st.lists(st.builds(Document, text=TEXTS, id=st.text(max_size=6)), max_size=3).map(tuple),
    tool_calls=st.lists(
        st.builds(ToolCall, name=st.sampled_from("ab"), arguments=st.one_of(TEXTS, JSON.map(json.dumps))), max_size=2
    ).map(tuple),
    tools=st.dictionaries(st.sampled_from("ab"), st.dictionaries(st.text(max_size=5), JSON, max_size=2), max_size=2),
    latency_ms=st.none() | st.floats(min_value=0, allow_nan=False),
    cost_nanousd=st.none() | st.integers(min_value=0),
)


def test_every_evaluator_is_tried() -> None:
    """The list above leaves none out."""
    assert {one.kind for one in EVALUATORS} == set(registry.names())


@given(SAMPLES)
@example(Sample(output="\ud83d", input="\ud83d", context=(Document("\ud83d"),)))
@example(Sample(output='{"a": "\ud83d"}', expected='{"a": "\ud83d"}', tool_calls=(ToolCall("a", "\ud83d"),)))
@example(Sample(output="9" * 5_000, context=(Document("9" * 5_000),)))
@example(Sample(output="[" * 100_000))
def test_a_verdict_is_a_share_the_same_each_time(sample: Sample) -> None:
    """Nothing raises; a value is from 0 to 1; asked again, the answer is the same; what a judge reads is text."""
    for evaluator in EVALUATORS:
        verdict = evaluator(sample)
        if verdict is not None:
            assert verdict.value is not None
            assert 0 <= verdict.value <= 1
        assert verdict == evaluator(sample)


@given(SAMPLES, st.text(alphabet=string.ascii_letters + " ", max_size=40))
def test_what_is_quoted_from_the_documents_is_found(sample: Sample, text: str) -> None:
    """An answer that is a document, word for word, has no number, name or content that is not found."""
    quoting = Sample(output=text + sample.output, context=(*sample.context, Document(text + sample.output)))

    for name in ("numbers_in_context", "entities_in_context", "groundedness"):
        verdict = registry.make(name)(quoting)
        assert verdict is None or verdict.value == 1, name


@given(TEXTS)
def test_what_is_personal_lies_inside_the_text_and_apart(text: str) -> None:
    """Found parts are in order, do not overlap, and are not empty."""
    found = identifiers(text, frozenset(KINDS))

    ends = [0, *(one.end for one in found)]
    assert all(end <= one.start < one.end for end, one in zip(ends, found, strict=False))
    assert all(one.end <= len(text) and one.kind in KINDS for one in found)


@given(st.integers(0, 10**12), st.sampled_from(["{}", "{:,}", "{:.2f}", "{:,.2f}", "{} %", "about {}."]))
def test_a_number_is_found_however_it_is_written(value: int, form: str) -> None:
    """Separators and words around it make no difference; another number is not found."""
    [number] = claimed(form.format(value))

    assert unknown([number], [f"There are {value} of them."]) == []
    assert unknown([number], [f"There are {value * 3 + 7} of them."]) == [number]


@given(st.floats(0.001, 1e6, allow_nan=False), st.integers(0, 3))
def test_a_rounded_number_is_found(value: float, decimals: int) -> None:
    """A number that the document has with more digits is found in its rounded form, and two units off it is not."""
    rounded = round(value, decimals)
    unit = 10.0**-decimals
    [number] = claimed(f"{rounded:.{decimals}f} EUR")
    [wrong] = claimed(f"{rounded + 2 * unit:.{decimals}f} EUR")

    assert unknown([number], [f"It costs {value:.9f} EUR."]) == []
    assert math.isfinite(number.values[0][0])
    if decimals != 3:  # 1.234 may be a thousand and more, too
        assert unknown([wrong], [f"It costs {value:.9f} EUR."]) == [wrong]


def test_long_texts_take_linear_time() -> None:
    """Twice the text, about twice the time: no pattern goes back and forth over what a stranger wrote."""
    from time import process_time

    def seconds(evaluator: Any, text: str) -> float:
        began = process_time()
        evaluator(Sample(input=text, output=text, context=(Document(text, "x"),)))
        return process_time() - began

    hostile = ("1,234." * 400, "a.b@" * 600, "A" * 2_400, "[1, " * 600, "Ab1" * 800, "Maria de " * 270, "1 " * 1_200)
    for evaluator in EVALUATORS:
        for text in hostile:
            assert seconds(evaluator, text * 8) < 1.0, (evaluator.kind, text[:10])
