"""The evals file: `[[evaluators]]` and `[[judges]]` in TOML, rubrics and anchors beside it; read again on changes."""

import logging
import threading
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from spanwise_collector.alerts.rule_problems import suggestion
from spanwise_collector.evals.anchor_items import Anchor, AnchorError, load_anchors
from spanwise_collector.evals.config import Entry, EvaluatorEntry, JudgeEntry
from spanwise_collector.evals.evaluators import make_evaluator
from spanwise_collector.evals.money import PriceUnknownError, prices_of
from spanwise_collector.evals.rubric import Rubric, RubricError, load_rubric
from spanwise_collector.ingest.cost import PriceBook
from spanwise_evaluators.model import Evaluator
from spanwise_evaluators.parameters import EvaluatorError

CHECK_S: Final = 1.0
"""The files are looked at so often at most."""
_TABLES: Final = ("evaluators", "judges")
log = logging.getLogger(__name__)
E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        entry: whose, such as `judge helpful`; "" for the file.
        field: of the entry; "" for none.
        detail: what is wrong and what to write.
    """

    entry: str
    field: str
    detail: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.entry, self.field) if part)
        return f"{place}: {self.detail}" if place else self.detail


class EvalsFileError(ValueError):
    """The file cannot be used.

    Attributes:
        problems: each that was found.
    """

    def __init__(self, problems: Sequence[Problem], where: str = "") -> None:
        super().__init__("\n".join([*([where] if where else []), *map(str, problems)]))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """A judge with what its files say."""

    entry: JudgeEntry
    rubric: Rubric
    anchors: tuple[Anchor, ...] = ()


@dataclass(frozen=True, slots=True)
class EvalsConfig:
    """What a file says, with everything that it names.

    Attributes:
        evaluators: each with itself.
        judges: in order.
        files: that were read, the evals file first.
    """

    evaluators: tuple[tuple[EvaluatorEntry, Evaluator], ...] = ()
    judges: tuple[JudgeConfig, ...] = ()
    files: tuple[Path, ...] = ()


def check_evals(text: str, folder: Path, prices: PriceBook, now_us: int) -> tuple[EvalsConfig, list[Problem]]:
    """What of a file's text can be used, and everything that is wrong with it.

    Args:
        text: TOML.
        folder: rubrics and anchors are found from here.
        prices: what models cost; a judge whose model has no price could not keep its limit.
        now_us: microseconds since the epoch.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return EvalsConfig(), [Problem("", "", f"it is not TOML: {error}")]
    problems = [
        Problem("", key, f"there is no such table{suggestion(key, _TABLES)}") for key in document if key not in _TABLES
    ]
    evaluators = []
    for number, one in enumerate(_tables(document, "evaluators", problems), 1):
        label = f"evaluator {one.get('evaluator') or number}"
        entry = _read(EvaluatorEntry, one, label, problems)
        if entry is not None:
            try:
                evaluators.append((entry, make_evaluator(entry.evaluator, entry.parameters)))
            except EvaluatorError as error:
                problems.append(Problem(label, "evaluator", str(error)))
    judges = []
    files: list[Path] = []
    for number, one in enumerate(_tables(document, "judges", problems), 1):
        label = f"judge {one.get('name') or number}"
        entry_of = _read(JudgeEntry, one, label, problems)
        if entry_of is not None:
            judge = _judge(entry_of, label, folder, prices, now_us, files, problems)
            judges += [judge] if judge is not None else []
    problems += _together([judge.entry for judge in judges], evaluators)
    return EvalsConfig(tuple(evaluators), tuple(judges), tuple(files)), problems


def load_evals(path: Path, prices: PriceBook, now_us: int) -> EvalsConfig:
    """What a file says.

    Raises:
        EvalsFileError: it cannot be read, or says what cannot be used; the message has its path.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EvalsFileError([Problem("", "", f"it cannot be read: {error}")], f"{path}:") from error
    config, problems = check_evals(text, path.parent, prices, now_us)
    if problems:
        raise EvalsFileError(problems, f"{path}:")
    return EvalsConfig(config.evaluators, config.judges, (path, *config.files))


class EvalsFile:
    """What a file says now. Used by several threads.

    A later version that cannot be used, or its absence, changes nothing and is logged: a slip of the hand must not end
    scoring.

    Attributes:
        problem: what is wrong with the version that is there now; empty where that is in use.

    Args:
        path: of the file.
        prices: what models cost.
        clock: seconds that never go back.
        now_us: microseconds since the epoch.

    Raises:
        EvalsFileError: it cannot be used now.
    """

    def __init__(self, path: Path, prices: PriceBook, *, clock: Callable[[], float], now_us: Callable[[], int]) -> None:
        self._path = path
        self._prices = prices
        self._clock = clock
        self._now_us = now_us
        self._lock = threading.Lock()
        self._config = load_evals(path, prices, now_us())
        self._seen = _signatures(self._config.files)
        self._checked = clock()
        self.problem = ""

    def current(self) -> EvalsConfig:
        """What it says; the same object as long as nothing changed."""
        if self._clock() - self._checked >= CHECK_S and self._lock.acquire(blocking=False):
            try:
                self._look()
                self._checked = self._clock()
            finally:
                self._lock.release()
        return self._config

    def _look(self) -> None:
        found = _signatures(self._config.files)
        if found == self._seen:
            return
        self._seen = found
        try:
            self._config = load_evals(self._path, self._prices, self._now_us())
        except EvalsFileError as error:
            self.problem = str(error)
            log.error("SPANWISE_EVALS_FILE: %s\nThe evaluators and judges from before stay in use.", error)
        else:
            self.problem = ""
            self._seen = _signatures(self._config.files)
            log.info(
                "%s was read again: %d evaluators, %d judges",
                self._path,
                len(self._config.evaluators),
                len(self._config.judges),
            )


def _judge(
    entry: JudgeEntry,
    label: str,
    folder: Path,
    prices: PriceBook,
    now_us: int,
    files: list[Path],
    problems: list[Problem],
) -> JudgeConfig | None:
    before = len(problems)
    rubric = Rubric("", ())
    anchors: tuple[Anchor, ...] = ()
    files.append(folder / entry.rubric)
    try:
        rubric = load_rubric(files[-1])
    except RubricError as error:
        problems.append(Problem(label, "rubric", str(error)))
    if entry.anchors:
        files.append(folder / entry.anchors)
        try:
            anchors = load_anchors(files[-1])
        except AnchorError as error:
            problems.append(Problem(label, "anchors", str(error)))
        if len(rubric.criteria) > 1:
            problems.append(Problem(label, "anchors", "they have one label each: use a rubric with one criterion"))
    try:
        prices_of(prices, entry.provider, entry.model, now_us)
    except PriceUnknownError as error:
        problems.append(Problem(label, "model", str(error)))
    return JudgeConfig(entry, rubric, anchors) if len(problems) == before else None


def _together(judges: Sequence[JudgeEntry], evaluators: Sequence[tuple[EvaluatorEntry, Evaluator]]) -> list[Problem]:
    """What is wrong with entries beside each other."""
    problems = []
    seen: set[tuple[str, str]] = set()
    for entry in judges:
        if (entry.project, entry.name) in seen:
            problems.append(Problem(f"judge {entry.name}", "name", "another judge of the project has the same name"))
        seen.add((entry.project, entry.name))
    for own_entry, evaluator in evaluators:
        if (own_entry.project, evaluator.name) in seen:
            detail = f"a judge of the project is called {evaluator.name}"
            problems.append(Problem(f"evaluator {own_entry.evaluator}", "evaluator", detail))
    own = {entry.traced_in: entry.name for entry in judges}
    for project, label in [
        *((entry.project, f"judge {entry.name}") for entry in judges),
        *((entry.project, f"evaluator {entry.evaluator}") for entry, _ in evaluators),
    ]:
        if project in own:
            problems.append(
                Problem(
                    label,
                    "project",
                    f"{project} is where the judge {own[project]} traces its calls; those are not scored",
                )
            )
    return problems


def _read(model: type[E], entry: Mapping[str, Any], label: str, problems: list[Problem]) -> E | None:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        for found in error.errors(include_input=False, include_url=False):
            field = ".".join(str(part) for part in found["loc"])
            detail = str(found["msg"]).removeprefix("Value error, ")
            if found["type"] == "extra_forbidden":
                detail = f"there is no such key{suggestion(found['loc'][-1], model.model_fields)}"
            elif found["type"] == "missing":
                detail = "it is missing"
            problems.append(Problem(label, field, detail))
        return None


def _tables(document: Mapping[str, Any], name: str, problems: list[Problem]) -> list[dict[str, Any]]:
    found = document.get(name, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        problems.append(Problem("", name, f"write [[{name}]] above each, in double brackets"))
        return []
    return found


def _signatures(paths: Sequence[Path]) -> tuple[tuple[int, int, int] | None, ...]:
    return tuple(_signature(path) for path in paths)


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
