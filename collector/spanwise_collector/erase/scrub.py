"""Documents that quote traces as examples: what alerts and digests said. What they quote of an erased trace goes."""

import json
from typing import Any, Final

from spanwise_collector.erase.book import TIMEOUT_S, Store
from spanwise_collector.store.change import literal

DOCUMENTS: Final = ("drift_findings", "alert_events", "alert_state", "notifications")
"""Tables with a column `body`."""
_ID: Final = "[0-9a-f]{32}"


def scrub(store: Store, project: str, traces: str) -> dict[str, int]:
    """Take what quotes some traces out of the documents of a project.

    Args:
        store: the database.
        project: whose.
        traces: SELECT of trace ids.

    Returns:
        How many documents were changed, by table.
    """
    changed = {}
    for table in DOCUMENTS:
        rows = quoting(store, table, project, traces)
        for body, ids in rows:
            _write(store, table, project, body, without(body, frozenset(ids)))
        if rows:
            changed[table] = len(rows)
    return changed


def quoting(store: Store, table: str, project: str, traces: str) -> list[tuple[str, list[str]]]:
    """Documents that name some of the traces, each once, and which."""
    rows = store.query(
        f"SELECT body, groupUniqArray(id) FROM {table} ARRAY JOIN extractAll(body, '{_ID}') AS id "
        f"WHERE project_id = {literal(project)} AND id IN (SELECT lower(hex(trace_id)) FROM ({traces})) "
        "GROUP BY body ORDER BY body",
        timeout_s=TIMEOUT_S,
    ).rows
    return [(str(body), list(ids)) for body, ids in rows]


def _write(store: Store, table: str, project: str, before: str, after: str) -> None:
    name = f"{table}_local ON CLUSTER {store.cluster}" if store.cluster else table
    store.command(
        f"ALTER TABLE {name} UPDATE body = {literal(after)} WHERE project_id = {literal(project)} "
        f"AND body = {literal(before)} SETTINGS mutations_sync = 2"
    )


def without(body: str, ids: frozenset[str]) -> str:
    """A document without what it quotes of some traces.

    Args:
        body: JSON; anything else loses the lines that name one.
        ids: of the traces, hex.
    """
    try:
        found = json.loads(body)
    except ValueError:
        return _text(body, ids)
    return json.dumps(_value(found, ids), ensure_ascii=False, separators=(",", ":"))


def _value(value: Any, ids: frozenset[str]) -> Any:
    match value:
        case str():
            return _text(value, ids)
        case list():
            return [_value(one, ids) for one in value if not _is_of(one, ids)]
        case dict():
            return _object(value, ids)
    return value


def _object(value: dict[str, Any], ids: frozenset[str]) -> dict[str, Any]:
    if _is_of(value, ids):
        return {name: "" if isinstance(one, str) else _value(one, ids) for name, one in value.items()}
    named = value.get("trace_ids")
    if isinstance(named, list) and ids.intersection(map(str, named)):
        # Lists beside the ids, such as `examples`, have an entry for each of them.
        kept = [place for place, one in enumerate(named) if one not in ids]
        value = {
            name: [one[place] for place in kept] if isinstance(one, list) and len(one) == len(named) else one
            for name, one in value.items()
        }
    return {name: _value(one, ids) for name, one in value.items()}


def _is_of(value: Any, ids: frozenset[str]) -> bool:
    return value in ids if isinstance(value, str) else isinstance(value, dict) and value.get("trace_id") in ids


def _text(text: str, ids: frozenset[str]) -> str:
    if not any(one in text for one in ids):
        return text
    return "\n".join(line for line in text.split("\n") if not any(one in line for one in ids))
