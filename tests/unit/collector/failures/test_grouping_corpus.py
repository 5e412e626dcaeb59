"""Grouping of real errors: what client packages and Python raise, with known templates."""

from bench.regressions.corpus.read import PATH, read
from bench.regressions.grouping import agreement, corpus, product


def test_agreement_counts_exact_groups() -> None:
    """GA counts messages and FGA groups, and only of groups that are exactly one template."""
    assert agreement(["a", "a", "b", "c", "c"], [1, 1, 2, 2, 3]) == {"ga": 0.4, "fga": round(2 / 6, 4)}
    assert agreement(["a", "b"], ["x", "y"]) == {"ga": 1.0, "fga": 1.0}


def test_the_corpus_is_large_and_varied() -> None:
    """There are templates of many packages, most of them with different messages."""
    errors = read()
    templates = {one.template for one in errors}
    assert len(templates) >= 150
    assert len(errors) >= 10 * len(templates)
    assert len({one.type for one in errors}) >= 50
    assert PATH.stat().st_size < 400_000


def test_real_errors_fall_into_their_templates() -> None:
    """Inside their keys, masks and templates put nearly every error of the corpus into the group of its own message."""
    errors = corpus()
    found = agreement(errors.templates, product(errors.keys, errors.messages))
    assert found["ga"] >= 0.97
    assert found["fga"] >= 0.95
