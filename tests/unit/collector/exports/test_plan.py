"""What an exports file may say, and which days are due."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.exports.plan import Export, ExportsFileError, due_days, load, part_of, read

SCORES = Export(name="nightly", what="scores", days=3)
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def test_a_file_lists_exports() -> None:
    """Each with its defaults; the same name in two projects is two exports."""
    found = read(
        """
        [[export]]
        name = "curated"
        what = "dataset"
        dataset = "faq"
        format = "openai"

        [[export]]
        name = "curated"
        project = "shop"
        what = "scores"
        """
    )

    assert found == (
        Export(name="curated", what="dataset", dataset="faq", format="openai"),
        Export(name="curated", project="shop", what="scores", format="parquet", days=7),
    )
    assert found[0].path("v3") == "project=default/curated/curated-v3.jsonl"
    assert found[1].path("2026-11-25") == "project=shop/curated/curated-2026-11-25.parquet"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("export = [", "it is not TOML"),
        ("[[exports]]", "there is no table 'exports'; write [[export]]"),
        ("export = 3", "with two brackets"),
        ('[[export]]\nname = "a"', "export 1 (a): what: Field required"),
        ('[[export]]\nname = "A b"\nwhat = "scores"', "export 1 (A b): name: String should match"),
        ('[[export]]\nname = "a"\nwhat = "dataset"', "`dataset` names the dataset"),
        ('[[export]]\nname = "a"\nwhat = "scores"\ndataset = "faq"', "and of no other"),
        ('[[export]]\nname = "a"\nwhat = "scores"\nformat = "openai"', "openai is for datasets"),
        ('[[export]]\nname = "a"\nwhat = "scores"\nevery = "day"', "every: Extra inputs are not permitted"),
        ('[[export]]\nname = "a"\nwhat = "scores"\n' * 2, "export 2 (a): another export of the project"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(text: str, words: str) -> None:
    """The export, the field, and what to write."""
    with pytest.raises(ExportsFileError) as raised:
        read(text)

    assert words in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With its path, and so is one that says something wrong."""
    with pytest.raises(ExportsFileError, match=r"missing\.toml: it cannot be read"):
        load(tmp_path / "missing.toml")
    (tmp_path / "bad.toml").write_text("x = 1")
    with pytest.raises(ExportsFileError, match=r"bad\.toml: there is no table 'x'"):
        load(tmp_path / "bad.toml")


def test_days_are_due_two_hours_after_their_end() -> None:
    """The last ones that are not written, oldest first."""

    def due(now: datetime, *done: str) -> list[str]:
        return [part_of(day) for day in due_days(SCORES, done, now)]

    assert due(NOW) == ["2026-11-23", "2026-11-24", "2026-11-25"]
    assert due(NOW, "2026-11-24") == ["2026-11-23", "2026-11-25"]
    assert due(NOW.replace(hour=1)) == ["2026-11-22", "2026-11-23", "2026-11-24"]
    assert due(NOW.astimezone(UTC).replace(hour=2)) == ["2026-11-23", "2026-11-24", "2026-11-25"]


@given(st.text(min_size=1, max_size=50), st.sampled_from(["2026-11-25", "v3"]))
def test_no_project_can_leave_the_directory(project: str, part: str) -> None:
    """Whatever it is called, and two projects never share a file."""
    path = Export(name="a", project=project, what="scores").path(part)

    assert len(Path(path).parts) == 3
    assert ".." not in Path(path).parts
    assert Export(name="a", project=project + "x", what="scores").path(part) != path


def test_a_day_is_due_once() -> None:
    """As it is written, it is done."""
    done: set[str] = set()
    for hour in range(100):
        for day in due_days(SCORES, done, NOW + timedelta(hours=hour)):
            assert part_of(day) not in done
            done.add(part_of(day))

    assert len(done) == 3 + 4
