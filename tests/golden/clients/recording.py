"""A recording in its file: what a client sent, the truth log, and which packages it was."""

import io
import json
import lzma
import tarfile
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from tests.golden.clients.stub.receiver import Sent

FOLDER: Final = Path(__file__).parent / "recorded"
PROGRAMS: Final = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording.

    Attributes:
        client: name of the program's folder.
        variant: of the program, or "".
        title: for the table.
        recorded_ms: when, milliseconds since the epoch.
        packages: name to version of everything in the client's environment.
        truth: entries of the truth log, in order of arrival; stub/truth.py says what they hold.
        sent: requests that were not for the provider, in order.
    """

    client: str
    variant: str
    title: str
    recorded_ms: int
    packages: dict[str, str]
    truth: list[dict[str, Any]]
    sent: list[Sent]

    @property
    def name(self) -> str:
        """Of the file."""
        return f"{self.client}-{self.variant}" if self.variant else self.client


def save(found: Recording, folder: Path = FOLDER) -> Path:
    """Write a recording; the same recording gives the same bytes. Returns its file."""
    about = {key: value for key, value in asdict(found).items() if key not in ("truth", "sent")}
    sent = [
        {"method": one.method, "path": one.path, "headers": one.headers, "size": len(one.body)} for one in found.sent
    ]
    parts = {
        "about.json": _json(about),
        "truth.json": _json(found.truth),
        "sent.json": _json(sent),
        "bodies": b"".join(one.body for one in found.sent),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    path = folder / f"{found.name}.tar.xz"
    path.write_bytes(lzma.compress(packed.getvalue(), preset=9))
    return path


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def names() -> list[str]:
    """All recordings, by name."""
    return sorted(path.name.removesuffix(".tar.xz") for path in FOLDER.glob("*.tar.xz"))


@lru_cache(maxsize=64)
def load(name: str, folder: Path = FOLDER) -> Recording:
    """Read a recording."""
    with tarfile.open(folder / f"{name}.tar.xz", mode="r:xz") as tar:
        about, truth, sent, bodies = (_part(tar, one) for one in ("about.json", "truth.json", "sent.json", "bodies"))
    requests = []
    at = 0
    for one in json.loads(sent):
        requests.append(Sent(one["method"], one["path"], one["headers"], bodies[at : at + one["size"]]))
        at += one["size"]
    return Recording(**json.loads(about), truth=json.loads(truth), sent=requests)


def _part(tar: tarfile.TarFile, name: str) -> bytes:
    found = tar.extractfile(name)
    assert found is not None
    return found.read()
