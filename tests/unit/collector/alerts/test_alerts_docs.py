"""docs/alerts.md and examples/alerts.toml say what the code does."""

import hashlib
import hmac
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from spanwise_collector.alerts.alerts_file import check_alerts, load_alerts
from spanwise_collector.alerts.channels.config import CONFIGS
from spanwise_collector.alerts.channels.message import Message
from spanwise_collector.alerts.channels.webhook import body, signature
from spanwise_collector.alerts.notice import NoticeKind
from spanwise_collector.alerts.rule_problems import RULES
from spanwise_collector.alerts.signals_doc import renewed
from spanwise_collector.api.routes import alerts, channels, rules, silences
from spanwise_schemas.rules import Base, RuleType, Where
from tests.support.notices import NOW, notice

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "alerts.toml"


def blocks(language: str) -> list[str]:
    """Fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", blocks("toml"))
def test_every_example_can_be_used(text: str) -> None:
    """As it stands."""
    assert check_alerts(text)[1] == []


def test_every_type_of_rule_and_channel_has_an_example() -> None:
    """On the page under its own heading, and in the example file, which has one of each."""
    documents = [tomllib.loads(text) for text in blocks("toml")]
    example = load_alerts(EXAMPLE)
    assert set(RULES) == set(get_args(RuleType))
    assert {rule["type"] for document in documents for rule in document.get("rules", [])} == set(RULES)
    assert {one["type"] for document in documents for one in document.get("channels", [])} == set(CONFIGS)
    assert sorted(rule.type for rule in example.rules) == sorted(RULES)
    assert sorted(channel.type for channel in example.channels) == sorted(CONFIGS)
    assert re.findall(r"^### (\w+)$", PAGE.partition("## Signals")[0], flags=re.MULTILINE) == list(RULES)


def test_every_field_that_rules_share_is_in_the_table() -> None:
    """With its default; every filter, too."""
    table = PAGE.partition("What every rule has:")[2].partition("Durations are")[0]
    named = set(re.findall(r"`(\w+)`", table))
    assert set(Base.model_fields) <= named
    assert set(Where.model_fields) <= named
    assert f"| `max_series` | {Base.model_fields['max_series'].default} |" in table


def test_every_field_of_a_type_is_on_the_page() -> None:
    """Somewhere in its section or its example."""
    missing = []
    for name, model in RULES.items():
        section = PAGE.partition(f"### {name}\n")[2].partition("\n### ")[0]
        own = {info.alias or field for field, info in model.model_fields.items() if field not in Base.model_fields}
        missing += [(name, field) for field in own if not re.search(rf"\b{field}\b", section)]

    assert missing == []


def test_every_secret_and_field_of_a_channel_is_on_the_page() -> None:
    """By the names that are written."""
    table = PAGE.partition("## Channels")[2].partition("```toml")[0]
    for name, model in CONFIGS.items():
        (row,) = re.findall(rf"^\| `{name}` \| (.*) \|$", table, flags=re.MULTILINE)
        for field, info in model.model_fields.items():
            if field not in ("name", "type", "severities"):
                assert f"`{info.alias or field}`" in row, (name, field)


def test_the_signals_are_those_of_the_code() -> None:
    """`python -m spanwise_collector.alerts.signals_doc docs/alerts.md` writes the table again."""
    assert renewed(PAGE) == PAGE
    with pytest.raises(ValueError, match="the page has no"):
        renewed("")


def test_the_request_of_the_page_is_the_one_that_is_sent() -> None:
    """Field by field; and every kind is named."""
    one = notice(1)
    sent = body(Message("ab" * 16, "hook", (one,), (f"{one.key}:hook",), "https://spanwise.example"))
    (shown,) = blocks("json")
    assert json.loads(shown) == json.loads(sent)
    for kind in get_args(NoticeKind):
        assert f"`{kind}`" in PAGE or kind == "acknowledged"


def checker() -> Callable[..., bool]:
    """The function of the page."""
    (program,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(program, "docs/alerts.md", "exec"), names)
    found: Callable[..., bool] = names["is_from_spanwise"]
    return found


def test_the_signature_is_checked_as_the_page_says() -> None:
    """What was signed is taken; another body, secret or time, and anything that is no signature, are refused."""
    is_from_spanwise = checker()
    content, now = b'{"a": 1}', NOW.timestamp()
    header = signature(content, "s3cret", int(now))
    forged = hmac.new(b"s3cret", content, hashlib.sha256).hexdigest()

    assert is_from_spanwise(content, header, "s3cret", now + 299)
    for wrong in (
        (content + b" ", header, "s3cret", now),
        (content, header, "other", now),
        (content, header, "s3cret", now + 301),
        (content, header.replace("v1=", "v1=0"), "s3cret", now),
        (content, f"t={int(now)},v1={forged}", "s3cret", now),
        (content, "", "s3cret", now),
        (content, "t=x,v1=y", "s3cret", now),
    ):
        assert not is_from_spanwise(*wrong)


def test_every_endpoint_is_in_the_table() -> None:
    """And no other."""
    served = {
        (method, re.sub(r"\{\w*(id|name)\}", lambda found: f"{{{found[1]}}}", route.path))
        for module in (rules, alerts, channels, silences)
        for route in module.router.routes
        for method in route.methods
    }
    listed = re.findall(r"^\| `(GET|PUT|POST|DELETE) (\S+)` \|", PAGE, flags=re.MULTILINE)
    assert set(listed) == served
