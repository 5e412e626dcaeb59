"""Attribution, grouping and texts as Markdown tables, each with the peers beside."""

from collections.abc import Mapping
from typing import Any

from bench.regressions.fixed_text_rules import RULES
from bench.regressions.tables import table

_METHODS = {
    "scan": "Spanwise, ranked",
    "distinct": "Spanwise, causes that remain",
    "cross_validated": "Spanwise, ranked, weights by 5-fold cross-validation",
    "adtributor": "Adtributor",
    "largest_excess": "largest excess",
}


def attribution_tables(found: Mapping[str, Any]) -> str:
    """Hit rates of `attribution.measure` by method, and what was found of simulated slices by volume."""
    spot = found["robustspot"]
    methods = [(name, spot[key]) for key, name in _METHODS.items() if key in spot]
    volumes: Mapping[str, Mapping[str, Any]] = found["injected"]
    rows = [
        ("cases", "cases"),
        ("top-1", "top_1"),
        ("of them visible in the data", "visible"),
        ("top-1 of those", "top_1_of_visible"),
        ("median time", "ms"),
        ("95th percentile of the time", "ms_p95"),
    ]
    kinds = list(dict.fromkeys(kind for one in volumes.values() for kind in one["top_1_by"]))
    return "\n".join(
        (
            table(
                (f"RobustSpot, {spot['incidents']} incidents", "hit@1", "hit@3", "hit@5", "ms an incident"),
                [(name, *(_text(one.get(key)) for key in ("hit@1", "hit@3", "hit@5", "ms"))) for name, one in methods],
            ),
            table(
                ("injected slices", *(f"{int(name.split('_')[0]):,} a day" for name in volumes)),
                [
                    *((title, *(_text(one[key]) + _unit(key) for one in volumes.values())) for title, key in rows),
                    *(
                        (
                            f"top-1 of visible, {kind.replace('_', ' ')}",
                            *(_text(one["top_1_by"].get(kind)) for one in volumes.values()),
                        )
                        for kind in kinds
                    ),
                ],
            ),
        )
    )


def grouping_tables(found: Mapping[str, Any]) -> str:
    """GA and FGA of `grouping.measure` by set and method."""
    methods = {"Spanwise": found, **found["peers"]}
    ran = {name: one for name, one in methods.items() if "error" not in one}
    lines = [(name, *(_pair(one["loghub"]["sets"][name]) for one in ran.values())) for name in found["loghub"]["sets"]]
    return table(
        ("GA / FGA", *ran),
        [
            *lines,
            ("LogHub, mean", *(_pair(one["loghub"]["mean"]) for one in ran.values())),
            (f"our corpus, {found['corpus_templates']} templates", *(_pair(one["corpus"]) for one in ran.values())),
            ("messages/s", *(f"{one['messages_per_s']:,}" for one in ran.values())),
        ],
    ) + "".join(f"\n{name}: {one['error']}\n" for name, one in methods.items() if "error" in one)


def text_tables(found: Mapping[str, Any]) -> str:
    """Alarms of `text.measure` by size and kind of window; the fixed rules where they judged the same windows."""
    cases = [
        (f"{case}: {kind}", one)
        for case, kinds in found.items()
        if isinstance(kinds, Mapping)
        for kind, one in kinds.items()
    ]
    ours = table(
        ("share of windows with an alarm", "windows", "Spanwise", "95 % interval"),
        [
            (name, str(one["windows"]), _text(one["calibrated"]), "{} to {}".format(*one["calibrated_interval"]))
            for name, one in cases
        ],
    )
    ruled = [(name, one) for name, one in cases if set(RULES) <= set(one)]
    peers = table(
        ("fixed rules on the same windows", *RULES),
        [(name, *(_text(one[rule]) for rule in RULES)) for name, one in ruled],
    )
    return f"{found['texts_per_s']:,} texts/s on one core.\n\n{ours}\n{peers}"


def _pair(one: Mapping[str, float]) -> str:
    return f"{one['ga']:.3f} / {one['fga']:.3f}"


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _unit(key: str) -> str:
    return " ms" if key.startswith("ms") else ""
