"""Rules in the dashboard: the list, the form, TOML, checks and previews, as Streamlit draws them."""

from streamlit.testing.v1 import AppTest

from spanwise_dashboard.alerts_place import NEW_RULE
from spanwise_dashboard.views.rule_editor import parsed
from spanwise_schemas.api_alerts import RuleInfo
from tests.support.dashboard_data import little
from tests.support.dashboard_fake import FakeApi
from tests.unit.dashboard.test_alerts_view import lines, some, told
from tests.unit.dashboard.test_views import Open, drawn, open_page, said, table, use

__all__ = ["open_page"]
Page = tuple[FakeApi, Open]


def stored(api: FakeApi, rule_id: str) -> RuleInfo | None:
    """A rule as the fake holds it."""
    return next((rule for rule in told(api).rules if rule.rule_id == rule_id), None)


def press(app: AppTest, label: str) -> None:
    """Presses the button."""
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def open_rule(page: Page, rule_id: str) -> AppTest:
    """A rule among many."""
    use(page[0], some)
    app = page[1]("alerts", tab="rules", rule=rule_id)
    assert not app.exception
    return app


def test_the_list_says_what_each_rule_watches(open_page: Page) -> None:
    """In words, with its promise; each line opens its rule."""
    api, opened = open_page
    use(api, some)
    app = opened("alerts", tab="rules")

    assert [row[0] for row in table(app, "Rules")] == [
        *("error-rate", "Slow calls", "spend-per-group", "refusals"),
        *("groundedness", "weekend-traffic", "new-releases"),
    ]
    [drawn_table] = drawn(app, "table")
    first = drawn_table["rows"][0]
    assert first["href"] == "alerts?project=default&tab=rules&rule=error-rate"
    assert first["cells"][1]["sub"] == "Expect one such false alarm in 30 days."
    now = [[badge["text"] for badge in row["cells"][2].get("badges", [])] for row in drawn_table["rows"]]
    assert now == [["1 firing"], ["1 firing"], ["1 firing"], ["1 not yet sure"], ["problem"], [], ["quiet"]]


def test_with_built_in_rules_alone_the_page_says_how_to_go_on(open_page: Page) -> None:
    """They watch by themselves."""
    api, opened = open_page
    use(api, little)
    app = opened("alerts", tab="rules")

    assert "These rules come with Spanwise and watch by themselves." in said(app)


def test_rules_of_a_file_are_for_reading(open_page: Page) -> None:
    """Their text, the reason, and a problem where there is one; no way to save."""
    app = open_rule(open_page, "groundedness")

    assert "change it there" in said(app)
    assert '[[rules]]\nid = "groundedness"\ntype = "score_drop"\nscore = "groundedness"' in said(app)
    assert "It cannot be evaluated: No score of this name has arrived in 14 days." in lines(app)
    assert any(line.startswith("Judge not trusted yet (judge 1): kappa 0.31") for line in lines(app))
    assert [button.label for button in app.button if button.label in ("Save", "Check")] == []


def test_a_rule_of_a_file_can_be_the_start_of_another(open_page: Page) -> None:
    """With an id of its own."""
    app = open_rule(open_page, "groundedness")
    press(app, "Use as a start for a new rule")

    assert app.query_params["rule"] == NEW_RULE
    assert app.text_input(key="rule-field-id").value == "groundedness-2"
    assert app.text_input(key="rule-field-score").value == "groundedness"


def test_a_new_rule_is_checked_at_its_fields(open_page: Page) -> None:
    """What is wrong stands below the field; a change takes it away; nothing is saved before all is well."""
    app = open_rule(open_page, NEW_RULE)
    press(app, "Save")
    assert len(lines(app)) == 1
    assert "pattern" in lines(app)[0]
    assert stored(open_page[0], "") is None

    app.text_input(key="rule-field-id").set_value("my-errors").run()
    assert lines(app) == []
    press(app, "Check")
    assert "The rule can be used." in said(app)
    press(app, "Save")

    found = stored(open_page[0], "my-errors")
    assert found is not None
    assert found.rule == {"id": "my-errors", "type": "anomaly", "signal": "error_rate"}
    assert "rule" not in app.query_params


def test_changing_the_type_changes_the_fields(open_page: Page) -> None:
    """What both types know stays."""
    app = open_rule(open_page, NEW_RULE)
    app.text_input(key="rule-field-id").set_value("slow").run()
    app.selectbox(key="rule-type").set_value("threshold").run()
    app.number_input(key="rule-field-above").set_value(2000.0).run()
    app.selectbox(key="rule-field-signal").set_value("latency").run()
    press(app, "Save")

    found = stored(open_page[0], "slow")
    assert found is not None
    assert found.rule == {"id": "slow", "type": "threshold", "signal": "latency", "above": 2000.0}


def test_form_and_toml_are_two_views_of_one_rule(open_page: Page) -> None:
    """What is changed in one is there in the other."""
    app = open_rule(open_page, "slow-calls")
    app.number_input(key="rule-field-budget.days").set_value(7.0).run()
    app.segmented_control(key="rule-view").set_value("TOML").run()
    text = app.text_area(key="rule-toml").value or ""
    assert "[rules.budget]\ndays = 7.0" in text

    app.text_area(key="rule-toml").set_value(text.replace("days = 7.0", "days = 90.0")).run()
    app.segmented_control(key="rule-view").set_value("Form").run()

    assert app.number_input(key="rule-field-budget.days").value == 90.0
    assert app.multiselect(key="rule-field-by").value == ["model"]
    press(app, "Save")
    found = stored(open_page[0], "slow-calls")
    assert found is not None
    assert found.rule["budget"] == {"days": 90.0}


def test_toml_that_does_not_read_is_not_saved(open_page: Page) -> None:
    """The page says why."""
    app = open_rule(open_page, "slow-calls")
    app.segmented_control(key="rule-view").set_value("TOML").run()
    app.text_area(key="rule-toml").set_value("[[rules]\nid =").run()
    assert lines(app)[-1].startswith("This is not TOML: ")
    press(app, "Save")

    found = stored(open_page[0], "slow-calls")
    assert found is not None
    assert found.rule["by"] == ["model"]


def test_one_rule_is_written_at_a_time() -> None:
    """Several, and none, are refused with what to do."""
    assert parsed('[[rules]]\nid = "a"') == ({"id": "a"}, "")
    for text in ("", "x = 1", '[[rules]]\nid = "a"\n[[rules]]\nid = "b"', "rules = 3"):
        assert parsed(text)[0] == {}
        assert parsed(text)[1].startswith("Write one rule here")


def test_preview_shows_when_it_would_have_fired(open_page: Page) -> None:
    """A sentence, a chart with the times shaded, and a table; old news once the rule changes."""
    app = open_rule(open_page, "slow-calls")
    press(app, "Preview")

    assert lines(app)[-3:] == [
        "It would have fired twice in the last 14 days, for 14 h in all: 1,008 evaluations of 3 series.",
        "Its promise: expect one such false alarm in 30 days.",
        "The first week is what usual was learned from.",
    ]
    [band] = drawn(app, "band")
    assert len(band["spans"]) == 2
    assert [row[1] for row in table(app, "Would have fired")] == ["6h 00m", "8h 00m, still"]
    asked = [request for request in open_page[0].requests if "back-test" in request]
    assert len(asked) == 1

    app.number_input(key="rule-field-min_samples").set_value(50).run()

    assert "The rule has changed since the last preview." in said(app)
    assert drawn(app, "band") == []


def test_a_rule_that_is_wrong_cannot_be_previewed(open_page: Page) -> None:
    """The page says why, and shows no older preview."""
    app = open_rule(open_page, NEW_RULE)
    press(app, "Preview")
    app.selectbox(key="rule-type").set_value("spend").run()
    press(app, "Preview")

    assert lines(app)[-1] == "It cannot be tried: limit_usd: Field required"
    assert drawn(app, "band") == []


def test_a_stored_rule_can_be_deleted(open_page: Page) -> None:
    """And is gone from the list."""
    app = open_rule(open_page, "weekend-traffic")
    press(app, "Delete the rule")

    assert stored(open_page[0], "weekend-traffic") is None
    assert "weekend-traffic" not in [row[0] for row in table(app, "Rules")]


def test_a_rule_that_is_not_there(open_page: Page) -> None:
    """Says so."""
    assert "There is no such rule" in said(open_rule(open_page, "nothing"))
