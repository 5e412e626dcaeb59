"""The alerts file: `[[rules]]` and `[[channels]]` in TOML, beside the code that they watch; read again on changes."""

import logging
import threading
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from spanwise_collector.alerts.channels.config import ChannelConfig
from spanwise_collector.alerts.rule_problems import read_channel, read_rule, suggestion
from spanwise_schemas.api_alerts import RuleProblem
from spanwise_schemas.rules import Rule

CHECK_S: Final = 1.0
"""The file is looked at so often at most."""
_TABLES: Final = ("rules", "channels")
log = logging.getLogger(__name__)


class AlertsFileError(ValueError):
    """The file cannot be used.

    Attributes:
        problems: each that was found.
    """

    def __init__(self, problems: Sequence[RuleProblem], where: str = "") -> None:
        lines = [sentence(problem) for problem in problems]
        super().__init__("\n".join([*([where] if where else []), *lines]))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class AlertsConfig:
    """What a file says.

    Attributes:
        rules: in order.
        channels: in order.
        entries: of each rule (project, id) what was written.
    """

    rules: tuple[Rule, ...] = ()
    channels: tuple[ChannelConfig, ...] = ()
    entries: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)


def sentence(problem: RuleProblem) -> str:
    """A problem in one line: `rule errors, window: …`."""
    place = ", ".join(part for part in (problem.rule, problem.field) if part)
    return f"{place}: {problem.detail}" if place else problem.detail


def read_alerts(text: str) -> AlertsConfig:
    """What a file's text says.

    Raises:
        AlertsFileError: with everything that is wrong.
    """
    config, problems = check_alerts(text)
    if problems:
        raise AlertsFileError(problems)
    return config


def check_alerts(text: str, known_channels: Iterable[str] = ()) -> tuple[AlertsConfig, list[RuleProblem]]:
    """What of a file's text can be used, and everything that is wrong with it.

    Args:
        text: TOML.
        known_channels: names of channels that exist elsewhere.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return AlertsConfig(), [RuleProblem(detail=f"it is not TOML: {error}")]
    problems = [
        RuleProblem(field=key, detail=f"there is no such table{suggestion(key, _TABLES)}")
        for key in document
        if key not in _TABLES
    ]
    rules, entries = [], {}
    for number, entry in _tables(document, "rules", problems):
        rule, found = read_rule(entry, f"rule {number}")
        problems += found
        if rule is not None and (rule.project, rule.id) in entries:
            problems.append(RuleProblem(rule=rule.id, field="id", detail="another rule of the project has the same id"))
        elif rule is not None:
            rules.append(rule)
            entries[rule.project, rule.id] = entry
    channels: dict[str, ChannelConfig] = {}
    unusable = set()
    for number, entry in _tables(document, "channels", problems):
        channel, found = read_channel(entry, f"channel {number}")
        problems += found
        if channel is None:
            unusable.add(str(entry.get("name", "")))
        elif channel.name in channels:
            problems.append(RuleProblem(rule=channel.name, field="name", detail="another channel has the same name"))
        else:
            channels[channel.name] = channel
    known = [*channels, *known_channels]
    for rule in rules:
        problems += channel_problems(rule, [*known, *(name for name in rule.channels if name in unusable)])
    return AlertsConfig(tuple(rules), tuple(channels.values()), entries), problems


def channel_problems(rule: Rule, known: Sequence[str]) -> list[RuleProblem]:
    """Channels that a rule names and that do not exist."""
    there = suggestion if known else lambda _name, _known: "; there are none"
    return [
        RuleProblem(rule=rule.id, field="channels", detail=f"there is no channel {name!r}{there(name, known)}")
        for name in rule.channels
        if name not in known
    ]


def load_alerts(path: Path) -> AlertsConfig:
    """What a file says.

    Raises:
        AlertsFileError: it cannot be read, or says what cannot be used; the message has its path.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AlertsFileError([RuleProblem(detail=f"it cannot be read: {error}")], f"{path}:") from error
    try:
        return read_alerts(text)
    except AlertsFileError as error:
        raise AlertsFileError(error.problems, f"{path}:") from error


class AlertsFile:
    """The rules and channels of a file as they are now. Used by several threads.

    A file that is not there says nothing. Once it was there, a later version that cannot be used, or its absence,
    changes nothing and is logged: a slip of the hand must not end alerting.

    Attributes:
        problem: what is wrong with the version that is there now; empty where that is in use.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        """Read the file.

        Args:
            path: of the file; None for none.
            clock: seconds that never go back.

        Raises:
            AlertsFileError: it is there and cannot be used.
        """
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._config = AlertsConfig()
        self._seen: tuple[int, int, int] | None = None
        self._checked = clock()
        self.problem = ""
        if path is not None:
            self._seen = _signature(path)
            if self._seen is not None:
                self._config = load_alerts(path)

    @property
    def path(self) -> Path | None:
        """Where the file is, or would be."""
        return self._path

    def current(self) -> AlertsConfig:
        """What it says."""
        path = self._path
        if path is not None and self._clock() - self._checked >= CHECK_S and self._lock.acquire(blocking=False):
            try:
                self._look(path)
                self._checked = self._clock()
            finally:
                self._lock.release()
        return self._config

    def _look(self, path: Path) -> None:
        found = _signature(path)
        if found == self._seen:
            return
        self._seen = found
        try:
            config = load_alerts(path)
        except AlertsFileError as error:
            self.problem = str(error)
            log.error("SPANWISE_ALERTS_FILE: %s\nThe rules and channels from before stay in use.", error)
        else:
            self._config, self.problem = config, ""
            log.info("%s was read again: %d rules, %d channels", path, len(config.rules), len(config.channels))


def _tables(document: Mapping[str, Any], name: str, problems: list[RuleProblem]) -> list[tuple[int, dict[str, Any]]]:
    found = document.get(name, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        problems.append(RuleProblem(field=name, detail=f"write [[{name}]] above each, in double brackets"))
        return []
    return list(enumerate(found, 1))


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
