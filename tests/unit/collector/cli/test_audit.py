"""What `spanwise audit` prints."""

from typing import Any

from spanwise_collector.cli.audit import told

PARTITION: dict[str, Any] = {
    "topic": "otlp_spans",
    "partition": 0,
    "first_offset": 0,
    "last_offset": 1_999,
    "batches": 3,
    "records": 2_000,
    "spans": 150_000,
    "scores": 0,
    "duplicates": 2,
    "rejected": 1,
    "erased": 0,
    "next_offset": 2_000,
    "end_offset": 2_010,
}
AUDIT: dict[str, Any] = {
    "start": "2026-11-25T12:00:00Z",
    "end": "2026-11-26T12:00:00Z",
    "partitions": [PARTITION],
    "emitted": 150_003,
    "stored": 150_000,
    "duplicates": 2,
    "rejected": 1,
    "erased": 0,
    "producers_total": 1_200,
    "dropped": 7,
    "waiting": 10,
    "problems": [],
}


def test_all_is_well() -> None:
    """The sums, and one sentence."""
    assert list(told(AUDIT)) == [
        "stored from 2026-11-25 12:00 to 2026-11-26 12:00, UTC",
        "",
        "partition     offsets     batches  records  spans    scores  duplicates  rejected  erased  in Kafka",
        "otlp_spans/0  0 to 1,999  3        2,000    150,000  0       2           1         0       10 to read",
        "",
        "emitted 150,003 = stored 150,000 + duplicates 2 + rejected 1 + erased 0",
        "1,200 producers; they dropped 7 themselves, and said so; 10 records wait in Kafka",
        "",
        "Everything is accounted for.",
    ]


def test_what_is_missing_stands_at_the_end() -> None:
    """Where nobody overlooks it; what is not known is said to be so."""
    partition = PARTITION | {"next_offset": None, "end_offset": None}

    lines = list(
        told(AUDIT | {"partitions": [partition], "waiting": None, "problems": ["offsets 5 to 8", "a producer"]})
    )

    assert lines[-2:] == ["NOT ACCOUNTED FOR  offsets 5 to 8", "NOT ACCOUNTED FOR  a producer"]
    assert "how many records wait in Kafka is not known here" in lines[-4]
    assert lines[3].endswith(" -")


def test_without_data_it_says_so() -> None:
    """Nothing was read in that time."""
    assert list(told(AUDIT | {"partitions": []}))[-1] == "Nothing was read from Kafka in this time."
