"""Writes docs/configuration.md from the settings in the code. A test fails when the page and the code differ.

python -m scripts.write_configuration
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from spanwise._config import SETTINGS
from spanwise_collector import settings as collector
from spanwise_dashboard import settings as dashboard

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"

INTRODUCTION = """\
# Configuration

<!-- Written by `make docs` from the settings in the code; change them there. -->

Everything is set by environment variables that begin with `SPANWISE_`. The SDK takes the same settings as arguments of
`spanwise.init(...)`, which win over the environment; the `spanwise` command takes the most used ones as options, which
win too (`spanwise up --help`). An empty variable counts as not set in the SDK and the dashboard.

Secrets can be in files instead: `SPANWISE_OPERATOR_KEY_FILE=/run/secrets/key` has the collector read
`SPANWISE_OPERATOR_KEY` from there. That holds for {secrets}; the dashboard and the commands know
`SPANWISE_API_KEY_FILE`, the dashboard `SPANWISE_DASHBOARD_PASSWORD_FILE`.

A value that can never work is said at once, with the name of the setting and what to write instead: the collector and
the dashboard do not start, `spanwise.init` raises `spanwise.ConfigurationError`. What may pass, such as a broker that
does not answer, stops nobody: it is tried again, and shown where you would look for it.

"""

SDK = """\
## SDK

For your application. Where two variables are named, the first that is set wins.

| argument of `init` | variable | default | meaning |
|---|---|---|---|
"""

COLLECTOR = """\

## Collector

For `spanwise collector`, and for the one that `spanwise up` starts. `spanwise up` decides the addresses itself
(`SPANWISE_KAFKA`, `SPANWISE_CLICKHOUSE`, `SPANWISE_HOST`, `SPANWISE_PORT`, `SPANWISE_GRPC_PORT`) and, with the packaged
broker, how partitions are assigned; its keys are in `keys.toml` in the data directory, unless `SPANWISE_KEYS_FILE`
names another file.

| variable | default | meaning |
|---|---|---|
"""

DASHBOARD = """\

## Dashboard

For `spanwise dashboard`, whose options `--host` and `--port` say where it listens (127.0.0.1:8501 without them).

| variable | default | meaning |
|---|---|---|
"""

CONTAINERS = """\

## Containers

`compose.yaml` reads its own variables (ports, memory limits, versions, retention) from `.env`;
[`.env.example`](../.env.example) lists them with their defaults.
"""


def page() -> str:
    """The whole page."""
    secrets = ", ".join(f"`{collector.PREFIX}{name.upper()}`" for name in collector.SECRETS)
    first = INTRODUCTION.replace("{secrets}", secrets)
    return "".join([first, SDK, *_sdk(), COLLECTOR, *_collector(), DASHBOARD, *_dashboard(), CONTAINERS])


def _sdk() -> Iterator[str]:
    for setting in SETTINGS:
        variables = ", ".join(f"`{name}`" for name in setting.env) or "none"
        yield _row(f"`{setting.name}`", variables, _shown(setting.default), setting.doc)


def _collector() -> Iterator[str]:
    for name, field in collector.Settings.model_fields.items():
        yield _row(f"`{collector.PREFIX}{name.upper()}`", _collector_default(name, field), field.description or "")


def _collector_default(name: str, field: FieldInfo) -> str:
    if name == "role":
        return "`all`"
    if isinstance(field.default, SecretStr):
        return _shown(field.default.get_secret_value())
    return _shown(field.default)


def _dashboard() -> Iterator[str]:
    text = inspect.getdoc(dashboard.Settings) or ""
    meanings = dict(re.findall(r"^    (\w+): (.+?)(?=\n    \w|\Z)", text, flags=re.MULTILINE | re.DOTALL))
    for field in fields(dashboard.Settings):
        meaning = " ".join(meanings[field.name].split())
        yield _row(f"`SPANWISE_{field.name.upper()}`", _shown(field.default), meaning[0].upper() + meaning[1:])


def _shown(value: object) -> str:
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
    return f"`{value}`"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
