"""What Python itself raises in tools: values, files, formats, databases, the network, other programs."""

import ast
import csv
import datetime as dt
import decimal
import importlib
import io
import json
import re
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recording import Stub, fail
from values import Values


class Order:
    """Something an application works on."""

    def __init__(self, number: int) -> None:
        self.number = number


def track(number: int, city: str = "Paris") -> None:
    """A tool."""


def unpack(values: list[int]) -> tuple[int, int, int]:
    """Take three."""
    one, two, three = values
    return one, two, three


def values_and_names() -> None:
    """Values and names."""
    nothing: Any = None
    any_track: Callable[..., object] = track
    fail("python/key", "", lambda v: {}[v.column])
    fail("python/index", "", lambda v: [][v.n(0, 99)])
    fail("python/attribute", "", lambda v: getattr(v.rng.choice((Order(1), nothing, [], 1)), v.column))
    fail("python/none subscript", "", lambda v: nothing[v.column])
    fail("python/not iterable", "", lambda v: list(v.rng.choice((1, nothing, 1.5, True))))
    fail("python/not callable", "", lambda v: v.rng.choice((1, nothing, "a", []))())
    fail("python/operands", "", lambda v: v.rng.choice((1, 1.5, nothing)) + v.rng.choice(("a", [], {})))
    fail("python/concatenate", "", lambda v: v.name + v.rng.choice((1, nothing, [], 1.5)))
    fail("python/compare", "", lambda v: v.rng.choice((1, 1.5)) < v.rng.choice(("a", nothing, [])))
    fail("python/argument missing", "", lambda v: any_track(city=v.name))
    fail("python/argument unexpected", "", lambda v: any_track(1, **{f"the_{v.column}": 1}))
    fail("python/arguments too many", "", lambda v: any_track(*range(v.n(3, 40))))
    fail("python/int", "", lambda v: int(f"{v.name} {v.n(1, 99)}"))
    fail("python/float", "", lambda v: float(f"{v.n(1, 99)} {v.name}"))
    fail("python/division", "", lambda v: v.n(1, 99) / 0)
    fail("python/unpack few", "", lambda v: unpack([1] * v.n(0, 2)))
    fail("python/unpack many", "", lambda v: unpack([1] * v.n(4, 90)))
    fail("python/time", "", lambda v: dt.datetime.strptime(v.name, v.one_of("%Y-%m-%d", "%d/%m/%Y", "%H:%M")))  # noqa: DTZ007
    fail("python/iso time", "", lambda v: dt.datetime.fromisoformat(f"{v.name}-{v.n(1, 99)}"))
    fail("python/module", "", lambda v: importlib.import_module(f"missing_{v.name}"))
    fail("python/assertion", "", lambda v: exec(f"assert False, 'no {v.name} for order {v.n(1, 10**6)}'"))
    fail("python/name", "", lambda v: eval(f"missing_{v.name}"))
    fail("python/literal", "", lambda v: ast.literal_eval(f"{v.name}({v.n(1, 99)})"))
    fail("python/unhashable", "", lambda v: {v.rng.choice(([], {}, set())): 1})
    fail("python/decimal", "", lambda v: decimal.Decimal(v.name))


def files(folder: Path) -> None:
    """Files."""
    (folder / "file").write_text("x")
    (folder / "folder").mkdir()
    fail("python/no file", "", lambda v: Path(v.file).read_text())
    fail("python/is folder", "", lambda v: existing_folder(folder, v).read_text())
    fail("python/no folder", "", lambda v: (folder / "file" / v.name).read_text())
    fail("python/exists", "", lambda v: existing_folder(folder, v).mkdir())
    fail("python/not empty", "", lambda v: existing_folder(folder, v).parent.rmdir())
    fail("python/zip", "", lambda v: zipfile.ZipFile(io.BytesIO(v.name.encode() * v.n(1, 9))))


def existing_folder(folder: Path, v: Values) -> Path:
    """A folder that is there."""
    found = folder / v.name / str(v.n(1, 99))
    found.mkdir(parents=True, exist_ok=True)
    return found


def formats() -> None:
    """Text that is not what it should be."""

    def parse(text: str) -> object:
        return json.loads(text)

    fail("json/value", "", lambda v: parse(" " * v.n(0, 40) + v.name))
    fail("json/comma", "", lambda v: parse(f'{{"{v.name}": {v.n(1, 10**6)}  "{v.column}": 1}}'))
    fail("json/property name", "", lambda v: parse(f'{{"{v.name}": {v.n(1, 10**6)}, {v.column}: 1}}'))
    fail("json/unterminated", "", lambda v: parse(f'{{"{v.name}": "{v.column}'))
    fail("json/extra", "", lambda v: parse(f'{{"{v.name}": {v.n(1, 10**6)}}} and more'))
    fail("json/control", "", lambda v: parse(f'{{"{v.name}": "{v.column}\n"}}'))
    fail("json/escape", "", lambda v: parse(f'{{"{v.name}": "{v.column}\\x"}}'))
    fail("json/not serializable", "", lambda v: json.dumps(v.rng.choice((Order(1), {1, 2}, b"x", 1j))))
    fail("python/decode", "", lambda v: (v.name.encode() + bytes([v.n(0x80, 0xBF)])).decode())
    fail("python/encode", "", lambda v: (v.name + chr(v.n(0x400, 0x4FF))).encode("ascii"))
    fail("xml/mismatch", "", lambda v: ET.fromstring("<a>" + "\n" * v.n(0, 30) + f"</{v.name}>"))
    fail("xml/token", "", lambda v: ET.fromstring("<a>" + "\n" * v.n(0, 30) + f"<{v.n(1, 9)}>"))
    fail("re/set", "", lambda v: re.compile(v.name + "[" + v.column))
    fail("re/group", "", lambda v: re.compile(v.name + "(" + v.column))
    fail("csv/field", "", lambda v: next(csv.reader(["x" * (csv.field_size_limit() + 1)])))


def databases() -> None:
    """SQLite."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE orders (number INTEGER PRIMARY KEY, city TEXT NOT NULL, total INTEGER UNIQUE)")
    base.execute("INSERT INTO orders VALUES (1, 'Paris', 1)")
    fail("sqlite3/no table", "", lambda v: base.execute(f"SELECT 1 FROM {v.one_of('missing_', 'x')}{v.name}"))
    fail("sqlite3/no column", "", lambda v: base.execute(f"SELECT x_{v.column} FROM orders"))
    fail("sqlite3/no function", "", lambda v: base.execute(f"SELECT {v.name}x(1)"))
    fail("sqlite3/syntax", "", lambda v: base.execute(f"SELECT {v.name} {v.column} {v.n(1, 99)} FROM orders"))
    fail("sqlite3/unique", "", lambda v: base.execute(f"INSERT INTO orders VALUES ({v.n(2, 99)}, '{v.name}', 1)"))
    fail("sqlite3/null", "", lambda v: base.execute(f"INSERT INTO orders VALUES ({v.n(2, 99)}, NULL, {v.n(2, 99)})"))
    fail("sqlite3/bindings", "", lambda v: base.execute("SELECT ?", [1] * v.n(2, 60)))
    fail(
        "sqlite3/columns",
        "",
        lambda v: base.execute("INSERT INTO orders VALUES (" + ", ".join(["1"] * v.n(4, 60)) + ")"),
    )


def others(stub: Stub, folder: Path) -> None:
    """The network and other programs."""
    fail("socket/refused", "", lambda v: socket.create_connection(("127.0.0.1", v.n(2, 9)), 1))
    fail("socket/name", "", lambda v: socket.create_connection((f"{v.name}.invalid".replace("_", "-"), 80), 1))
    context = ssl.create_default_context()

    def shake(v: Values) -> object:
        raw = socket.create_connection(("127.0.0.1", stub.port), 1)
        return context.wrap_socket(raw, server_hostname=v.host)

    fail("ssl/version", "", shake)

    def run(*command: str, timeout: float = 5) -> object:
        return subprocess.run(command, check=True, capture_output=True, timeout=timeout, cwd=folder)

    fail("subprocess/status", "", lambda v: run("sh", "-c", f"echo {v.name}; exit {v.n(1, 99)}"))
    fail("python/no file", "", lambda v: run(f"missing-{v.name}", v.column))
    fail("subprocess/timeout", "", lambda v: run("sleep", str(v.n(2, 99)), timeout=v.n(1, 9) / 100))


def main() -> None:
    """Fail in all ways."""
    values_and_names()
    formats()
    databases()
    with tempfile.TemporaryDirectory(prefix="work-") as name:
        files(Path(name))
        others(Stub(), Path(name))


main()
