"""The life of an alert, as a pure function of where it stands and what a tick says.

    inactive -> pending -> firing <-> recovering -> resolved (= inactive)
                             no_data (from any of them, and back)

What is told follows from the same steps: a firing alert is told once, at once or when its silence ends; what was not
told is not called resolved; repeats come while nobody has acknowledged it. A series that stands where it stood and sees
the same verdicts takes the same steps, whoever takes them and however often one stops between them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from spanwise_collector.alerts.evaluate.base import Policy, Status
from spanwise_collector.alerts.notice import NoticeKind
from spanwise_collector.alerts.state import Acknowledgement
from spanwise_schemas.rules import Severity

LifeState = Literal["inactive", "pending", "firing", "recovering", "resolved", "no_data", "error"]
"""`error` is of a rule as a whole only."""
Muted = Literal["", "silenced", "history"]
REPEAT_S: Final[Mapping[Severity, int | None]] = {"page": 4 * 3600, "ticket": 24 * 3600, "info": None}
IN_HISTORY: Final = "found in history"
_CLOSED: Final = ("inactive", "resolved")
_LIT: Final = ("firing", "recovering")


@dataclass(frozen=True, slots=True)
class Life:
    """Where a series of a rule stands.

    Attributes:
        state: see above; what is resolved is as good as inactive.
        since: tick of the last change of state, seconds since the epoch.
        at: the last tick that was taken in.
        started: tick at which the alert became pending (or fired at once); it names the alert.
        fired_at: tick at which it fired; 0 while it has not.
        seq: events of the alert so far.
        count: breaches in a row while pending, well ticks in a row while recovering.
        missing: ticks without data in a row.
        before: the state that no data has taken the place of.
        told: whether the alert (or that there is no data) was told to people.
        told_at: tick of the last firing or repeat that was told.
        repeats: how many repeats were told.
        lost: whether people were told that its data ended: once for an alert.
        wait: after an alert that was expected: nothing begins before the series is well.
    """

    state: LifeState = "inactive"
    since: int = 0
    at: int = 0
    started: int = 0
    fired_at: int = 0
    seq: int = 0
    count: int = 0
    missing: int = 0
    before: LifeState = "inactive"
    told: bool = False
    told_at: int = 0
    repeats: int = 0
    lost: bool = False
    wait: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether no alert is under way."""
        return self.state in _CLOSED

    @property
    def is_lit(self) -> bool:
        """Whether it fires, or did when its data ended."""
        return self.state in _LIT or (self.state == "no_data" and self.before in _LIT)

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "Life":
        """What `record` gave."""
        return cls(**record)


@dataclass(frozen=True, slots=True)
class Step:
    """One change, or something to tell without one.

    Attributes:
        before: state before.
        after: state after.
        at: tick, seconds since the epoch.
        started: which alert of the series.
        seq: number of the event in the alert; of a repeat, that of the last event.
        tells: what people are told; empty for nothing.
        repeat: which repeat; 0 for what is an event.
        note: why, where the verdict does not say so.
        by: who, where it was a person.
    """

    before: LifeState
    after: LifeState
    at: int
    started: int
    seq: int
    tells: NoticeKind | Literal[""] = ""
    repeat: int = 0
    note: str = ""
    by: str = ""

    @property
    def is_event(self) -> bool:
        """Whether it is stored as an event."""
        return self.repeat == 0

    @property
    def fires(self) -> bool:
        """Whether the alert begins to fire."""
        return self.after == "firing" and self.before in ("inactive", "pending", "resolved")


def advance(
    life: Life,
    status: Status,
    at: int,
    policy: Policy,
    severity: Severity,
    *,
    muted: Muted = "",
    acknowledged: Acknowledgement | None = None,
    is_now: bool = True,
) -> tuple[Life, list[Step]]:
    """Take in the verdict of one tick.

    Args:
        life: where the series stands; a tick that it has taken in already changes nothing.
        status: the verdict.
        at: the tick, seconds since the epoch.
        policy: of the rule.
        severity: of the rule.
        muted: whether people are not to be told now.
        acknowledged: what a person said of the alert, if any.
        is_now: whether this is the newest tick: repeats are told then only.

    Returns:
        Where it stands then, and what happened, in order.
    """
    if at <= life.at:
        return life, []
    life = replace(life, at=at)
    if status is Status.NO_DATA and policy.no_data == "ok":
        status = Status.OK
    if status is Status.NO_DATA:
        life, steps = _without_data(life, at, policy, muted)
    else:
        life, steps = _with_data(replace(life, missing=0), status, at, policy, muted)
    if is_now and not steps:
        steps = _repeat(life, at, severity, muted, acknowledged)
        if steps:
            life = replace(life, repeats=life.repeats + 1, told_at=at)
    return life, steps


def ended(life: Life, at: int, note: str, by: str = "") -> tuple[Life, list[Step]]:
    """End what is under way for another reason than its data: the rule is gone or another."""
    if life.is_closed:
        return life, []
    after: LifeState = "resolved" if life.is_lit or life.state == "no_data" else "inactive"
    return _moved(life, after, at, tells="resolved" if life.told else "", note=note, by=by)


def expected(life: Life, at: int, by: str) -> tuple[Life, list[Step]]:
    """End an alert whose change a person wants; the same does not fire again before the series was well."""
    life, steps = ended(life, at, "expected: what is usual begins anew", by)
    return (replace(life, wait=True, at=max(life.at, at)), steps) if steps else (life, [])


def _with_data(life: Life, status: Status, at: int, policy: Policy, muted: Muted) -> tuple[Life, list[Step]]:
    steps: list[Step] = []
    if life.state == "no_data":
        after = life.before if life.before in ("pending", "firing", "recovering") else "resolved"
        tells: NoticeKind | Literal[""] = "resolved" if after == "resolved" and life.told else ""
        life, steps = _moved(life, after, at, tells=tells, note="data is back")
    life, more = _judged(life, status, at, policy, muted)
    return life, [*steps, *more]


def _judged(life: Life, status: Status, at: int, policy: Policy, muted: Muted) -> tuple[Life, list[Step]]:
    breach, fine = status is Status.BREACH, status is Status.OK
    if life.is_closed:
        if life.wait:
            return (replace(life, wait=False), []) if fine else (life, [])
        if not breach:
            return life, []
        life = Life(at=at, started=at, count=1)
        if policy.for_ <= 1:
            return _fire(life, at, muted)
        return _moved(life, "pending", at)
    if life.state == "pending":
        if not breach:
            return _moved(replace(life, count=0), "inactive", at)
        life = replace(life, count=life.count + 1)
        return _fire(life, at, muted) if life.count >= policy.for_ else (life, [])
    if not fine:
        if life.state == "recovering":
            return _moved(replace(life, count=0), "firing", at)
        return _tell_late(life, at, muted)
    count = life.count + 1 if life.state == "recovering" else 1
    life = replace(life, count=count)
    if count >= policy.keep_firing:
        return _moved(life, "resolved", at, tells="resolved" if life.told else "")
    return _moved(life, "recovering", at) if life.state == "firing" else (life, [])


def _fire(life: Life, at: int, muted: Muted) -> tuple[Life, list[Step]]:
    told = not muted
    life = replace(life, fired_at=at, told=told, told_at=at if told else 0, count=0)
    note = {"": "", "silenced": "silenced", "history": IN_HISTORY}[muted]
    return _moved(life, "firing", at, tells="firing" if told else "", note=note)


def _tell_late(life: Life, at: int, muted: Muted) -> tuple[Life, list[Step]]:
    """What fires and was not told, because of a silence or since it began in history, is told when that is over."""
    if life.told or muted:
        return life, []
    return _moved(replace(life, told=True, told_at=at), "firing", at, tells="firing", note="still firing")


def _without_data(life: Life, at: int, policy: Policy, muted: Muted) -> tuple[Life, list[Step]]:
    life = replace(life, missing=life.missing + 1)
    is_alert = policy.no_data == "alert"
    if life.state == "no_data":
        if not is_alert and life.missing >= policy.give_up:
            return _moved(life, "resolved", at, tells="resolved" if life.told else "", note="no data for a week")
        if is_alert and not life.told and not muted:
            return _moved(replace(life, told=True, told_at=at), "no_data", at, tells="no_data", note="still no data")
        return life, []
    if life.missing < policy.patience:
        return life, []
    if life.is_lit:
        tells: NoticeKind | Literal[""] = "no_data" if life.told and not life.lost and not muted else ""
        return _moved(replace(life, before=life.state, lost=life.lost or bool(tells)), "no_data", at, tells=tells)
    if not is_alert:
        return life, []
    if life.is_closed:
        if life.wait:
            return life, []
        life = Life(at=at, started=at, missing=life.missing)
    told = not muted
    life = replace(life, before="inactive", told=told, told_at=at if told else 0)
    return _moved(life, "no_data", at, tells="no_data" if told else "")


def _repeat(life: Life, at: int, severity: Severity, muted: Muted, acknowledged: Acknowledgement | None) -> list[Step]:
    every = REPEAT_S[severity]
    if life.state != "firing" or not life.told or muted or acknowledged is not None or every is None:
        return []
    if at - life.told_at < every:
        return []
    return [Step("firing", "firing", at, life.started, life.seq, "repeat", life.repeats + 1)]


def _moved(
    life: Life,
    after: LifeState,
    at: int,
    *,
    tells: NoticeKind | Literal[""] = "",
    note: str = "",
    by: str = "",
) -> tuple[Life, list[Step]]:
    step = Step(life.state, after, at, life.started, life.seq + 1, tells, note=note, by=by)
    since = life.since if after == life.state else at
    return replace(life, state=after, since=since, seq=life.seq + 1), [step]
