"""Documents lose what they quote of an erased trace, and nothing else."""

import json

import pytest

from spanwise_collector.erase.scrub import scrub, without
from spanwise_collector.store.database import Database

GONE, KEPT = "0" * 31 + "1", "0" * 31 + "2"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"note": "all well"}, {"note": "all well"}),
        (
            {"bad": [{"trace_id": GONE, "detail": "Ann"}, {"trace_id": KEPT, "detail": "Bob"}]},
            {"bad": [{"trace_id": KEPT, "detail": "Bob"}]},
        ),
        (
            {"trace_ids": [GONE, KEPT], "examples": ["Ann", "Bob"], "words": ["a", "b", "c"]},
            {"trace_ids": [KEPT], "examples": ["Bob"], "words": ["a", "b", "c"]},
        ),
        ({"text": f"what happened\n- {GONE}: Ann\n- {KEPT}: Bob"}, {"text": f"what happened\n- {KEPT}: Bob"}),
        ({"worst": {"trace_id": GONE, "name": "Ann", "n": 2}}, {"worst": {"trace_id": "", "name": "", "n": 2}}),
        ([GONE, KEPT, 7, None], [KEPT, 7, None]),
    ],
)
def test_what_a_document_loses(before: object, after: object) -> None:
    """Entries of lists, entries beside an id, lines of texts, and an object that is of the trace."""
    assert json.loads(without(json.dumps(before), frozenset({GONE}))) == after


def test_in_the_store(database: Database) -> None:
    """Documents of the project that quote it are rewritten and counted; others keep their bytes."""
    bodies = {"default": [f'{{"at": ["{GONE}", "it\'s"]}}', '{ "spaced": 1 }'], "other": [f'{{"at": ["{GONE}"]}}']}
    for project, found in bodies.items():
        for body in found:
            database.command(
                "INSERT INTO alert_events (project_id, series, ts, body) SELECT {project:String}, {body:String}, "
                "now64(3), {body:String}",
                {"project": project, "body": body},
            )

    changed = scrub(database, "default", f"SELECT toFixedString(unhex('{GONE}'), 16) AS trace_id")

    assert changed == {"alert_events": 1}
    assert database.query("SELECT project_id, body FROM alert_events ORDER BY ALL").rows == [
        ("default", '{ "spaced": 1 }'),
        ("default", '{"at":["it\'s"]}'),
        ("other", f'{{"at": ["{GONE}"]}}'),
    ]
