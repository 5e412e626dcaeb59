"""Fine-tuning examples and preference pairs."""

import json
from typing import Any

from spanwise_collector.datasets.export import export
from spanwise_schemas.api_datasets import DatasetItem, ExportFormat


def rows(items: list[DatasetItem], kind: ExportFormat) -> tuple[list[Any], int]:
    """The lines, and how many items are not among them."""
    made = export(items, kind)
    return [json.loads(line) for line in made.data.decode().splitlines()], made.left_out


def test_chat_examples_for_fine_tuning() -> None:
    """Texts and messages become a chat that ends with what is expected; without that an item is left out."""
    calls = [{"type": "tool_call", "id": "c1", "name": "find", "arguments": {"q": "x"}}]
    items = [
        DatasetItem(item_id="1", input="hi", expected="hello", metadata={"system": "Be kind."}),
        DatasetItem(
            item_id="2",
            input=[{"role": "system", "content": "S"}, {"role": "user", "parts": [{"type": "text", "content": "u"}]}],
            expected=[{"role": "assistant", "parts": calls}],
        ),
        DatasetItem(item_id="3", input={"a": 1}, expected={"b": 2}),
        DatasetItem(item_id="4", input="nobody said"),
    ]

    assert rows(items, "openai") == (
        [
            {
                "messages": [
                    {"role": "system", "content": "Be kind."},
                    {"role": "user", "content": "hi"},
                    {"role": "assistant", "content": "hello"},
                ]
            },
            {
                "messages": [
                    {"role": "system", "content": "S"},
                    {"role": "user", "content": "u"},
                    {
                        "role": "assistant",
                        "content": "",
                        "tool_calls": [
                            {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": "x"}'}}
                        ],
                    },
                ]
            },
            {
                "messages": [
                    {"role": "user", "content": '{"a": 1}'},
                    {"role": "assistant", "content": '{"b": 2}'},
                ]
            },
        ],
        1,
    )


def test_preference_pairs() -> None:
    """A pair needs two answers that differ."""
    items = [
        DatasetItem(item_id="1", input="hi", expected="hello", rejected="go away"),
        DatasetItem(item_id="2", input="hi", expected="hello", rejected="hello"),
        DatasetItem(item_id="3", input="hi", expected="hello"),
    ]

    assert rows(items, "preferences") == (
        [
            {
                "prompt": [{"role": "user", "content": "hi"}],
                "chosen": [{"role": "assistant", "content": "hello"}],
                "rejected": [{"role": "assistant", "content": "go away"}],
            }
        ],
        2,
    )
