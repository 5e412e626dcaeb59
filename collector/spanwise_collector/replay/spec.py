"""What a replay is asked for."""

import json
from dataclasses import asdict, dataclass
from typing import Self

MAX_TEXT = 1_000_000
"""Characters of a price file, patterns or names."""


@dataclass(frozen=True, slots=True)
class ReplaySpec:
    """What to rebuild, and how.

    Attributes:
        start_us: batches with a record from here on, by the records' times; microseconds since the epoch.
        end_us: and before.
        prices: text of a price file (TOML) to use instead of the collector's; None for the collector's.
        mask_patterns: as SPANWISE_MASK_PATTERNS, instead of the collector's; None for the collector's.
        mask_keys: as SPANWISE_MASK_KEYS, likewise.
    """

    start_us: int
    end_us: int
    prices: str | None = None
    mask_patterns: str | None = None
    mask_keys: str | None = None

    def to_json(self) -> str:
        """As text; `from_json` reads it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote."""
        return cls(**json.loads(text))


class ReplayError(RuntimeError):
    """A replay cannot go on as asked; the message says why and what to do. Nothing in use was changed."""
