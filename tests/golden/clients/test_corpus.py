"""What real client packages send is read as what the provider answered."""

import dataclasses
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import pytest

from tests.golden.clients.evaluate import absent
from tests.golden.clients.evaluate.matching import number_forms
from tests.golden.clients.evaluate.verdicts import NAMES, WRONG, Judge, Verdict, judged
from tests.golden.clients.record import clients, runs_of
from tests.golden.clients.recording import FOLDER, load, names
from tests.golden.clients.stub.truth import Counts
from tests.golden.clients.table import PAGE, everything

CASES = [(name, case) for name in names() for case in dict.fromkeys(one["case"] for one in load(name).truth)]
SAMPLE = "genai_openai-spans"


@pytest.mark.parametrize(("name", "case"), CASES, ids=lambda value: str(value))
def test_case(name: str, case: str) -> None:
    """Every field of every answer is right, or is declared absent and does not stand in the payload."""
    assert [] == [one for one in judged(name) if one.case == case and one.outcome == WRONG]


@pytest.mark.parametrize("name", names())
def test_recording(name: str) -> None:
    """Everything that the client sent was stored, and nothing is declared absent in vain."""
    cases = {case for other, case in CASES if other == name}

    assert [] == [one for one in judged(name) if one.case not in cases and one.outcome == WRONG]


WITH_LOGS = [name for name in names() if any(sent.path.endswith("/v1/logs") for sent in load(name).sent)]


@pytest.mark.parametrize("name", WITH_LOGS)
def test_order(name: str) -> None:
    """Log records may come before their spans or after them."""
    found = load(name)
    backwards = dataclasses.replace(found, sent=found.sent[::-1])

    assert sorted(judged(name), key=str) == sorted(Judge(backwards, absent.load(found)).verdicts(), key=str)


def test_every_program_is_recorded() -> None:
    """Each variant of each program has its recording, and there are no others."""
    assert sorted(run.name for client in clients() for run in runs_of(client)) == names()


def test_size() -> None:
    """All recordings together stay under 10 MB."""
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 10_000_000


def test_page() -> None:
    """docs/clients.md is what `make docs` writes."""
    assert everything() == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", names())
def test_counts_are_unlike(name: str) -> None:
    """No token count of an answer is one of another answer, nor a sum of such: a number tells where it came from."""
    forms = [number_forms(entry["answer"]["tokens"]) for entry in load(name).truth]

    assert [] == [one & other for one, other in combinations(forms, 2) if one & other]


def test_counts_never_repeat() -> None:
    """A stub deals out unlike counts for as many answers as a program may ask for."""
    counts = Counts()
    dealt = [counts.deal(written=True, lifetimes=number % 2 == 0) for number in range(150)]
    forms = [number_forms(one._asdict()) for one in dealt]

    assert sum(map(len, forms)) == len(set().union(*forms))


@lru_cache(maxsize=1)
def altered(before: bytes, after: bytes) -> list[Verdict]:
    """Verdicts on the sample when one thing in its payload is another; of the same length, as protobuf wants it."""
    found = load(SAMPLE)
    sent = [type(one)(one.method, one.path, one.headers, one.body.replace(before, after)) for one in found.sent]
    return list(Judge(dataclasses.replace(found, sent=sent), absent.load(found)).verdicts())


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        (b"Answer number 10001", b"Answer number 90001", "output_text"),
        (b"[case:plain chat] Where", b"[case:plain chat] There", "input_text"),
        (b"gpt-4o-2024-08-06", b"gpt-4o-2099-08-06", "model_response"),
        (b"chatcmpl-golden10001", b"chatcmpl-golden90001", "response_id"),
        (b"session-7f3a91", b"session-7f3a92", "session"),
        (b"gen_ai.usage.cache_read.input_tokens", b"gen_ai.usage.cache_xxxx.input_tokens", "cache_read"),
        (b"gen_ai.usage.input_tokens", b"gen_ai.usage.xxxxx_tokens", "cost"),
        (b"[case:plain chat-system]", b"[case:plain chat-xxxxxx]", "input_text"),
    ],
)
def test_the_judge_sees_a_fault(before: bytes, after: bytes, field: str) -> None:
    """A payload that says something else than the provider answered is found wrong in that field."""
    assert field in {one.field for one in altered(before, after) if one.outcome == WRONG}


def test_the_judge_checks_what_is_declared_absent(tmp_path: Path) -> None:
    """Declaring absent what is in the payload, or what is right, is wrong too."""
    found = load(SAMPLE)
    (tmp_path / found.client).mkdir()
    entry = '[[absent]]\nfield = "response_id"\nreason = "none"\n'
    (tmp_path / found.client / "absent.toml").write_text(entry, encoding="utf-8")
    hidden = [
        type(one)(one.method, one.path, one.headers, one.body.replace(b"gen_ai.response.id", b"gen_ai.response.xx"))
        for one in found.sent
    ]
    changed = dataclasses.replace(found, sent=hidden)
    declared = absent.load(found, tmp_path)

    in_vain = [one for one in Judge(found, declared).verdicts() if one.field == "response_id" and one.outcome == WRONG]
    untrue = [one for one in Judge(changed, declared).verdicts() if one.field == "response_id" and one.outcome == WRONG]
    assert ["nothing is absent there, take it out"] == [one.why.split(": ")[1] for one in in_vain]
    assert {"the payload has it"} == {one.why.split("but ")[1] for one in untrue}


@pytest.mark.parametrize(
    "entry",
    [
        'field = "nonsense"\nreason = "x"',
        'field = "cost"',
        'field = "cost"\nreason = "x"\nsent = "perhaps"',
        'field = "cost"\nreason = "x"\ncase = "*"',
    ],
)
def test_absent_file(entry: str, tmp_path: Path) -> None:
    """An entry with an unknown field or key, or without a reason, is refused."""
    found = load(SAMPLE)
    (tmp_path / found.client).mkdir()
    (tmp_path / found.client / "absent.toml").write_text(f"[[absent]]\n{entry}\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"absent\.toml, entry 1"):
        absent.load(found, tmp_path, frozenset(NAMES))
