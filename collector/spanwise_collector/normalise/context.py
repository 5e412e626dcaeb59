"""What holds for all items of one resource and scope: read once, not once per span."""

import re
from dataclasses import dataclass
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from spanwise_collector.normalise.limits import MAX_FIELD, MAX_PROJECT
from spanwise_collector.normalise.plan import Planner, variant_of
from spanwise_collector.normalise.values import clean, read_attributes, to_text
from spanwise_schemas.conventions import RESOURCE_FIELDS

DEFAULT_PROJECT: Final = "default"
_PLANNER: Final = Planner(RESOURCE_FIELDS)
_SLOT: Final = {one.name: slot for slot, one in enumerate(RESOURCE_FIELDS)}
_NOT_IN_PROJECT: Final = re.compile(r"[^\w.\-/ ]")


@dataclass(frozen=True, slots=True)
class Sender:
    """What a resource says.

    Attributes:
        project: cleaned name, never empty.
        env: deployment environment.
        service: service name.
        release: release of the service.
        sdk: name and version of the SDK.
        attributes: everything else, names with the prefix `resource.`.
        warnings: what was wrong.
    """

    project: str
    env: str
    service: str
    release: str
    sdk: str
    attributes: tuple[tuple[str, ...], tuple[str, ...]]
    warnings: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an instrumentation scope says.

    Attributes:
        name: of the scope.
        variant: which rules for certain scopes hold for its spans.
        attributes: its version, where it has one.
        warnings: what was wrong.
    """

    name: str
    variant: tuple[str, ...]
    attributes: tuple[tuple[str, ...], tuple[str, ...]]
    warnings: frozenset[str]


def read_sender(resource: Resource, project: str = "") -> Sender:
    """Read a resource.

    Args:
        resource: as decoded.
        project: what the record's header says; it goes before the resource's own word, which anyone can write.
    """
    warnings: set[str] = set()
    attributes = read_attributes(resource.attributes, warnings)
    plan = _PLANNER.plan(tuple(attributes), ())
    found = dict.fromkeys(range(len(RESOURCE_FIELDS)), "")
    for slot, key, read in plan.steps:
        found[slot] = cut(str(read(attributes[key]) or ""), warnings)
    project = project or found[_SLOT["project_id"]]
    cleaned = clean_project(project)
    if project and cleaned != project:
        warnings.add("project_cut")
    sdk = f"{found[_SLOT['sdk_name']]} {found[_SLOT['sdk_version']]}".strip()
    rest = plan.rest
    return Sender(
        project=cleaned,
        env=found[_SLOT["env"]],
        service=found[_SLOT["service"]],
        release=found[_SLOT["release"]],
        sdk=sdk,
        attributes=(
            tuple("resource." + key for key in plan.rest_names),
            tuple(to_text(attributes[key]) for key in rest),
        ),
        warnings=frozenset(warnings) | plan.warnings,
    )


def read_scope(scope: InstrumentationScope) -> Scope:
    """Read an instrumentation scope."""
    warnings: set[str] = set()
    name = cut(clean(scope.name, warnings), warnings)
    attributes = read_attributes(scope.attributes, warnings)
    keys, values = ["scope." + key for key in attributes], [to_text(value) for value in attributes.values()]
    if scope.version:
        keys.append("scope.version")
        values.append(clean(scope.version, warnings))
    return Scope(name, variant_of(name), (tuple(keys), tuple(values)), frozenset(warnings))


def clean_project(name: str) -> str:
    """A name that can stand in a URL and a menu: letters, digits, `_ . - /` and spaces, at most 64 characters."""
    return _NOT_IN_PROJECT.sub("_", name.strip())[:MAX_PROJECT].strip() or DEFAULT_PROJECT


def cut(text: str, warnings: set[str]) -> str:
    """Text that fits a column."""
    if len(text) > MAX_FIELD:
        warnings.add("field_cut")
        return text[:MAX_FIELD]
    return text
