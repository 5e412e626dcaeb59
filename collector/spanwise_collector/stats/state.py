"""What the detector remembers of each series; a plain record per series for storing."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from spanwise_collector.stats.arrays import Bools, Floats, Ints


@dataclass(slots=True)
class State:
    """Arrays over series, or over series and tested sizes.

    Attributes:
        level: the filter's prediction of the slowly varying level, [series].
        variance: of that prediction, [series].
        log_r: ln R per size; -infinity before the first step, [series, sizes].
        gain: log-likelihood ratio of the most likely beginning (CUSUM), [series, sizes].
        bend: how far a change since then has entered the filter's level, [series, sizes].
        start: the step of that beginning, [series, sizes].
        moved: sum of mu e since then, [series, sizes].
        weight: sum of mu^2 since then, [series, sizes].
        support: events since then, [series, sizes].
        firing: an alarm is on, [series].
        fired_at: step of the last alarm; -1 for none, [series].
        change: index of the size that fired, [series].
        scale: its estimated size as a multiple of the tested one, [series].
        calm: evidence that its change has gone, [series].
    """

    level: Floats
    variance: Floats
    log_r: Floats
    gain: Floats
    bend: Floats
    start: Ints
    moved: Floats
    weight: Floats
    support: Floats
    firing: Bools
    fired_at: Ints
    change: Ints
    scale: Floats
    calm: Floats

    @classmethod
    def new(cls, series: int, sizes: int) -> Self:
        """Of series that were never looked at."""

        def wide() -> Floats:
            return np.zeros((series, sizes))

        def none() -> Ints:
            return np.full(series, -1, dtype=np.int64)

        return cls(
            level=np.zeros(series),
            variance=np.ones(series),
            log_r=np.full((series, sizes), -np.inf),
            gain=wide(),
            bend=wide(),
            start=np.zeros((series, sizes), dtype=np.int64),
            moved=wide(),
            weight=wide(),
            support=wide(),
            firing=np.zeros(series, dtype=np.bool_),
            fired_at=none(),
            change=np.zeros(series, dtype=np.int64),
            scale=np.zeros(series),
            calm=np.zeros(series),
        )

    def copy(self) -> Self:
        """With arrays of its own."""
        return type(self)(*(getattr(self, field.name).copy() for field in fields(self)))

    def forget(self, series: Bools) -> None:
        """Evidence starts anew for these; the filter and the alarm stay."""
        rows = series[:, None]
        self.log_r = np.where(rows, -np.inf, self.log_r)
        for name in ("gain", "bend", "moved", "weight", "support"):
            setattr(self, name, np.where(rows, 0.0, getattr(self, name)))

    def records(self) -> list[dict[str, object]]:
        """One JSON-able record per series; `of_records` reads them."""
        columns = {field.name: getattr(self, field.name).tolist() for field in fields(self)}
        columns["log_r"] = [[None if value == -np.inf else value for value in row] for row in columns["log_r"]]
        return [{name: column[i] for name, column in columns.items()} for i in range(self.level.size)]

    @classmethod
    def of_records(cls, records: list[dict[str, object]]) -> Self:
        """From what `records` gave.

        Raises:
            KeyError: a record is of another shape.
        """
        kinds = {"start": np.int64, "fired_at": np.int64, "change": np.int64, "firing": np.bool_}
        arrays: dict[str, Any] = {}
        for field in fields(cls):
            values: list[Any] = [record[field.name] for record in records]
            if field.name == "log_r":
                values = [[-np.inf if one is None else one for one in row] for row in values]
            arrays[field.name] = np.array(values, dtype=kinds.get(field.name, np.float64))
        return cls(**arrays)
