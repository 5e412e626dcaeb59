"""All rules: of the file, of the API, and built in; in this order the first of an id holds in a project."""

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import pyarrow as pa

from spanwise_collector.alerts.alerts_file import AlertsConfig, sentence
from spanwise_collector.alerts.built_in import built_in_rules
from spanwise_collector.alerts.claims import Store
from spanwise_collector.alerts.rule_problems import read_rule
from spanwise_collector.query.values import EPOCH
from spanwise_schemas.rules import Rule

log = logging.getLogger(__name__)

TABLE: Final = "alert_rules"
RuleOrigin = Literal["file", "api", "built_in"]
ACTIVE_FOR: Final = timedelta(days=30)
"""Projects with data in this time have the built-in rules."""
PROJECTS_FOR: Final = timedelta(minutes=1)
"""So long the list of projects is used."""
_SCHEMA: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("rule_id", pa.string()),
        ("source", pa.string()),
        ("body", pa.string()),
        ("by", pa.string()),
        ("ts", pa.timestamp("ms", "UTC")),
        ("version", pa.uint64()),
        ("is_deleted", pa.uint8()),
    ]
)


@dataclass(frozen=True, slots=True)
class OwnedRule:
    """A rule and where it comes from.

    Attributes:
        rule: as it is used.
        source: where it is kept; only `api` can be changed by the API.
        written: as it was written, without defaults.
    """

    rule: Rule
    source: RuleOrigin
    written: Mapping[str, Any]


class InFileError(ValueError):
    """The rule is in the alerts file, and is changed there."""


class RulesStore:
    """The rules of all projects: fulfils `engine.RuleSource`.

    Args:
        store: the database.
        file: what the alerts file says now.
        now: the time of day, UTC.
        with_built_in: whether projects have the built-in rules.
    """

    def __init__(
        self,
        store: Store,
        file: Callable[[], AlertsConfig],
        *,
        now: Callable[[], datetime],
        with_built_in: bool = True,
    ) -> None:
        self._store = store
        self._file = file
        self._now = now
        self._with_built_in = with_built_in
        self._lock = threading.Lock()
        self._projects: tuple[str, ...] = ()
        self._projects_at: datetime | None = None

    def rules(self) -> Sequence[tuple[str, Rule]]:
        """All rules with their source, disabled ones included.

        Raises:
            StoreError: as the store says.
        """
        return [(one.source, one.rule) for one in self._merged("")]

    def of(self, project: str) -> list[OwnedRule]:
        """The rules of a project: those of the file first, in its order.

        Raises:
            StoreError: as the store says.
        """
        return self._merged(project)

    def get(self, project: str, rule_id: str) -> OwnedRule | None:
        """One rule; None where the project has none of this id.

        Raises:
            StoreError: as the store says.
        """
        return next((one for one in self._merged(project) if one.rule.id == rule_id), None)

    def put(self, rule: Rule, written: Mapping[str, Any], by: str) -> OwnedRule:
        """Store a rule, or another version of it.

        Args:
            rule: what to use.
            written: as it was written.
            by: who did it.

        Raises:
            InFileError: the file has a rule of this id.
            StoreError: as the store says.
        """
        self._refuse_file(rule.project, rule.id)
        kept = {**written, "id": rule.id, "project": rule.project}
        self._write(rule.project, rule.id, json.dumps(kept, ensure_ascii=False), by, is_deleted=False)
        return OwnedRule(rule, "api", kept)

    def delete(self, project: str, rule_id: str, by: str = "") -> bool:
        """Delete a rule of the API; whether there was one. A built-in rule whose place it took holds again.

        Raises:
            InFileError: the file has a rule of this id.
            StoreError: as the store says.
        """
        self._refuse_file(project, rule_id)
        found = self.get(project, rule_id)
        if found is None or found.source != "api":
            return False
        self._write(project, rule_id, "", by, is_deleted=True)
        return True

    def _refuse_file(self, project: str, rule_id: str) -> None:
        if any((rule.project, rule.id) == (project, rule_id) for rule in self._file().rules):
            raise InFileError(f"The rule {rule_id} is in the alerts file (SPANWISE_ALERTS_FILE); change it there.")

    def _merged(self, project: str) -> list[OwnedRule]:
        """Of one project, or of all where it is empty."""
        config = self._file()
        found: dict[tuple[str, str], OwnedRule] = {}
        for rule in config.rules:
            if project in ("", rule.project):
                found[rule.project, rule.id] = OwnedRule(rule, "file", config.entries[rule.project, rule.id])
        for one in self._of_api(project):
            found.setdefault((one.rule.project, one.rule.id), one)
        for name in self._with_data(project) if self._with_built_in else ():
            for rule in built_in_rules(name):
                written = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                found.setdefault((name, rule.id), OwnedRule(rule, "built_in", written))
        return list(found.values())

    def _of_api(self, project: str) -> list[OwnedRule]:
        of_project = "project_id = {project:String} AND " if project else ""
        rows = self._store.query(
            f"SELECT project_id, rule_id, body FROM {TABLE} FINAL WHERE {of_project}is_deleted = 0 AND source = 'api' "
            "ORDER BY project_id, rule_id",
            {"project": project} if project else {},
        ).rows
        found = []
        for project_id, rule_id, body in rows:
            written = json.loads(body)
            rule, problems = read_rule(written, rule_id)
            if rule is None:
                # It was valid when it was stored: another version of Spanwise did that.
                log.error(
                    "rule %s of project %s is left out: %s", rule_id, project_id, "; ".join(map(sentence, problems))
                )
            else:
                found.append(OwnedRule(rule, "api", written))
        return found

    def _with_data(self, project: str) -> Sequence[str]:
        """Projects that have built-in rules: those that sent something lately."""
        now = self._now()
        with self._lock:
            if self._projects_at is None or not timedelta() <= now - self._projects_at < PROJECTS_FOR:
                rows = self._store.query(
                    "SELECT DISTINCT project_id FROM signals_1h "
                    "WHERE time >= fromUnixTimestamp({since:Int64}) ORDER BY project_id",
                    {"since": int((now - ACTIVE_FOR).timestamp())},
                ).rows
                self._projects, self._projects_at = tuple(str(row[0]) for row in rows), now
            return [name for name in self._projects if project in ("", name)]

    def _write(self, project: str, rule_id: str, body: str, by: str, *, is_deleted: bool) -> None:
        now = self._now()
        (last,) = self._store.query(
            f"SELECT max(version) FROM {TABLE} WHERE project_id = {{project:String}} AND rule_id = {{rule:String}}",
            {"project": project, "rule": rule_id},
        ).rows[0]
        # Above all others also where clocks differ.
        version = max(int(last) + 1, (now - EPOCH) // timedelta(milliseconds=1))
        row = {
            "project_id": project,
            "rule_id": rule_id,
            "source": "api",
            "body": body,
            "by": by,
            "ts": now,
            "version": version,
            "is_deleted": int(is_deleted),
        }
        batch = pa.RecordBatch.from_pylist([row], schema=_SCHEMA)
        self._store.insert(TABLE, batch, token=f"rule:{project}:{rule_id}:{version}")
