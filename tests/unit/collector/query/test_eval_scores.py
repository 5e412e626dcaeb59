"""Questions about eval scores on the real engine, through the API."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from spanwise_collector.api.app import create_app
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_schemas.api_evals import (
    Judges,
    LabelShare,
    RaterAgreement,
    ScoredExample,
    ScoredExamples,
    ScoreDistribution,
    ScoreEvaluator,
    ScoreName,
    ScoreNames,
    ScoreTrend,
    TrendLine,
)
from tests.support.rows import T0, Span, insert, llm
from tests.support.score_rows import Scored, human, insert_scores

NOW = T0 + timedelta(hours=2)
PATHS = ("scores", "trend", "distribution", "worst", "judges")


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    """The app two hours after `T0`."""
    app = create_app(database=database, settings=Settings(clickhouse="chdb:///unused"), clock=lambda: NOW)
    with TestClient(app) as client:
        yield client


def ask(client: TestClient, path: str, **parameters: object) -> bytes:
    """An answer about the three hours around `T0`."""
    given = {"from": (T0 - timedelta(hours=1)).isoformat(), "to": NOW.isoformat(), **parameters}
    answer = client.get(f"/api/v1/evals/{path}", params=given)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return answer.content


def trend(client: TestClient, **parameters: object) -> ScoreTrend:
    """The trend of the score `helpful`, by the hour."""
    return ScoreTrend.model_validate_json(
        ask(client, "trend", **{"name": "helpful", "step_seconds": 3600, **parameters})
    )


def lines(found: ScoreTrend) -> dict[str, TrendLine]:
    """By value of the split."""
    return {line.key: line for line in found.lines}


def requests(database: Database) -> None:
    """Two requests of release v1 and one of v2: the first calls two models, each with a prompt of its own."""
    insert(
        database,
        [
            Span(trace=1, span=1, name="ask", release="v1", input="Where?", output="Here."),
            llm(trace=1, span=2, parent=1, release="v1", model="small", prompt=("route", "2")),
            llm(trace=1, span=3, parent=1, release="v1", model="big", prompt=("answer", "5"), output="Over there."),
            Span(trace=2, span=4, name="ask", release="v1", env="test"),
            Span(trace=3, span=5, name="chat", release="v2"),
            llm(trace=3, span=6, parent=5, release="v2", model="big"),
        ],
    )


def test_names_say_who_gives_a_score(client: TestClient, database: Database) -> None:
    """One entry for each name, with shape, range and labels; versions begin with the one that was seen last."""
    insert_scores(
        database,
        [
            Scored(trace=1, value=1.0, evaluator_version="1", at=1),
            Scored(trace=2, value=0.0, evaluator_version="2", at=2),
            Scored(trace=3, value=0.0, evaluator_version="1", at=3, version=1),
            Scored(trace=3, value=0.5, evaluator_version="1", at=3, version=2, deleted=True),
            human(trace=1, at=30),
            Scored(trace=1, name="tone", value=None, label="rude", source="user", evaluator="", at=4),
            Scored(trace=1, project="other", name="secret"),
            Scored(trace=1, name="old", at=-7200),
        ],
    )

    found = ScoreNames.model_validate_json(ask(client, "scores"))

    def seen(seconds: int) -> object:
        return T0 + timedelta(seconds=seconds)

    assert found == ScoreNames(
        items=[
            ScoreName(
                name="helpful",
                shape="yes_no",
                count=3,
                last_seen=seen(30),
                low=0.0,
                high=1.0,
                evaluators=[
                    ScoreEvaluator(source="llm", evaluator="judge", versions=["2", "1"], count=2, last_seen=seen(2)),
                    ScoreEvaluator(source="human", evaluator="ann", versions=[""], count=1, last_seen=seen(30)),
                ],
            ),
            ScoreName(
                name="tone",
                shape="label",
                count=1,
                last_seen=seen(4),
                labels=["rude"],
                evaluators=[ScoreEvaluator(source="user", evaluator="", versions=["1"], count=1, last_seen=seen(4))],
            ),
        ]
    )


def test_a_mean_weighs_each_answer_by_its_chance(client: TestClient, database: Database) -> None:
    """One bad answer of nine that were left out counts ten times; unknown chances are left out and counted."""
    good = [Scored(trace=number, value=1.0, at=number) for number in range(1, 11)]
    bad = [Scored(trace=50, value=0.0, chance=0.1, at=50), Scored(trace=51, value=0.0, chance=0.0, at=51)]
    insert_scores(database, [*good, *bad])

    found = trend(client)

    assert found.shape == "yes_no"
    assert found.times == [T0 + timedelta(hours=hours) for hours in (-1, 0, 1)]
    (line,) = found.lines
    assert (line.n, line.mean) == ([0, 11, 0], [None, 0.5, None])
    assert (line.total.mean, line.total.n, line.total.dropped) == (0.5, 11, 1)
    assert line.total.effective == pytest.approx(400 / 110, abs=0.05)
    assert line.low[1] is not None
    assert line.high[1] is not None
    assert line.low[1] < 0.2 < 0.8 < line.high[1]


def test_a_trend_is_split_by_what_the_trace_was(client: TestClient, database: Database) -> None:
    """Releases and environments are the trace's; a span has its own model and prompt, a trace all that it has."""
    requests(database)
    insert_scores(
        database,
        [
            Scored(trace=1, value=0.2),
            Scored(trace=1, span=3, value=0.4),
            Scored(trace=1, span=1, value=0.5),
            Scored(trace=2, value=0.6),
            Scored(trace=3, value=0.8, evaluator_version="2"),
            Scored(session="s", value=1.0),
        ],
    )

    def means(split: str) -> dict[str, float | None]:
        return {key: line.total.mean for key, line in lines(trend(client, split=split)).items()}

    assert means("release") == {"v1": pytest.approx(0.425), "v2": 0.8, "": 1.0}
    assert means("environment") == {"prod": pytest.approx(0.475), "test": 0.6, "": 1.0}
    assert means("model") == {"big, small": pytest.approx(0.35), "big": pytest.approx(0.6), "": 0.8}
    assert means("prompt") == {
        "answer@5, route@2": pytest.approx(0.35),
        "answer@5": 0.4,
        "": pytest.approx(0.8),
    }
    assert means("version") == {"1": pytest.approx(0.54), "2": 0.8}


def test_a_trend_is_of_one_source(client: TestClient, database: Database) -> None:
    """Of the one that gives most where none is named, so that reviewers are not mixed with the judge they check."""
    insert_scores(
        database,
        [Scored(trace=1, value=1.0), Scored(trace=2, value=1.0), human(trace=1, value=0.0)],
    )

    judge, people = trend(client), trend(client, source="human")

    assert (judge.source, judge.lines[0].total.mean) == ("llm", 1.0)
    assert (people.source, people.lines[0].total.mean) == ("human", 0.0)


def test_a_score_without_values_has_no_line(client: TestClient) -> None:
    """An unknown name is an empty trend, not an error."""
    assert trend(client).lines == []


def test_environments_filter(client: TestClient, database: Database) -> None:
    """Everything is about traces of that environment only."""
    requests(database)
    insert_scores(database, [Scored(trace=1, value=0.0), Scored(trace=2, value=1.0), human(trace=1), human(trace=2)])

    names = ScoreNames.model_validate_json(ask(client, "scores", environment="test"))
    found = trend(client, environment="test")
    worst = ScoredExamples.model_validate_json(ask(client, "worst", name="helpful", environment="test"))
    judged = Judges.model_validate_json(ask(client, "judges", environment="test"))

    assert [name.count for name in names.items] == [2]
    assert found.lines[0].total.mean == 1.0
    assert [one.trace_id for one in worst.items] == [f"{2:032x}"]
    assert [(one.raw.n, one.agreement.n) for one in judged.items] == [(1, 1)]


def test_a_distribution_is_weighted(client: TestClient, database: Database) -> None:
    """Bins hold shares of what would have been scored; their number and edges do not depend on the values."""
    insert_scores(
        database,
        [
            Scored(trace=1, value=0.02),
            Scored(trace=2, value=1.0, chance=0.5),
            Scored(trace=3, value=0.97),
        ],
    )

    found = ScoreDistribution.model_validate_json(ask(client, "distribution", name="helpful"))

    assert [round(one.low, 2) for one in found.bins] == [round(number / 20, 2) for number in range(20)]
    held = {number: (one.count, one.share) for number, one in enumerate(found.bins) if one.count}
    assert held == {0: (1, 0.25), 19: (2, 0.75)}
    assert found.total.mean == pytest.approx((0.02 + 2 + 0.97) / 4)


def test_labels_have_shares(client: TestClient, database: Database) -> None:
    """Words have no mean: the distribution is by word, the trend the share of one of them."""
    words = ("polite", "polite", "rude", "cold")
    insert_scores(
        database,
        [
            Scored(trace=number, name="tone", value=None, label=word, chance=0.5 if word == "rude" else 1.0)
            for number, word in enumerate(words, 1)
        ],
    )

    found = ScoreDistribution.model_validate_json(ask(client, "distribution", name="tone"))
    share = trend(client, name="tone", label="rude")
    usual = trend(client, name="tone")

    assert found.labels == [
        LabelShare(label="polite", count=2, share=0.4),
        LabelShare(label="rude", count=1, share=0.4),
        LabelShare(label="cold", count=1, share=0.2),
    ]
    assert (share.label, share.lines[0].total.mean) == ("rude", 0.4)
    assert (usual.label, usual.lines[0].total.mean) == ("polite", 0.4)


def test_the_worst_answers_come_with_their_texts(client: TestClient, database: Database) -> None:
    """A span's own texts, else its trace's; a trace that is not stored leaves them empty."""
    requests(database)
    insert_scores(
        database,
        [
            Scored(trace=1, value=0.4, explanation="too short"),
            Scored(trace=1, span=3, value=0.1, at=5),
            Scored(trace=9, value=0.2),
            Scored(trace=3, value=0.9),
            Scored(trace=3, span=6, value=0.0, project="other"),
        ],
    )

    found = ScoredExamples.model_validate_json(ask(client, "worst", name="helpful", limit=3))
    highest = ScoredExamples.model_validate_json(ask(client, "worst", name="helpful", order="highest", limit=1))

    assert [one.value for one in found.items] == [0.1, 0.2, 0.4]
    assert found.items[0] == ScoredExample(
        score_id=Scored(trace=1, span=3).id.hex(),
        time=T0 + timedelta(seconds=5),
        value=0.1,
        label="",
        explanation="",
        source="llm",
        evaluator="judge",
        evaluator_version="1",
        trace_id=f"{1:032x}",
        span_id=f"{3:016x}",
        session_id="",
        trace_name="ask",
        environment="prod",
        release="v1",
        input_preview="",
        output_preview="Over there.",
    )
    assert (found.items[1].trace_name, found.items[1].output_preview) == ("", "")
    assert (found.items[2].explanation, found.items[2].input_preview) == ("too short", "Where?")
    assert [one.value for one in highest.items] == [0.9]


def judged(
    count: int, *, wrong: int = 0, judge: str = "judge", version: str = "1", name: str = "helpful"
) -> list[Scored]:
    """A judge's verdicts on so many traces, every third of them no, and people's, who differ on the first `wrong`."""
    scores = []
    for number in range(1, count + 1):
        truth = float(number % 3 != 0)
        said = 1 - truth if number <= wrong else truth
        scores.append(
            Scored(trace=number, name=name, value=said, evaluator=judge, evaluator_version=version, at=number)
        )
        scores.append(human(trace=number, name=name, value=truth, at=number + 3600))
    return scores


def test_judges_are_measured_against_people(client: TestClient, database: Database) -> None:
    """Each version by itself: agreement, gate, and the mean corrected by the labels beside the raw one."""
    many = [Scored(trace=number, value=1.0, evaluator_version="2", at=5000) for number in range(1000, 1900)]
    first = judged(60, wrong=30)
    second = [
        Scored(trace=one.trace, value=float(one.trace % 3 != 0 or one.trace < 4), evaluator_version="2", at=4000)
        for one in first
        if one.source == "human"
    ]
    insert_scores(database, [*first, *second, *many])

    found = Judges.model_validate_json(ask(client, "judges"))

    assert [(one.evaluator_version, one.is_current, one.gate) for one in found.items] == [
        ("2", True, "trusted"),
        ("1", False, "held"),
    ]
    current, old = found.items
    assert (current.agreement.n, current.agreement.agreed) == pytest.approx((60, 59 / 60))
    assert old.agreement.agreed == 0.5
    assert current.raw.mean == pytest.approx((900 + 41) / 960)
    assert current.people is not None
    assert current.people.mean == pytest.approx(2 / 3)
    assert current.corrected is not None
    assert current.corrected.mean is not None
    assert current.raw.mean is not None
    assert 2 / 3 < current.corrected.mean < current.raw.mean
    assert (old.power, old.gain) == pytest.approx((0, 1), abs=0.3)
    assert (found.min_labels, found.held_below, found.weak_below) == (50, 0.4, 0.6)


def test_a_judge_that_nobody_checked_is_not_known(client: TestClient, database: Database) -> None:
    """No labels, no agreement, no corrected mean; the sentence says what is needed."""
    insert_scores(database, [Scored(trace=1), Scored(trace=2, value=0.0), human(trace=1, name="other")])

    (found,) = Judges.model_validate_json(ask(client, "judges")).items

    assert (found.gate, found.agreement, found.corrected, found.people) == (
        "unknown",
        RaterAgreement(n=0),
        None,
        None,
    )
    assert found.sentence == "Not known yet: people have labelled 0 of the 50 answers that are needed."


def test_of_several_labels_of_one_answer_the_newest_counts(client: TestClient, database: Database) -> None:
    """A second reviewer's verdict replaces the first for the judge, and both say how far people agree."""
    insert_scores(
        database,
        [
            *(Scored(trace=number, value=float(number % 2)) for number in range(1, 5)),
            *(human(trace=number, value=0.0, at=10) for number in range(1, 5)),
            *(human(trace=number, value=float(number % 2), at=20, evaluator="bob") for number in range(1, 5)),
        ],
    )

    found = Judges.model_validate_json(ask(client, "judges", name="helpful"))

    assert (found.items[0].agreement.n, found.items[0].agreement.kappa) == (4, 1.0)
    assert found.reviewers["helpful"].n == 4
    assert found.reviewers["helpful"].agreed == 0.5


def test_judges_that_give_words_have_agreement_and_no_mean(client: TestClient, database: Database) -> None:
    """Kappa over labels."""
    insert_scores(
        database,
        [
            scored
            for number in range(1, 61)
            for scored in (
                Scored(trace=number, name="tone", value=None, label="rude" if number % 2 else "fine"),
                human(trace=number, name="tone", value=None, label="rude" if number % 2 else "fine"),
            )
        ],
    )

    (found,) = Judges.model_validate_json(ask(client, "judges")).items

    assert (found.shape, found.agreement.kappa, found.gate, found.corrected) == ("label", 1.0, "trusted", None)


@pytest.mark.parametrize("path", PATHS)
def test_no_project_sees_another(client: TestClient, database: Database, path: str) -> None:
    """Scores, spans and labels of another project change nothing, whatever is asked."""
    requests(database)
    insert_scores(database, judged(5))
    parameters = {"name": "helpful", "split": "model"}
    before = ask(client, path, **parameters)
    insert(database, [llm(trace=number, span=100 + number, project="other", model="x") for number in range(1, 6)])
    insert_scores(
        database,
        [
            *(Scored(trace=number, value=0.3, project="other", at=3) for number in range(1, 40)),
            *(human(trace=number, value=0.0, project="other", at=7000) for number in range(1, 40)),
        ],
    )

    assert ask(client, path, **parameters) == before
    assert ask(client, path, project="nobody", **parameters) != before


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("trend", {}, 422),
        ("trend", {"name": "a", "step_seconds": 61}, 400),
        ("trend", {"name": "a", "split": "user"}, 422),
        ("scores", {"from": "2026-03-10T12:00:00"}, 400),
        ("worst", {"name": "a", "limit": 1000}, 422),
    ],
)
def test_wrong_parameters_are_refused(client: TestClient, path: str, parameters: dict[str, str], status: int) -> None:
    """With a reason."""
    answer = client.get(f"/api/v1/evals/{path}", params=parameters)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
