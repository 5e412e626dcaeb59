"""Expressions to begin with; tests evaluate each, and docs/sql_evaluators.md shows them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ExampleEvaluator:
    """An evaluator.

    Attributes:
        name: of its scores.
        expression: gives the score.
        filter: which spans it is for.
        about: a sentence.
    """

    name: str
    expression: str
    filter: str
    about: str


EXAMPLES: Final = (
    ExampleEvaluator(
        "answer_words", "length(splitByWhitespace(output))", "kind = 'llm'", "How many words the answer has."
    ),
    ExampleEvaluator(
        "longer_than_question",
        "lengthUTF8(output) > lengthUTF8(input)",
        "kind = 'llm' AND input != ''",
        "Whether the answer is longer than the question.",
    ),
    ExampleEvaluator(
        "mentions_product",
        "multiSearchAnyCaseInsensitive(output, ['Spanwise Cloud', 'Spanwise Edge'])",
        "is_root",
        "Whether a product is mentioned.",
    ),
    ExampleEvaluator(
        "confidence_in_range",
        "JSONExtractFloat(output, 'confidence') BETWEEN 0 AND 1",
        "kind = 'llm' AND isValidJSON(output)",
        "Whether a field of a JSON answer lies in its range; no score where the field is missing.",
    ),
    ExampleEvaluator(
        "new_words",
        "arrayCount(word -> positionCaseInsensitive(input_messages, word) = 0, splitByNonAlpha(output)) "
        "/ length(splitByNonAlpha(output))",
        "kind = 'llm'",
        "Share of the answer's words that are nowhere in what was asked and given.",
    ),
    ExampleEvaluator(
        "usd_per_1k_output",
        "1000 * cost_usd / output_tokens",
        "kind = 'llm'",
        "What a thousand tokens of answer cost; no score where the cost is not known.",
    ),
    ExampleEvaluator(
        "answer_size",
        "CASE WHEN output = '' THEN 'empty' WHEN lengthUTF8(output) < 200 THEN 'short' ELSE 'long' END",
        "kind = 'llm'",
        "A word for the size of the answer.",
    ),
)
