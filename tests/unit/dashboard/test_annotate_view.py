"""The page Annotate, run by Streamlit's own test runner against the fake of the API."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from spanwise_dashboard.annotate_place import NEW_QUEUE, AnnotatePlace, annotate_query, parse_annotate
from spanwise_dashboard.views.annotate_corrections import changed_words, suggested
from spanwise_dashboard.views.annotate_words import agreement_words, choices, current, key_words, progress_words
from spanwise_schemas.api import Problem
from spanwise_schemas.api_annotations import Agreement, Progress, Question, ReviewerCount
from spanwise_schemas.api_datasets import DatasetChanged
from tests.support.dashboard_annotations import ANSWERS, HOSTILE_QUEUE
from tests.support.dashboard_data import HOSTILE, empty, little
from tests.support.dashboard_fake import FakeApi
from tests.unit.dashboard.test_views import Open, drawn, few_hundred, open_page, said, use

__all__ = ["open_page"]

YES_NO = Question(name="correct")
STARS = Question(name="stars", kind="number", minimum=1, maximum=5)


def button(app: AppTest, label: str) -> Any:
    """A button by its words."""
    return next(one for one in app.button if one.label == label)


def test_buttons_and_keys() -> None:
    """Y and N, a digit for each category or small whole number; wide or fine scales have a field instead."""
    tone = Question(name="tone", kind="categories", categories=("warm", "cold"))
    fine = Question(name="f", kind="number", minimum=0, maximum=0.5)
    wide = Question(name="w", kind="number", minimum=0, maximum=100)

    assert [(one.label, one.key, one.answer) for one in choices(YES_NO)] == [("Yes", "Y", True), ("No", "N", False)]
    assert [(one.key, one.answer) for one in choices(tone)] == [("1", "warm"), ("2", "cold")]
    assert [(one.key, one.answer) for one in choices(STARS)] == [(str(n), float(n)) for n in range(1, 6)]
    assert (choices(fine), choices(wide)) == ([], [])
    assert key_words([YES_NO, STARS]).startswith("Y, N and digits answer · M comments")
    assert key_words([fine]).startswith("M comments")


def test_keys_answer_the_first_question_without_an_answer() -> None:
    """With all answered, the last one again."""
    assert [
        current([YES_NO, STARS], answers)
        for answers in ({}, {"correct": True}, {"stars": 1}, {"correct": 1, "stars": 2})
    ] == [*(0, 1, 0, 1)]


def test_words() -> None:
    """Progress counts what was passed, too; agreement says whether it is more than chance."""
    progress = Progress(items=80, done=12, skipped=1, reviewers=[ReviewerCount(reviewer="Ada", done=3)])

    assert progress_words(progress, "Ada") == "13 of 80 done, 1 skipped · 3 by you"
    assert progress_words(Progress(), "Ada") == "0 of 0 done · 0 by you"
    assert agreement_words(Agreement(name="a", pairs=10, agreed=9, kappa=0.75)) == "9 of 10 items alike, kappa 0.75"
    assert agreement_words(Agreement(name="a", pairs=1, agreed=1)) == "1 of 1 item alike"


@pytest.mark.parametrize("place", [AnnotatePlace(), AnnotatePlace("a1", "Ada Lovelace"), AnnotatePlace(NEW_QUEUE)])
def test_the_address_keeps_the_place(place: AnnotatePlace) -> None:
    """A queue and a reviewer are read back."""
    assert parse_annotate({key: [value] for key, value in annotate_query(place).items()}) == place


def test_without_data_the_page_says_how_to_send_some(open_page: tuple[FakeApi, Open]) -> None:
    """As all pages do."""
    _, opened = open_page
    assert "Nothing has arrived yet" in said(opened("annotate"))


def test_without_a_queue_there_is_a_form(open_page: tuple[FakeApi, Open]) -> None:
    """It says what a queue is; what is missing is named, and what is complete becomes a queue that opens."""
    api, opened = open_page
    use(api, little)
    app = opened("annotate")
    assert "No queue yet" in said(app)
    app = button(app, "Make the queue").click().run()
    assert "name: String should have at least 1 character" in [one.value for one in app.warning]
    app.text_input(key="queue-name").set_value("Mine")
    app.selectbox(key="queue-kind-0").set_value("number")
    app = app.run()
    app.number_input(key="queue-to-0").set_value(7)
    app.multiselect(key="queue-failures").set_value(["refusal"])
    app.text_input(key="queue-score").set_value("helpful")
    app = button(app, "Make the queue").click().run()

    assert "Who reviews?" in said(app)
    assert api.annotated is not None
    (made,) = [known.queue for known in api.annotated.queues.values()]
    assert (made.name, made.random_share, made.second_share) == ("Mine", 0.05, 0.1)
    assert [(one.name, one.kind, one.maximum) for one in made.questions] == [("correct", "number", 7)]
    assert [(one.name, one.failures, one.score, one.below) for one in made.rules] == [
        ("failures", ("refusal",), "", None),
        ("low score", (), "helpful", 0.5),
    ]


def test_the_name_is_asked_once(open_page: tuple[FakeApi, Open]) -> None:
    """A blank one is refused; then it stands in the address."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("annotate")
    app = button(app, "Start").click().run()
    assert any("Give a name" in one.value for one in app.warning)
    app.text_input(key="annotate-name").set_value("Ada")
    app = button(app, "Start").click().run()

    assert "12 of 80 done · 4 by you" in [one.proto.text for one in app.get("progress")]
    assert app.query_params["reviewer"] == "Ada"


def test_an_item_is_reviewed(open_page: tuple[FakeApi, Open]) -> None:
    """Nothing can be saved before an answer; what is saved is said with comment and correction; the next one comes."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("annotate", reviewer="Ada", queue=ANSWERS)
    assert drawn(app, "conversation")
    assert button(app, "Save and next").disabled
    app = button(app, "No").click().run()
    first = app.text_area[0].key
    app.text_area[0].set_value("Wrong year.")
    app = button(app, "Start from the output").click().run()
    assert app.text_area[1].value
    app = button(app, "Save and next").click().run()

    assert api.annotated is not None
    said_of = api.annotated.items[ANSWERS][0].reviews[-1]
    assert (said_of.reviewer, said_of.answers, said_of.comment) == ("Ada", {"correct": False}, "Wrong year.")
    assert app.text_area[0].key != first
    assert app.text_area[0].value in ("", None)
    app = button(app, "Skip").click().run()
    assert api.annotated.items[ANSWERS][1].reviews[-1].outcome == "skipped"


def test_corrections_become_items_of_a_dataset(open_page: tuple[FakeApi, Open]) -> None:
    """Not before there is one, nor under a name that no dataset can have; taken again, nothing comes twice."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("annotate", reviewer="Ada", queue=ANSWERS)
    app = button(app, "Add to the dataset").click().run()
    assert any("Nobody has corrected an output of this queue yet" in one.value for one in app.info)
    assert api.annotated is not None
    assert api.annotated.taken == {}
    app = button(app, "No").click().run()
    app.text_area[1].set_value("In 2024.")
    app = button(app, "Save and next").click().run()
    app.text_input(key=f"annotate-dataset-{ANSWERS}").set_value("../x")
    app = button(app, "Add to the dataset").click().run()
    assert any("Give the dataset a name of letters" in one.value for one in app.warning)
    app.text_input(key=f"annotate-dataset-{ANSWERS}").set_value("Corrected answers")
    app = button(app, "Add to the dataset").click().run()
    assert _links(app) == ["1 item in version 1: 1 added. Open the dataset"]
    app = button(app, "Add to the dataset").click().run()

    assert _links(app) == ["1 item in version 1: 1 there already. Open the dataset"]
    assert api.annotated.taken == {"Corrected answers": 1}


def _links(app: AppTest) -> list[str]:
    """Links to the dataset that was made, by their words."""
    links = [one.proto for one in app.get("page_link")]
    return [link.label for link in links if "dataset=Corrected" in link.query_string]


def test_a_dataset_is_called_like_its_queue() -> None:
    """As far as its name may have those characters."""
    assert [suggested(name) for name in ("Answers", " <b>Ärger</b>: 50 % ", "检查", "x" * 200)] == [
        *("Answers", "b rger b 50", "", "x" * 100)
    ]


def test_what_became_of_corrections_in_words() -> None:
    """What is none is not said."""
    found = DatasetChanged(dataset="a", version=3, items=1200, added=2, changed=1, skipped=1)
    assert changed_words(found) == "1,200 items in version 3: 2 added, 1 changed, 1 without a stored input left out."
    assert changed_words(DatasetChanged(dataset="a", version=1, items=0)).endswith("nothing changed.")


def test_nothing_waits(open_page: tuple[FakeApi, Open]) -> None:
    """It says so, and looks for more when asked."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("annotate", reviewer="Ada", queue=HOSTILE_QUEUE)
    for _ in range(2):
        app = button(app, "Yes").click().run()
        app = button(app, "Save and next").click().run()
    assert "The rest is with others" in said(app)
    app = button(app, "Look for more now").click().run()
    assert any(request.endswith("fill?project=default") for request in api.requests if request.startswith("POST"))


def test_what_people_wrote_is_no_markup(open_page: tuple[FakeApi, Open]) -> None:
    """Instructions and questions are drawn as they were typed."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("annotate", reviewer="Ada", queue=HOSTILE_QUEUE)

    assert [one.value for one in app.text].count(HOSTILE) == 2
    assert HOSTILE not in "".join(one.value for one in app.markdown)


def test_a_refused_review_is_said(open_page: tuple[FakeApi, Open]) -> None:
    """Such as where the collector does not write to Kafka; the answers stay."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("annotate", reviewer="Ada", queue=ANSWERS)
    app = button(app, "Yes").click().run()
    api.failing = Problem(title="Not Implemented", status=501, detail="This collector does not write to Kafka.")
    app = button(app, "Save and next").click().run()
    assert "This collector does not write to Kafka." in said(app)
    api.failing = None
    app = app.run()
    assert not button(app, "Save and next").disabled


def test_a_queue_is_deleted(open_page: tuple[FakeApi, Open]) -> None:
    """From the sidebar; the next one is shown."""
    api, opened = open_page
    use(api, few_hundred)
    app = opened("annotate", reviewer="Ada", queue=ANSWERS)
    app.button(key="annotate-delete-now").click().run()

    assert api.annotated is not None
    assert list(api.annotated.queues) == [HOSTILE_QUEUE]


def test_an_empty_project_list_needs_no_queues(open_page: tuple[FakeApi, Open]) -> None:
    """Without projects the API is not asked for queues."""
    api, opened = open_page
    use(api, empty)
    opened("annotate")

    assert not [request for request in api.requests if "annotations" in request]
