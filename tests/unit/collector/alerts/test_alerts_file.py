"""The alerts file: what it says, what is wrong with it, and following changes."""

import logging
from pathlib import Path

import pytest

from spanwise_collector.alerts.alerts_file import (
    CHECK_S,
    AlertsConfig,
    AlertsFile,
    AlertsFileError,
    check_alerts,
    load_alerts,
    read_alerts,
    sentence,
)

GOOD = """
[[rules]]
id = "errors"
type = "anomaly"
signal = "error_rate"
severity = "page"
channels = ["ops"]
where = { environment = ["prod"] }

[[rules]]
id = "slow"
type = "threshold"
signal = "latency"
above = 2000
for = 3

[[channels]]
name = "ops"
type = "webhook"
url = "https://hooks.example/x"
secret_env = "OPS_SECRET"
"""


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_a_file_has_rules_and_channels() -> None:
    """In their order, with what was written beside what it means."""
    found = read_alerts(GOOD)

    assert [(rule.id, rule.type, rule.severity) for rule in found.rules] == [
        ("errors", "anomaly", "page"),
        ("slow", "threshold", "ticket"),
    ]
    assert [(channel.name, channel.type) for channel in found.channels] == [("ops", "webhook")]
    assert found.entries["default", "slow"] == {
        "id": "slow",
        "type": "threshold",
        "signal": "latency",
        "above": 2000,
        "for": 3,
    }
    assert read_alerts("") == AlertsConfig()


RULE = '[[rules]]\nid = "r"\ntype = "threshold"\nsignal = "error_rate"\nabove = 0.1\n'
HOOK = '[[channels]]\nname = "c"\ntype = "webhook"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[rules", ["it is not TOML: Expected ']]' at the end of an array declaration (at end of document)"]),
        ("[[rule]]\nid = 1", ["rule: there is no such table; did you mean `rules`?"]),
        ("[rules]\nid = 1", ["rules: write [[rules]] above each, in double brackets"]),
        (
            "[[rules]]\nid = 'x'",
            [
                "x, type: is missing; write one of threshold, relative, anomaly, absence, missing_data, score_drop, "
                "spend, budget, slo, failure, release_watch"
            ],
        ),
        ("[[rules]]\ntype = 'anomoly'", ["rule 1, type: there is no type 'anomoly'; did you mean `anomaly`?"]),
        (
            "[[rules]]\ntype = 'threshold'\nsignal = 'error_rate'\nabove = 1",
            ["rule 1, id: is missing; Lower-case letters, digits, - and _; unique."],
        ),
        (RULE + "windw = '5m'", ["r, windw: there is no such field; did you mean `window`?"]),
        (
            RULE + "window = '5x'",
            ["r, window: '5x' is no duration; write a number and s, m, h or d, such as 15m, 6h or 30d"],
        ),
        (
            RULE.replace("error_rate", "eror_rate"),
            [
                "r, signal: there is no signal 'eror_rate'; docs/alerts.md lists them, and score:<name> and "
                "failure:<class> exist too; did you mean `error_rate`?"
            ],
        ),
        (RULE + "below = 1", ["r: give one of `above` and `below`"]),
        (
            RULE + "severity = 'pages'",
            ["r, severity: input should be 'page', 'ticket' or 'info'; did you mean `page`?"],
        ),
        (
            RULE + "for = 0",
            ["r, for: input should be greater than or equal to 1. Evaluations in a row before it fires."],
        ),
        (RULE + "channels = 'ops'", ['r, channels: write a list, such as ["a", "b"]']),
        (RULE + "where = 'prod'", ["r, where: write a table, such as [rules.where] below the rule, or where = { … }"]),
        (RULE + "where = { modell = ['x'] }", ["r, where.modell: there is no such field; did you mean `model`?"]),
        (
            RULE.replace("error_rate", "model_mix"),
            ["r: model_mix is no single number; only rules of the type anomaly can watch it"],
        ),
        (RULE + RULE, ["r, id: another rule of the project has the same id"]),
        (RULE + RULE.replace('"r"', '"r"\nproject = "other"'), []),
        (
            RULE + "channels = ['opps']\n" + HOOK + "url = 'https://x'",
            ["r, channels: there is no channel 'opps'; there are c"],
        ),
        (RULE + "channels = ['ops']", ["r, channels: there is no channel 'ops'; there are none"]),
        (
            RULE + "channels = ['c']\n" + HOOK,
            ["c: give `url`, `url_env` (name of an environment variable) or `url_file` (path of a file)"],
        ),
        (HOOK + "url = 'https://x'\n" + HOOK + "url = 'https://y'", ["c, name: another channel has the same name"]),
        (HOOK + "url = 'hooks.example'", ["c, url: write an address that begins with https:// or http://"]),
        (
            HOOK + "url = 'https://x'\nsecret = 'hush'",
            [
                "c, secret: there is no such field; secrets are not written here: `secret_env` names an environment "
                "variable, `secret_file` a file"
            ],
        ),
        (HOOK + "url_env = 'A'\nurl_file = '/b'", ["c: give one of `url_env` and `url_file`"]),
        (
            "[[channels]]\nname = 'm'\ntype = 'email'\nhost = 'h'\nfrom = 'a@example.com'\nto = ['b']",
            ["m, to.0: 'b' is no mail address; write ops@example.com or Ops <ops@example.com>"],
        ),
        (
            "[[channels]]\nname = 'm'\ntype = 'email'\nhost = 'h'\nfrom = 'a@example.com'\nto = ['b@example.com']\n"
            "username = 'me'",
            ["m: a login needs `username` and one of `password_env` and `password_file`"],
        ),
        ("[[channels]]\nname = 's'\ntype = 'slak'", ["s, type: there is no type 'slak'; did you mean `slack`?"]),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(text: str, says: list[str]) -> None:
    """Which rule or channel, which field, and what to do; never what somebody wrote for a secret."""
    problems = [sentence(problem) for problem in check_alerts(text)[1]]
    assert problems == says
    assert "hush" not in "".join(problems)


def test_everything_is_said_at_once_and_the_rest_can_be_used() -> None:
    """One run shows all mistakes."""
    config, problems = check_alerts(GOOD + "windw = 1\n[[rules]]\nid = 'B'\ntype = 'absence'\nwindow = 3\n")

    assert [(problem.rule, problem.field) for problem in problems] == [
        ("B", "id"),
        ("B", "window"),
        ("ops", "windw"),
    ]
    assert [rule.id for rule in config.rules] == ["errors", "slow"]
    with pytest.raises(AlertsFileError) as raised:
        read_alerts("[[rules]]\n[[rules]]")
    assert len(raised.value.problems) == len(str(raised.value).splitlines()) == 2


def test_it_is_read_again_when_it_changes_and_a_slip_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be used, or is gone, is logged, and what was there before stays."""
    caplog.set_level(logging.INFO)
    path, clock = tmp_path / "alerts.toml", Clock()
    file = AlertsFile(path, clock)
    assert file.current() == AlertsConfig()

    def after(text: str | None) -> list[str]:
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
        clock.now += CHECK_S
        return [rule.id for rule in file.current().rules]

    assert after(GOOD) == ["errors", "slow"]
    assert "2 rules, 1 channels" in caplog.text
    assert after("[[rules]]") == ["errors", "slow"]
    assert file.problem.startswith(f"{path}:\nrule 1, type: is missing")
    assert f"SPANWISE_ALERTS_FILE: {path}:\nrule 1, type: is missing" in caplog.text
    assert after(RULE) == ["r"]
    assert file.problem == ""
    assert after(None) == ["r"]
    assert "cannot be read" in file.problem


def test_a_file_that_cannot_be_used_at_the_start_is_refused(tmp_path: Path) -> None:
    """With its path; none, or one that is not there yet, says nothing."""
    path = tmp_path / "alerts.toml"
    path.write_text("[[rules]]")
    with pytest.raises(AlertsFileError, match=r"alerts\.toml:\nrule 1, type: is missing"):
        AlertsFile(path, Clock())
    path.write_bytes(b"\xff")
    with pytest.raises(AlertsFileError, match="it cannot be read"):
        load_alerts(path)
    assert AlertsFile(None, Clock()).current() == AlertsConfig()
