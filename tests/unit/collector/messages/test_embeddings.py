"""What a call for embeddings embeds, and what its answer counts."""

import pytest

from spanwise_collector.normalise.messages.embeddings import read
from spanwise_collector.normalise.values import Value


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ({"model": "small", "input": "One."}, "One."),
        ({"model": "small", "input": ["One.", "Two."]}, ["One.", "Two."]),
        ([{"content": "One."}], "One."),
        ([{"content": "One."}, {"content": "Two."}], ["One.", "Two."]),
    ],
)
def test_texts_of_a_request(body: Value, texts: Value) -> None:
    """Of a request the texts remain."""
    found = read(body, "input")
    assert found is not None
    assert found.texts == texts


def test_request_names_model_and_parameters() -> None:
    """Everything beside input and model is a parameter."""
    found = read({"model": "small", "input": "One.", "dimensions": 256}, "input")
    assert found is not None
    assert (found.model, found.params) == ("small", {"dimensions": 256})


@pytest.mark.parametrize("body", [{"input": [1, 2]}, {"input": []}, [{"content": 1}], [], "text", None])
def test_what_has_no_texts_stays(body: Value) -> None:
    """Token ids and what is no request are not taken for texts."""
    assert read(body, "input") is None


def test_answer_counts_its_tokens() -> None:
    """The answer names its model and tokens; its vectors are no content."""
    body: Value = {"model": "small-2", "data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 9}}
    found = read(body, "output")
    assert found is not None
    assert (found.model, found.counts, found.texts, found.messages) == ("small-2", {"tok_input": 9}, None, None)
