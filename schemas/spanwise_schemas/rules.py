"""Alert rules as data: one form for the file in a repository, the API and the dashboard.

A rules file is TOML with `[[rules]]` tables; docs/alerts.md has an example of each type. Durations are text like `15m`,
`6h`, `30d`.
"""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from spanwise_schemas.signals import Dimension, Direction, Signal, signal_named

Severity = Literal["page", "ticket", "info"]
NoData = Literal["keep", "alert", "ok"]
MAX_SERIES: Final = 1_000
_DURATION: Final = re.compile(r"(\d{1,4})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """A duration as rules write it.

    Raises:
        ValueError: it is none, or is zero.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not int(match[1]):
        raise ValueError(f"{text!r} is no duration; write a number and s, m, h or d, such as 15m, 6h or 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _checked_duration(text: str) -> str:
    duration(text)
    return text


def _checked_signal(name: str) -> str:
    try:
        signal_named(name)
    except KeyError:
        raise ValueError(
            f"there is no signal {name!r}; docs/alerts.md lists them, and score:<name> and failure:<class> exist too"
        ) from None
    return name


Duration = Annotated[str, AfterValidator(_checked_duration)]
SignalName = Annotated[str, AfterValidator(_checked_signal)]


class Where(BaseModel):
    """Which spans a rule is about; values of one list are alternatives, an empty list is no filter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    environment: tuple[str, ...] = ()
    route: tuple[str, ...] = Field((), description="Name of the root span.")
    model: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    prompt: tuple[str, ...] = Field((), description="name@version, or the name alone for all its versions.")
    release: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()
    user_group: tuple[str, ...] = ()


class Base(BaseModel):
    """What every rule has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$", description="Lower-case letters, digits, - and _; unique.")
    name: str = Field("", max_length=200, description="For people; the id where empty.")
    project: str = Field("default", min_length=1, max_length=200)
    enabled: bool = True
    severity: Severity = "ticket"
    channels: tuple[str, ...] = Field((), description="Names of channels; empty for all that take this severity.")
    where: Where = Where()
    by: tuple[Dimension, ...] = Field((), max_length=3, description="One series for each combination of their values.")
    max_series: int = Field(
        20, ge=1, le=MAX_SERIES, description="The busiest; the others are watched as one, the rest."
    )
    no_data: NoData = Field("keep", description="What a series without data does: keep its state, alert, or be well.")
    trusted_judge_only: bool = Field(
        True, description="Of a judge's score: alerts are held back while people agree too little with the judge."
    )
    runbook: str = Field("", max_length=2000, description="Address or words, sent with the alert.")
    labels: dict[str, str] = Field(default_factory=dict, description="Sent with the alert.")

    @property
    def title(self) -> str:
        """The name, or the id where there is none."""
        return self.name or self.id


class Lasting(Base):
    """What rules have that look at each window by itself."""

    for_: int = Field(2, alias="for", ge=1, le=100, description="Evaluations in a row before it fires.")
    keep_firing: int = Field(3, ge=1, le=100, description="Evaluations in a row beyond `recover` before it ends.")
    min_samples: int = Field(100, ge=1, description="Fewer in the window say nothing.")


class Threshold(Lasting):
    """The signal over a window, against a fixed value."""

    type: Literal["threshold"]
    signal: SignalName
    window: Duration = "15m"
    above: float | None = Field(None, description="Fires above it. Ratios as 0.05, latency in ms, money in USD.")
    below: float | None = Field(None, description="Fires below it.")
    recover: float | None = Field(None, description="Ends beyond it; 80 % of the way back to 0 where it is not given.")

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("give one of `above` and `below`")
        return self


class Relative(Lasting):
    """The signal over a window, against the same hours of past weeks."""

    type: Literal["relative"]
    signal: SignalName
    window: Duration = "1h"
    change: float = Field(gt=0, description="0.3 fires when it is 30 % off what is usual at this hour.")
    direction: Direction | None = Field(None, description="The one that is worse for the signal where not given.")
    weeks: int = Field(4, ge=1, le=12)


class Budget(BaseModel):
    """How many false alarms are acceptable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alarms: float = Field(1, gt=0, le=100)
    days: float = Field(30, gt=0, le=3650)

    @property
    def sentence(self) -> str:
        """What it promises, for people."""
        alarms = "one such false alarm" if self.alarms == 1 else f"{self.alarms:g} such false alarms"
        return f"expect {alarms} in {self.days:g} days"


class Anomaly(Base):
    """The signal leaves what is usual for its hour and day; stays valid however often one looks.

    The budget is that of the whole rule: it is shared among its series.
    """

    type: Literal["anomaly"]
    signal: SignalName
    budget: Budget = Budget()
    direction: Direction | None = Field(None, description="The one that is worse for the signal where not given.")
    min_relative: float | None = Field(None, ge=0, description="Smallest change that counts; without, the signal's.")
    min_absolute: float | None = Field(None, ge=0)
    min_samples: int = Field(20, ge=1, description="Fewer in an hour are pooled with the next.")


class Absence(Base):
    """Data that should be there is not."""

    type: Literal["absence"]
    window: Duration = "30m"
    min_expected: float = Field(20, gt=0, description="Only where so many requests are usual in the window.")
    heartbeat: bool = Field(False, description="Fires after a window without any data, whatever is usual.")


class MissingData(Base):
    """What was sent and is not there: records that a producer numbered, offsets that no batch has, or two have."""

    type: Literal["missing_data"]
    settle: Duration = Field("15m", description="A record that is missing for so long is told of; two hours at most.")


class ScoreDrop(Base):
    """The mean of a score falls below what it was."""

    type: Literal["score_drop"]
    score: str = Field(min_length=1, max_length=200)
    drop: float = Field(0.02, gt=0, description="Smallest fall that counts, in the score's unit.")
    budget: Budget = Budget()
    min_samples: int = Field(100, ge=1)


class Spend(Base):
    """Cost over a rolling window, of the project or of each user or user group."""

    type: Literal["spend"]
    per: Literal["project", "user", "user_group"] = "project"
    window: Duration = "24h"
    limit_usd: float = Field(gt=0)


class MonthlyBudget(Base):
    """A month's money: how fast it burns, and whether it will last."""

    type: Literal["budget"]
    monthly_usd: float = Field(gt=0)
    probability: float = Field(0.8, gt=0.5, lt=1, description="Fires when the month ends above it so probably.")
    burn: bool = Field(True, description="Also fires when it burns many times too fast for hours.")


class Slo(Base):
    """An objective's error budget burns too fast, over a long and a short window together."""

    type: Literal["slo"]
    objective: float = Field(gt=0.5, lt=1, description="0.99: one request of a hundred may fail.")
    latency_ms: float | None = Field(None, gt=0, description="A slower request fails too.")
    min_errors: int = Field(5, ge=1, description="In the short window.")


class FailureRule(Base):
    """A kind of failure that is new, back, or suddenly more frequent."""

    type: Literal["failure"]
    new: bool = True
    spiking: bool = True
    classes: tuple[str, ...] = Field((), description="Only these classes; empty for all.")
    min_count: int = Field(5, ge=1, description="In the last hour.")
    budget: Budget = Budget()


class ReleaseWatch(Base):
    """After a new prompt version, model or release first appears: is anything worse than before?"""

    type: Literal["release_watch"]
    watch: tuple[Literal["prompt", "model", "release"], ...] = ("prompt", "model", "release")
    signals: tuple[SignalName, ...] = ("error_rate", "call_latency", "refusal_rate", "cost_per_call")
    hours: int = Field(72, ge=1, le=720)
    alpha: float = Field(0.01, gt=0, le=0.2, description="Probability of a false alarm for each new version.")
    min_samples: int = Field(100, ge=1)


Rule = Annotated[
    Threshold
    | Relative
    | Anomaly
    | Absence
    | MissingData
    | ScoreDrop
    | Spend
    | MonthlyBudget
    | Slo
    | FailureRule
    | ReleaseWatch,
    Field(discriminator="type"),
]
"""Any rule, told apart by its `type`."""
RuleType = Literal[
    "threshold",
    "relative",
    "anomaly",
    "absence",
    "missing_data",
    "score_drop",
    "spend",
    "budget",
    "slo",
    "failure",
    "release_watch",
]
RULE: Final[TypeAdapter[Rule]] = TypeAdapter(Rule)


def watched_signal(rule: Rule) -> Signal | None:
    """The one signal that a rule is about; None where it has another subject."""
    match rule:
        case Threshold() | Relative() | Anomaly():
            return signal_named(rule.signal)
        case ScoreDrop():
            return signal_named(f"score:{rule.score}")
        case Slo():
            return signal_named("error_rate")
        case Spend() | MonthlyBudget():
            return signal_named("spend")
        case Absence():
            return signal_named("requests")
        case _:
            return None
