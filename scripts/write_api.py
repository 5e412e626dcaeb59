"""Writes the pages docs/api_*.md from the code: every endpoint but those of docs/api.md.

A test fails when a page and the code differ.

python -m scripts.write_api
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from fastapi import FastAPI

from spanwise_collector.api.alerting import Alerting
from spanwise_collector.api.annotating import Annotating
from spanwise_collector.api.app import create_app
from spanwise_collector.api.curated import Curated
from spanwise_collector.api.sql_evaluating import SqlEvaluating
from spanwise_collector.erasing import ForApi
from spanwise_collector.failures.issue_book import IssueBook
from spanwise_collector.settings import Settings
from spanwise_collector.sql_access.running import SqlRunner
from spanwise_collector.store.database import Reader

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGES: Final[dict[Path, tuple[str, tuple[str, ...]]]] = {
    DOCS / "api_regressions.md": (
        "failures, drift, alerts, comparisons",
        ("Failures", "Drift", "Changes", "Compare", "Alerts"),
    ),
    DOCS / "api_evals.md": ("scores, evaluators, judges, people", ("Scores", "Evals", "Annotations")),
    DOCS / "api_experiments.md": ("datasets, experiments", ("Datasets", "Experiments")),
    DOCS / "api_operation.md": ("SQL, operation", ("SQL", "Operation")),
    DOCS / "api_erasures.md": ("erasures", ("Erasures",)),
}
"""Titles, and the tags of the endpoints that are told of."""
TAGS: Final = tuple(tag for _, tags in PAGES.values() for tag in tags)
_INTRODUCTION: Final = """\
# HTTP API: {title}

<!-- Written by `make docs` from the code; change the descriptions there. -->

What holds for all endpoints (addresses, times, errors, limits) is in [api.md](api.md). Times are RFC 3339 in UTC,
money is integer nano-dollars, shares are between 0 and 1. The same as OpenAPI: `/openapi.json`, and for people `/docs`.
"""


def described() -> FastAPI:
    """The app with every endpoint; describing it asks nothing of its parts."""
    nothing = cast(Any, object())
    return create_app(
        database=cast(Reader, nothing),
        settings=Settings(clickhouse="chdb:///unused"),
        alerting=cast(Alerting, nothing),
        issues=cast(IssueBook, nothing),
        annotating=cast(Annotating, nothing),
        curated=Curated(nothing, nothing),
        sql_evaluating=cast(SqlEvaluating, nothing),
        sql=cast(SqlRunner, nothing),
        erasing=cast(ForApi, nothing),
    )


def page(path: Path) -> str:
    """The whole page.

    Args:
        path: of `PAGES`.
    """
    title, tags = PAGES[path]
    description = described().openapi()
    schemas = description["components"]["schemas"]
    found = [
        (operation["tags"][0], method.upper(), address, operation)
        for address, operations in description["paths"].items()
        for method, operation in operations.items()
        if operation.get("tags", [""])[0] in tags
    ]
    parts = [_INTRODUCTION.format(title=title)]
    used: dict[str, None] = {}
    for tag in tags:
        of_tag = [one for one in found if one[0] == tag]
        if of_tag:
            parts.append(f"## {tag}\n")
        for _, method, address, operation in of_tag:
            parts.append("\n".join(_endpoint(method, address, operation, used)))
    parts.append("## Fields\n")
    parts.append("What requests and answers are made of.\n")
    # Fields name further models, which come at the end until there are none left.
    parts += ["\n".join(_model(name, schemas[name])) for name in _closed(used, schemas)]
    return "\n".join(parts)


def _endpoint(method: str, path: str, operation: dict[str, Any], used: dict[str, None]) -> Iterator[str]:
    yield f"### {method} {path}\n"
    yield f"{operation['description'].strip()}\n"
    parameters = operation.get("parameters", [])
    if parameters:
        yield "| parameter | meaning |\n|---|---|"
        for one in parameters:
            default = one["schema"].get("default")
            shown = f" Default: `{default}`." if default not in (None, "", []) else ""
            yield f"| `{one['name']}` | {_cell(one.get('description', ''))}{shown} |"
        yield ""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    bodies = dict.fromkeys(_named(body))
    if bodies:
        used.update(bodies)
        yield f"The body is a {_type({key: part for key, part in body.items() if key in ('$ref', 'anyOf')})}."
    for status, answer in operation["responses"].items():
        named = _reference(answer.get("content", {}).get("application/json", {}).get("schema", {}))
        if status.startswith("2") and named:
            used[named] = None
            yield f"The answer ({status}) is a {_link(named)}."
        elif status == "204":
            yield "The answer (204) is empty."
    yield ""


def _model(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    text = schema.get("description", "").split("Attributes:")[0].strip()
    if text:
        yield f"{' '.join(text.split())}\n"
    if "properties" not in schema:
        return
    yield "| field | type | meaning |\n|---|---|---|"
    for field, kind in schema["properties"].items():
        yield f"| `{field}` | {_type(kind)} | {_cell(kind.get('description', ''))} |"
    yield ""


def _closed(used: dict[str, None], schemas: dict[str, Any]) -> list[str]:
    waiting, seen = list(used), dict(used)
    while waiting:
        for kind in schemas[waiting.pop(0)].get("properties", {}).values():
            for name in _named(kind):
                if name not in seen:
                    seen[name] = None
                    waiting.append(name)
    return list(seen)


def _named(kind: Any) -> Iterator[str]:
    if isinstance(kind, dict):
        if name := _reference(kind):
            yield name
        for value in kind.values():
            yield from _named(value)
    elif isinstance(kind, list):
        for value in kind:
            yield from _named(value)


def _type(kind: dict[str, Any]) -> str:
    if name := _reference(kind):
        return _link(name)
    if "anyOf" in kind:
        return " or ".join(_type(one) for one in kind["anyOf"])
    if "enum" in kind:
        return ", ".join(f"`{value}`" for value in kind["enum"])
    if "const" in kind:
        return f"`{kind['const']}`"
    if kind.get("type") == "array":
        return f"list of {_type(kind.get('items', {}))}"
    if kind.get("type") == "object":
        inner = kind.get("additionalProperties")
        return f"object of {_type(inner)}" if isinstance(inner, dict) and inner else "object"
    return {"date-time": "time", "date": "day"}.get(kind.get("format", ""), str(kind.get("type", "any")))


def _reference(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    for _path in PAGES:
        _path.write_text(page(_path), encoding="utf-8")
