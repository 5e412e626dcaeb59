"""Figures as Markdown tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def generic(found: Mapping[str, Any]) -> str:
    """Every figure with its path."""
    return table(("figure", "value"), [(path, value) for path, value in _flat(found)])


def numeric_tables(found: Mapping[str, Any]) -> str:
    """False alarms, delays and fixed rules of `numeric.measure`."""
    volumes: Mapping[str, Mapping[str, Any]] = found["volumes"]
    names = [f"{int(volume):,} a day" for volume in volumes]
    return "\n".join(
        (
            f"{found['false_alarms']} false alarms in {found['series_weeks']:,.0f} series-weeks: "
            f"{found['false_alarms_per_series_week']} per series-week (95 % upper bound {found['upper_95']}); "
            f"the budget is {found['budget_per_series_week']}.\n",
            table(
                ("false alarms per series-week", *names),
                [
                    (series, *(str(one["per_series_week"][series]) for one in volumes.values()))
                    for series in next(iter(volumes.values()))["per_series_week"]
                ],
            ),
            table(
                ("median delay (found in 7 days)", *names),
                [
                    (case, *(_delay(one["cases"][case]) for one in volumes.values()))
                    for case in next(iter(volumes.values()))["cases"]
                ],
            ),
            *(_rules(name, one) for name, one in zip(names, volumes.values(), strict=True)),
        )
    )


def peers_tables(found: Mapping[str, Any]) -> str:
    """Packages of `numeric_peers.measure`: their versions or errors, and by volume what they found."""
    volumes: Mapping[str, Mapping[str, Any]] = found["volumes"]
    packages = [(name, str(one.get("version", one.get("error")))) for name, one in found["packages"].items()]
    tables = [
        _rules(f"{int(volume):,} a day, streams: {one['streams']}", {**one, "fixed_rules": one["packages"]})
        for volume, one in volumes.items()
    ]
    return "\n".join((table(("package", "version"), packages), *tables))


def _rules(name: str, one: Mapping[str, Any]) -> str:
    """Fixed rules at one volume, the detector in the first row."""
    cases = sorted({case for rule in one["fixed_rules"].values() for case in rule["cases"]})
    signals = [signal for signal in ("latency", "error_rate", "score") if signal in one["per_series_week"]]
    rows = [("Spanwise", one), *one["fixed_rules"].items()]
    return table(
        (name, *(f"false alarms a week, {signal}" for signal in signals), *cases),
        [
            (
                rule,
                *(_figure(its["per_series_week"].get(signal)) for signal in signals),
                *(_delay(its["cases"].get(case)) for case in cases),
            )
            for rule, its in rows
        ],
    )


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _delay(found: Mapping[str, float | None] | None) -> str:
    if found is None:
        return ""
    median = "not found" if found["median_h"] is None else f"{found['median_h']:g} h"
    return f"{median} ({100 * (found['found_in_7_days'] or 0.0):.0f} %)"


def _flat(found: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in found.items():
        name = f"{path}, {key}" if path else str(key)
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, f"{value:g}" if isinstance(value, float) else str(value)
