"""Arrays as JSON, exactly: base64 of little-endian numbers with their shape."""

import base64
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


def packed(values: NDArray[Any], kind: str = "") -> dict[str, object]:
    """An array for JSON.

    Args:
        values: of any shape.
        kind: NumPy's name for how to store them, such as "<f4"; as they are where empty.
    """
    stored = np.ascontiguousarray(values, dtype=np.dtype(kind) if kind else values.dtype.newbyteorder("<"))
    return {"t": stored.dtype.str, "s": list(stored.shape), "d": base64.b64encode(stored.tobytes()).decode()}


def unpacked(record: Mapping[str, Any]) -> NDArray[Any]:
    """What `packed` was given; 4-byte numbers come as 8-byte ones.

    Raises:
        KeyError: it is no such record.
        ValueError: nor are its contents.
    """
    stored = np.frombuffer(base64.b64decode(record["d"]), dtype=np.dtype(record["t"])).reshape(record["s"])
    wide = {"f": np.float64, "i": np.int64}.get(stored.dtype.kind, stored.dtype)
    return stored.astype(wide)


def pack_fields(record: Any) -> dict[str, object]:
    """A dataclass whose fields are arrays (other fields are stored as they are)."""
    found = {}
    for field in fields(record):
        value = getattr(record, field.name)
        found[field.name] = packed(value) if isinstance(value, np.ndarray) else value
    return found


def unpack_fields(record: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for the dataclass that `pack_fields` was given."""
    return {name: unpacked(value) if isinstance(value, dict) else value for name, value in record.items()}
