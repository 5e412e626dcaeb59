"""The list in docs/evaluators.md: `python -m spanwise_evaluators.evaluators_doc docs/evaluators.md` renews it."""

import inspect
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from spanwise_evaluators import registry
from spanwise_evaluators.definition import Definition
from spanwise_evaluators.parameters import REQUIRED

BEGIN: Final = "<!-- evaluators: written by python -m spanwise_evaluators.evaluators_doc -->\n"
END: Final = "<!-- /evaluators -->\n"


def sections() -> str:
    """All evaluators as Markdown, a section each: what it says, and its parameters."""
    return "\n".join(_section(registry.definition(name)) for name in registry.names())


def renewed(page: str) -> str:
    """The page with the evaluators as they are now.

    Raises:
        ValueError: it has no place for them.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN.strip()} … {END.strip()}")
    return f"{before}{BEGIN}\n{sections()}\n{END}{after}"


def _section(one: Definition) -> str:
    about = inspect.cleandoc(import_module(f"spanwise_evaluators.built_in.{one.name}").__doc__ or "")
    parts = [f"### {one.name}", "", about, "", f"Reads {_listed(sorted(one.reads))}. Revision {one.revision}.", ""]
    if one.parameters:
        parts += ["| parameter | value | default | meaning |", "|---|---|---|---|"]
        parts += [f"| `{p.name}` | {p.kind} | {_default(p.default)} | {p.about} |" for p in one.parameters]
        parts.append("")
    return "\n".join(parts)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _default(value: Any) -> str:
    if value is REQUIRED:
        return "has to be given"
    return "not given" if value is None else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
