"""Files of items: what is understood, and what an error says."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.datasets.export import export
from spanwise_collector.datasets.files import FileError, Mapped, read_items
from spanwise_collector.datasets.model import id_of, item_of
from spanwise_schemas.api_datasets import ExportFormat, ImportFormat, NewItem


def parquet(columns: dict[str, list[object]]) -> bytes:
    """A file with these columns."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_a_csv_with_usual_names() -> None:
    """Columns are found by their names; empty cells are none; quoted text may go over lines."""
    data = b'\xef\xbb\xbfquestion,answer,session_id,topic\n"How are\nyou?",fine,s1,smalltalk\nWho?,,,\n'
    items = [item.shown() for item in read_items(data, "csv", Mapped(metadata=("*",)))]

    assert [(one.input, one.expected, one.group, one.metadata) for one in items] == [
        ("How are\nyou?", "fine", "s1", {"topic": "smalltalk"}),
        ("Who?", None, "", {}),
    ]
    assert items[0].item_id == id_of('"How are\\nyou?"')


def test_jsonl_with_a_mapping() -> None:
    """Values may be any JSON; a column that is named counts before others; its id is kept."""
    data = b'{"q": [{"role": "user", "content": "hi"}], "gold": {"a": 1}, "key": 7, "input": "x"}\n\n'
    (item,) = read_items(data, "jsonl", Mapped({"input": "q", "expected": "gold", "id": "key"}))

    shown = item.shown()
    assert (shown.item_id, shown.input, shown.expected) == ("7", [{"role": "user", "content": "hi"}], {"a": 1})


def test_parquet() -> None:
    """Lists and structures of Parquet become JSON."""
    data = parquet({"input": ["a", "b"], "expected": [[1, 2], None], "level": [1, 2]})
    items = [item.shown() for item in read_items(data, "parquet", Mapped(metadata=("level",)))]

    assert [(one.input, one.expected, one.metadata) for one in items] == [
        ("a", [1, 2], {"level": 1}),
        ("b", None, {"level": 2}),
    ]


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        ("csv", b"input,expected\na,b\nc\n", "line 3: 1 values where the header has 2 columns"),
        ("csv", b"input,input\na,b\n", "line 1: two columns are named 'input'"),
        ("csv", b'input\n"a\n', "line 2: unexpected end of data"),
        ("csv", b"text\na\n", "line 2: no column `input`; there is 'text'. Name it with --input COLUMN"),
        ("csv", b"input,expected\n,b\n", "line 2: no column `input`|line 2: the input is empty"),
        ("csv", b"input,id\na,1\nb,1\n", "line 3: the id '1' was in line 2 already"),
        ("csv", b"input\n", "the file has no items"),
        ("csv", b"input\nok\n\xff\n", "line 3: no UTF-8"),
        ("jsonl", b'{"input": "a"}\n{"input": \n', "line 2: no JSON"),
        ("jsonl", b'["a"]\n', "line 1: a list where an object is needed"),
        ("jsonl", b'{"input": "a", "metadata": 3}\n', "line 1: `metadata` is a number where an object is needed"),
        ("jsonl", b'{"input": ""}\n', "line 1: the input is empty"),
        ("jsonl", b'{"input": "a", "trace_id": "xyz"}\n', "line 1: trace_id: "),
        ("parquet", b"PAR1", "this is no Parquet file"),
        ("parquet", parquet({"input": ["a", None]}), "row 2: the input is empty"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(kind: ImportFormat, data: bytes, says: str) -> None:
    """Whoever made the file can find the place."""
    with pytest.raises(FileError, match=says.replace("(", "\\(")):
        read_items(data, kind)


def test_a_column_that_was_named_must_be_there() -> None:
    """A mistyped mapping is no silent loss."""
    with pytest.raises(FileError, match="line 1: no column 'questoin'; there is 'question'"):
        read_items(b'{"question": "a"}\n', "jsonl", Mapped({"input": "questoin"}))
    with pytest.raises(FileError, match="'inptu' is nothing that a column can be"):
        read_items(b'{"question": "a"}\n', "jsonl", Mapped({"inptu": "question"}))


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)
JSON = st.recursive(
    TEXTS | st.integers(-(2**53), 2**53) | st.booleans(),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(TEXTS, inner, min_size=1, max_size=3),
    max_leaves=5,
)
ITEMS = st.builds(
    NewItem,
    item_id=TEXTS,
    input=JSON,
    expected=st.none() | JSON,
    rejected=st.none() | JSON,
    metadata=st.dictionaries(TEXTS, JSON, max_size=3),
    group=TEXTS,
)


@given(given=st.lists(ITEMS, min_size=1, max_size=5, unique_by=lambda one: one.item_id))
def test_what_is_exported_as_jsonl_comes_back_the_same(given: list[NewItem]) -> None:
    """Every value of every field."""
    items = [item_of(one) for one in given]
    made = export([item.shown() for item in items], "jsonl")

    assert read_items(made.data, "jsonl") == items
    assert (made.written, made.left_out) == (len(items), 0)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_texts_come_back_from_tables(kind: ExportFormat) -> None:
    """Texts with quotes, commas and new lines, and the metadata."""
    items = [
        item_of(NewItem(item_id="1", input='a "b", c\nd', expected="e", metadata={"n": [1]}, trace_id="ab" * 16)),
        item_of(NewItem(item_id="2", input="f", group="g")),
    ]
    made = export([item.shown() for item in items], kind)

    assert kind in ("csv", "parquet")
    assert read_items(made.data, kind) == items
