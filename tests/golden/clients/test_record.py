"""Recording: runs, what is stored, and what is taken out of it."""

import gzip
import zlib
from pathlib import Path

import pytest

from tests.golden.clients.environments import InstallError, environment
from tests.golden.clients.record import Run, runs_of, unpacked, variables
from tests.golden.clients.recording import Recording, load, save
from tests.golden.clients.stub.receiver import Sent

TOML = """
title = "a client"
timeout_s = 7
env = { BOTH = "1" }
[variants.spans]
env = { MODE = "spans" }
[variants.events]
title = "with events"
env = { BOTH = "2" }
"""


def test_variants(tmp_path: Path) -> None:
    """Each variant is a run with its own variables over the common ones."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a/client.toml").write_text(TOML, encoding="utf-8")

    assert [
        Run("a", "spans", "a client, spans", {"BOTH": "1", "MODE": "spans"}, 7),
        Run("a", "events", "with events", {"BOTH": "2"}, 7),
    ] == runs_of("a", tmp_path)
    assert ["a-spans", "a-events"] == [run.name for run in runs_of("a", tmp_path)]


def test_without_a_client_file(tmp_path: Path) -> None:
    """A program without `client.toml` is one run, named after its folder."""
    assert [Run("b", "", "b", {}, 180)] == runs_of("b", tmp_path)


def test_variables_are_the_programs_own() -> None:
    """A program sees nothing of this shell but the path; a variant's variables go before all."""
    run = Run("a", "", "a", {"OTEL_SERVICE_NAME": "other"}, 7)
    found = variables(run, "http://127.0.0.1:1", "/nowhere")

    assert ("/nowhere", "other", "http://127.0.0.1:1/v1") == (
        found["HOME"],
        found["OTEL_SERVICE_NAME"],
        found["OPENAI_BASE_URL"],
    )
    assert "PYTEST_CURRENT_TEST" not in found


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("", lambda body: body)]
)
def test_folders_are_taken_out(encoding: str, pack: object) -> None:
    """A body is stored as it was before compression; folders in it keep their length."""
    body = b'File "/some/folder/run.py", line 1'
    packed = pack(body) if callable(pack) else body
    found = unpacked(Sent("POST", "/v1/traces", {"content-encoding": encoding}, packed), ["/some/folder"])

    assert b'File "/xxxxxxxxxxx/run.py", line 1' == found.body
    assert {"content-encoding": encoding} == found.headers


def test_round_trip(tmp_path: Path) -> None:
    """What is saved is loaded again; the same recording makes the same bytes."""
    sent = [Sent("POST", "/v1/traces", {"x-a": "b"}, b"\x00\xff"), Sent("GET", "/x", {}, b"")]
    found = Recording("c", "v", "title", 5, {"p": "1"}, [{"number": 1, "case": "plain 京"}], sent)
    first = save(found, tmp_path).read_bytes()
    second = save(found, tmp_path).read_bytes()

    assert first == second
    assert found == load("c-v", tmp_path)


def test_no_program(tmp_path: Path) -> None:
    """A folder that is no program says what it lacks."""
    with pytest.raises(InstallError, match=r"no run\.py with requirements\.txt"):
        environment(tmp_path)
