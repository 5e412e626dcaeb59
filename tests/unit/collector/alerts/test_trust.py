"""Alerts on scores of judges that people do not agree with are held back, and say so."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from spanwise_collector.alerts.backtest import back_test
from spanwise_collector.alerts.rules_query import rule_info, standings
from spanwise_collector.alerts.rules_store import OwnedRule
from spanwise_collector.store.database import Database
from spanwise_schemas.api_alerts import RuleInfo
from spanwise_schemas.rules import Rule
from tests.support.score_rows import Scored, human, insert_scores
from tests.unit.collector.alerts.world import DAY0, HOUR, Row, World, insert, rule

FELL = DAY0 + 3 * HOUR
LABELLED = 64


def answers(*, wrong: int, source: str = "llm", version: str = "1", before: datetime = DAY0) -> list[Scored]:
    """An hour of scores, half of them yes, of which people labelled 64 and the judge is wrong on `wrong`."""
    scores = []
    for number in range(1, 101):
        said = float(number % 2)
        zero = before + timedelta(seconds=30 * number)
        scores.append(Scored(trace=number, value=said, zero=zero, source=source, evaluator_version=version))
        if number <= LABELLED:
            truth = 1 - said if number <= wrong else said
            scores.append(human(trace=number, value=truth, zero=before, at=HOUR.total_seconds() + number))
    return scores


def fall(source: str = "llm", version: str = "1") -> list[Scored]:
    """Two hours in which all answers are bad."""
    return [
        Scored(
            trace=1000 + number,
            value=0.0,
            zero=FELL + timedelta(seconds=30 * number),
            source=source,
            evaluator_version=version,
        )
        for number in range(240)
    ]


def threshold(**more: object) -> Rule:
    """Fires when the mean of an hour is below 0.3."""
    return rule(
        **{"type": "threshold", "signal": "score:helpful", "window": "1h", "below": 0.3, "min_samples": 50, **more}
    )


def evaluated(database: Database, one: Rule, scores: Sequence[Scored]) -> tuple[dict[tuple[str, str], str], RuleInfo]:
    """States after rounds until the fall has lasted for two hours, and what the rule's page says."""
    insert(database, [Row(DAY0, n=1)])
    insert_scores(database, scores)
    world = World(database, [one])
    world.run(DAY0 + 2 * HOUR, FELL + 2 * HOUR)
    standing = standings(database, one.project, timeout_s=30)[one.id]
    return world.states(), rule_info(OwnedRule(one, "file", one.model_dump()), standing)


def test_a_judge_below_the_limit_raises_no_alert(database: Database) -> None:
    """Kappa .31 with 64 labels: what would have fired is held back, and the rule says why."""
    states, info = evaluated(database, threshold(), [*answers(wrong=22), *fall()])

    assert states == {("r", "(rule)"): "ok"}
    assert (info.firing, info.problem) == (0, "")
    assert info.note == (
        "Judge not trusted yet (judge 1): kappa 0.31 with 64 labels is below 0.4; alerts on it are held back. "
        "It would have fired otherwise."
    )


@pytest.mark.parametrize(
    ("more", "scores"),
    [
        pytest.param({"trusted_judge_only": False}, [*answers(wrong=22), *fall()], id="the rule opts out"),
        pytest.param({}, [*answers(wrong=2), *fall()], id="the judge is trusted"),
        pytest.param({}, [*answers(wrong=22)[:60], *fall()], id="too few labels to know"),
        pytest.param({}, [*answers(wrong=22, source="code"), *fall(source="code")], id="no judge but code"),
        pytest.param(
            {},
            [*answers(wrong=22), *answers(wrong=0, version="2"), *fall(version="2")],
            id="a later version of the judge is trusted",
        ),
        pytest.param(
            {},
            [*fall(), *(one for one in answers(wrong=22, before=DAY0 + 30 * HOUR))],
            id="the labels came later",
        ),
    ],
)
def test_other_alerts_fire(database: Database, more: dict[str, object], scores: Sequence[Scored]) -> None:
    """The gate is for judges that are known to be wrong, and can be switched off."""
    states, info = evaluated(database, threshold(**more), scores)

    assert (states["r", ""], info.note) == ("firing", "")


def test_what_fires_does_not_end_when_trust_is_lost(database: Database) -> None:
    """Labels that arrive while an alert is on hold it where it is: nothing is called well that is not."""
    insert(database, [Row(DAY0, n=1)])
    insert_scores(database, fall())
    world = World(database, [threshold()])
    world.run(FELL + HOUR, FELL + HOUR + timedelta(minutes=30))
    before = world.states()["r", ""]
    insert_scores(database, answers(wrong=22, before=FELL - 2 * HOUR))
    world.run(FELL + HOUR + timedelta(minutes=35), FELL + 2 * HOUR)

    assert (before, world.states()["r", ""]) == ("firing", "firing")


def test_a_back_test_is_held_back_too(database: Database) -> None:
    """With the same words, so that nobody waits for an alert that cannot come."""
    insert(database, [Row(DAY0, n=1)])
    insert_scores(database, [*answers(wrong=22), *fall()])

    found = back_test(threshold(), database, DAY0 + 2 * HOUR, FELL + 2 * HOUR)

    assert found.firings == []
    assert "alerts on it are held back" in found.note


def test_people_and_chances_in_the_mean_that_is_watched(database: Database) -> None:
    """Labels are no part of a judge's mean, and an answer that was chosen one time in ten stands for ten."""
    good = [Scored(trace=number, value=1.0, zero=FELL, at=number) for number in range(60)]
    bad = [Scored(trace=100 + number, value=0.0, chance=0.1, zero=FELL, at=number) for number in range(60)]
    labels = [human(trace=number, value=1.0, zero=FELL, at=number) for number in range(60)]
    states, _ = evaluated(database, threshold(below=0.2), [*good, *bad, *labels])

    assert states["r", ""] == "firing"
