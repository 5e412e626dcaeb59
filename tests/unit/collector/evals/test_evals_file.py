"""The evals file: what it may say, how it says what is wrong, and that it is read again."""

import os
from pathlib import Path

import pytest

from spanwise_collector.evals.anchor_items import Anchor, AnchorError, parse_anchors
from spanwise_collector.evals.evals_file import EvalsFile, EvalsFileError, check_evals, load_evals
from spanwise_collector.evals.evaluators import make_evaluator
from spanwise_collector.evals.rubric import Criterion, Rubric, RubricError, parse_rubric
from spanwise_collector.ingest.cost import PriceBook
from spanwise_evaluators.model import Document, Sample, Verdict
from tests.support.judging import MODEL, NOON, prices

NOW_US = int(NOON.timestamp()) * 1_000_000
JUDGE = f"""
[[judges]]
name = "helpful"
project = "shop"
endpoint = "http://127.0.0.1:9/v1"
provider = "own"
model = "{MODEL}"
rubric = "rubric.md"
usd_per_day = 1.5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a rubric."""
    (tmp_path / "rubric.md").write_text("Is it good?")
    return tmp_path


def problems(text: str, folder: Path) -> list[str]:
    """What is wrong with a file's text."""
    return [str(one) for one in check_evals(text, folder, prices(), NOW_US)[1]]


def test_a_file_says_who_scores_what(folder: Path) -> None:
    """Judges come with their rubric and anchors, and with defaults that cost little."""
    (folder / "anchors.jsonl").write_text('{"output": "yes", "label": true}\n')
    (folder / "evals.toml").write_text(f'{JUDGE}where = {{ kind = "llm" }}\nanchors = "anchors.jsonl"\n')

    [judge] = load_evals(folder / "evals.toml", prices(), NOW_US).judges

    assert judge.rubric == Rubric("", (Criterion("", "Is it good?"),))
    assert [anchor.label for anchor in judge.anchors] == [1.0]
    assert (judge.entry.where.kind, judge.entry.limit_n, judge.entry.traced_in) == (
        ("llm",),
        1_500_000_000,
        "shop-judge",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("judges = 3", "judges: write [[judges]] above each, in double brackets"),
        ("[[judge]]\nname = 'x'", "judge: there is no such table; did you mean `judges`?"),
        ("[[judges", "it is not TOML"),
        (f"{JUDGE}samples = 1", "judge helpful, samples: there is no such key; did you mean `sample`?"),
        (JUDGE.replace("usd_per_day = 1.5", ""), "judge helpful, usd_per_day: it is missing"),
        (JUDGE.replace("rubric.md", "other.md"), "judge helpful, rubric: "),
        (JUDGE.replace(MODEL, "unheard-of"), "SPANWISE_PRICES_FILE"),
        (JUDGE.replace("http://", "ftp://"), "endpoint: write an address that begins with https:// or http://"),
        (f"{JUDGE}judge_project = 'shop'", "a judge would judge its own calls"),
        (f"{JUDGE}mode = 'pairwise'", "`against` names the attribute with the other answer"),
        (f"{JUDGE}sample = 0", "judge helpful, sample: "),
        (f"{JUDGE}where = {{ kind = 'lllm' }}", "there is no kind 'lllm'"),
        (f"{JUDGE}[[judges.strata]]\nname = 'x'\nboost = 2", "say which targets"),
        (f"{JUDGE}[[judges.strata]]\nname = 'rest'\nboost = 2\nfailure_class = '*'", "choose another name"),
        (JUDGE + JUDGE, "judge helpful, name: another judge of the project has the same name"),
        (
            JUDGE + JUDGE.replace("helpful", "meta").replace('"shop"', '"shop-judge"'),
            "judge meta, project: shop-judge is where the judge helpful traces its calls",
        ),
        (f"{JUDGE}anchors = 'none.jsonl'", "judge helpful, anchors: "),
        (
            JUDGE.replace("helpful", "fspath") + "[[evaluators]]\nevaluator = 'os:fspath'\nproject = 'shop'",
            "evaluator os:fspath, evaluator: a judge of the project is called fspath",
        ),
        ("[[evaluators]]\nevaluator = 'nowhere:nothing'", "cannot be imported"),
        ("[[evaluators]]\nevaluator = 'os:sep'", "os:sep is no function"),
        ("[[evaluators]]\nevaluator = 'os:rename'", "must take one argument, the Sample"),
        ("[[evaluators]]\nevaluator = 'valid_jsn'", "did you mean 'valid_json'?"),
        ("[[evaluators]]\nevaluator = 'latency_budget'\nparameters = { most = 5 }", "latency_budget"),
    ],
)
def test_a_mistake_is_said_with_its_remedy(folder: Path, text: str, said: str) -> None:
    """Every mistake names the entry and the field, and what to write."""
    found = problems(text, folder)
    assert any(said in one for one in found), found


def test_all_mistakes_are_said_at_once(folder: Path) -> None:
    """Nobody has to start three times to find three mistakes."""
    text = JUDGE.replace("http://", "ftp://") + "[[evaluators]]\n[[evaluators]]\nevaluator = 'os:sep'"
    assert len(problems(text, folder)) == 3


def test_a_file_is_read_again_and_a_mistake_changes_nothing(folder: Path) -> None:
    """A new version is in use after a moment, that of a rubric too; one with a mistake is not, and is said."""
    path, times = folder / "evals.toml", [0.0]
    path.write_text(JUDGE)
    file = EvalsFile(path, prices(), clock=lambda: times[0], now_us=lambda: NOW_US)
    first = file.current()

    def later() -> None:
        times[0] += 2.0

    later()
    assert file.current() is first
    (folder / "rubric.md").write_text("Is it short?")
    os.utime(folder / "rubric.md", ns=(1, 1))
    later()
    assert file.current().judges[0].rubric.criteria[0].question == "Is it short?"
    before = file.current()
    path.write_text("nonsense")
    later()
    assert file.current() is before
    assert "not TOML" in file.problem
    path.write_text(JUDGE.replace("helpful", "kind"))
    later()
    assert [judge.entry.name for judge in file.current().judges] == ["kind"]
    assert file.problem == ""


def test_a_start_with_a_mistake_is_refused(folder: Path) -> None:
    """There is no version from before that could be used."""
    path = folder / "evals.toml"
    path.write_text(JUDGE)
    with pytest.raises(EvalsFileError, match="no price is known"):
        EvalsFile(path, PriceBook(), clock=lambda: 0.0, now_us=lambda: NOW_US)


def test_a_rubric_has_criteria() -> None:
    """TOML has one question per criterion."""
    text = 'about = "A shop."\n[[criteria]]\nname = "tone"\nquestion = "Kind?"\npass = "yes"\nfail = "no"\n'
    assert parse_rubric(text, toml=True) == Rubric("A shop.", (Criterion("tone", "Kind?", "yes", "no"),))


@pytest.mark.parametrize(
    ("text", "toml", "said"),
    [
        (" \n", False, "empty"),
        ("x" * 60_000, False, "60,000 characters"),
        ("about = 'x'", True, "there is none"),
        ("[[criteria]]\nname = 'a b'\nquestion = 'x'", True, "letters, digits and _"),
        ("[[criteria]]\nname = 'a'", True, "`question` is a text"),
        ("[[criteria]]\nname = 'a'\nquestion = 'x'\nweight = 2", True, "no key 'weight'"),
        ("[[criteria]]\nname = 'a'\nquestion = 'x'\n" * 2, True, "the same name"),
        ("score = 1", True, "no key 'score'"),
        ("=", True, "not TOML"),
    ],
)
def test_a_rubric_that_cannot_be_used_says_why(text: str, toml: bool, said: str) -> None:
    """A rubric with a mistake is refused with what to write."""
    with pytest.raises(RubricError, match=said):
        parse_rubric(text, toml=toml)


def test_anchors_are_samples_with_labels() -> None:
    """One JSON object per line; labels of several forms become a number from 0 to 1."""
    text = '{"id": "a", "input": "q", "output": "x", "context": ["c"], "label": "pass"}\n\n'
    first, second = parse_anchors(text + '{"output": "y", "label": 0.25}\n')
    assert first == Anchor("a", Sample(input="q", output="x", context=(Document("c"),)), 1.0)
    assert (len(second.id), second.label) == (16, 0.25)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no items"),
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 is no object"),
        ('{"output": "x"}', "line 1: label is 0 to 1"),
        ('{"output": "x", "label": 2}', "line 1: label is 0 to 1"),
        ('{"label": 1}', "output is not empty"),
        ('{"output": "x", "label": 1, "score": 1}', "no key 'score'"),
        ('{"output": "x", "label": 1, "context": "c"}', "context is a list"),
        ('{"id": "a", "output": "x", "label": 1}\n{"id": "a", "output": "y", "label": 1}', "line 2: the id 'a' comes"),
    ],
)
def test_anchors_with_a_mistake_name_the_line(text: str, said: str) -> None:
    """A line that is no anchor is refused with its number."""
    with pytest.raises(AnchorError, match=said):
        parse_anchors(text)


def test_a_function_is_an_evaluator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it returns becomes a verdict, and a change of its source another version."""
    monkeypatch.syspath_prepend(str(tmp_path))
    source = "def shouts(sample, word='!'):\n    return word in sample.output\n"
    (tmp_path / "own_checks_a.py").write_text(source)
    (tmp_path / "own_checks_b.py").write_text(source.replace("!", "?"))

    one, other = make_evaluator("own_checks_a:shouts", {}), make_evaluator("own_checks_b:shouts", {})

    assert (one.name, one(Sample(output="Hey!"))) == ("shouts", Verdict(1.0))
    assert one.version != other.version
    assert make_evaluator("own_checks_a:shouts", {"word": "x"}).version != one.version


def test_the_registry_s_evaluators_go_by_name(folder: Path) -> None:
    """With their parameters, under a name of their own where one is given."""
    text = "[[evaluators]]\nevaluator = 'length'\nparameters = { most = 3, score_name = 'brief' }\n"
    config, found = check_evals(text, folder, prices(), NOW_US)

    assert found == []
    [(_, evaluator)] = config.evaluators
    assert evaluator.name == "brief"
    assert evaluator(Sample(output="one two three four five six")) != evaluator(Sample(output="ab"))
