"""How long what is kept, as a file in the user's repository says. Pure."""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spanwise_collector.store.change import literal

What = Literal["spans", "contents", "scores", "rollups"]
WHAT: Final[tuple[What, ...]] = ("spans", "contents", "scores", "rollups")
EVERY: Final = "*"
TABLES: Final[dict[What, dict[str, str]]] = {
    "spans": {"spans": "start_time", "trace_agg": "bucket", "failures": "time", "text_features": "time"},
    "contents": {"span_io": "start_time", "span_content": "time"},
    "scores": {"scores": "ts", "annotation_reviews": "ts", "corrections": "ts"},
    "rollups": {
        **dict.fromkeys(("metrics_1m", "metrics_10m", "metrics_1h", "metrics_1d"), "time"),
        **dict.fromkeys(("signals_5m", "signals_1h"), "time"),
    },
}
"""Tables by what they hold, with the column of time."""
OWN_DAYS: Final[dict[What, int | None]] = {"spans": None, "contents": 14, "scores": None, "rollups": 400}
"""What the tables themselves keep; of spans it is a setting, and scores have no end."""
Days = Annotated[int | None, Field(ge=1, le=3650)]


class RetentionFileError(ValueError):
    """The file cannot be used; the message names the project, the field and the remedy."""


class Policy(BaseModel):
    """What one project keeps; None leaves it to the entry for all projects, and that to the tables.

    Attributes:
        project: its name, or `*` for all others.
        spans: days of spans, sums of traces and failures.
        contents: days of full inputs and outputs.
        scores: days of scores, reviews and corrections.
        rollups: days of the figures of charts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: str = Field(min_length=1, max_length=200)
    spans: Days = None
    contents: Days = None
    scores: Days = None
    rollups: Days = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What is kept for so long.

    Attributes:
        what: part of what is stored.
        days: whole days before today, UTC.
        where: SQL that selects the projects.
    """

    what: What
    days: int
    where: str


def load(path: Path) -> tuple[Policy, ...]:
    """What a file says.

    Raises:
        RetentionFileError: it cannot be read or used.
    """
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RetentionFileError(f"{path} cannot be read: {error}") from error


def read(text: str) -> tuple[Policy, ...]:
    """What the text of a file says.

    Raises:
        RetentionFileError: it is no TOML, has fields that are not known, or names a project twice.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RetentionFileError(f"this is no TOML: {error}") from error
    unknown = sorted(set(found) - {"retention"})
    if unknown:
        raise RetentionFileError(f"{unknown[0]!r} is not known; write [[retention]] entries with a project and days")
    policies: dict[str, Policy] = {}
    for number, entry in enumerate(found.get("retention", []), 1):
        try:
            policy = Policy.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise RetentionFileError(f"[[retention]] number {number}, {where}: {first['msg']}") from error
        if policy.project in policies:
            raise RetentionFileError(f"the project {policy.project!r} has two entries; make them one")
        policies[policy.project] = policy
    return tuple(policies.values())


def days_of(policies: Iterable[Policy], project: str, what: What) -> int | None:
    """Days that the file says for a part of a project; None where it says nothing."""
    named = {policy.project: policy for policy in policies}
    entries = [named[one] for one in (project, EVERY) if one in named]
    # Contents without their span could not be found.
    parts: tuple[What, ...] = ("contents", "spans") if what == "contents" else (what,)
    said = [next((days for one in entries if (days := getattr(one, part))), None) for part in parts]
    return min((days for days in said if days), default=None)


def rules(policies: Iterable[Policy]) -> Iterator[Rule]:
    """What is to be removed, for named projects and for all others."""
    policies = tuple(policies)
    named = sorted({policy.project for policy in policies} - {EVERY})
    for what in WHAT:
        for project in named:
            days = days_of(policies, project, what)
            if days:
                yield Rule(what, days, f"project_id = {literal(project)}")
        days = days_of(policies, EVERY, what)
        if days:
            others = f"project_id NOT IN ({', '.join(map(literal, named))})" if named else "1"
            yield Rule(what, days, others)
