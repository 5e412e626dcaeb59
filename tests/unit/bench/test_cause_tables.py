"""Tables of the docs: a row for each method, the peers beside."""

from bench.regressions.cause_tables import attribution_tables, grouping_tables, text_tables
from bench.regressions.fixed_text_rules import RULES


def test_methods_stand_beside_each_other_in_the_tables() -> None:
    """A row for each method or set; of a peer that could not be run the reason, and no column."""
    pair = {"ga": 0.9, "fga": 0.8}
    one = {"loghub": {"mean": pair, "sets": {"BGL": pair}}, "corpus": pair, "messages_per_s": 1000}
    grouped = {
        "corpus_templates": 2,
        **one,
        "peers": {"masks": one, "drain3": {"error": "could not be run: no network"}},
    }
    hits: dict[str, float] = {"hit@1": 0.5, "hit@3": 0.75, "hit@5": 1.0}
    volume = {
        "cases": 2,
        "top_1": 0.5,
        "visible": 1,
        "top_1_of_visible": 1,
        "ms": 3.5,
        "ms_p95": 4,
        "top_1_by": {"1_way": 1},
    }
    found = {
        "robustspot": {"incidents": 4, "scan": {**hits, "ms": 2.7}},
        "injected": {"2000_a_day": volume},
    }

    assert grouping_tables(grouped).splitlines() == [
        "| GA / FGA | Spanwise | masks |",
        "| --- | --- | --- |",
        "| BGL | 0.900 / 0.800 | 0.900 / 0.800 |",
        "| LogHub, mean | 0.900 / 0.800 | 0.900 / 0.800 |",
        "| our corpus, 2 templates | 0.900 / 0.800 | 0.900 / 0.800 |",
        "| messages/s | 1,000 | 1,000 |",
        "",
        "drain3: could not be run: no network",
    ]
    assert attribution_tables(found).splitlines()[2] == "| Spanwise, ranked | 0.5 | 0.75 | 1 | 2.7 |"
    assert attribution_tables(found).splitlines()[4:] == [
        "| injected slices | 2,000 a day |",
        "| --- | --- |",
        "| cases | 2 |",
        "| top-1 | 0.5 |",
        "| of them visible in the data | 1 |",
        "| top-1 of those | 1 |",
        "| median time | 3.5 ms |",
        "| 95th percentile of the time | 4 ms |",
        "| top-1 of visible, 1 way | 1 |",
    ]


def test_texts_stand_beside_the_fixed_rules() -> None:
    """Every case has its interval; the rules have rows only where they judged."""
    one = {"windows": 48, "calibrated": 0.05, "calibrated_interval": [0.02, 0.08], "centroid alone": 0.1}
    found = {"texts_per_s": 20000, "a": {"same": one, "other": {**one, **dict.fromkeys(RULES, 0.25)}}}

    lines = text_tables(found).splitlines()
    assert lines[0] == "20,000 texts/s on one core."
    assert lines[4:6] == ["| a: same | 48 | 0.05 | 0.02 to 0.08 |", "| a: other | 48 | 0.05 | 0.02 to 0.08 |"]
    assert lines[9:] == ["| a: other | " + " | ".join(["0.25"] * len(RULES)) + " |"]
