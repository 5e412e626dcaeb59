"""Rules as TOML text, for the file in a repository. Pure."""

import json
from collections.abc import Mapping
from typing import Any


def rule_toml(rule: Mapping[str, Any]) -> str:
    """A rule as a `[[rules]]` table; what is None is left out, `tomllib` reads the rest back as it was.

    Args:
        rule: texts, numbers, switches, lists of these, and tables of these.
    """
    plain = {key: value for key, value in rule.items() if value is not None and not isinstance(value, Mapping)}
    tables = {key: value for key, value in rule.items() if isinstance(value, Mapping) and value}
    lines = ["[[rules]]", *(_line(key, value) for key, value in plain.items())]
    for name, table in tables.items():
        lines += ["", f"[rules.{_key(name)}]"]
        lines += [_line(key, value) for key, value in table.items() if value is not None]
    return "\n".join(lines) + "\n"


def _line(key: str, value: object) -> str:
    return f"{_key(key)} = {_value(value)}"


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else _text(key)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(_value(item) for item in value)}]"
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
