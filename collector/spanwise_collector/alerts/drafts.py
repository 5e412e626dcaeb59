"""Rules that somebody sends to be checked, tried or stored, as JSON or as TOML. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spanwise_collector.alerts.alerts_file import channel_problems, check_alerts, sentence
from spanwise_collector.alerts.rule_problems import read_rule
from spanwise_schemas.api_alerts import RuleDraft, RuleProblem
from spanwise_schemas.rules import Rule


class DraftError(ValueError):
    """A draft cannot be used; the message says everything that is wrong.

    Attributes:
        problems: each of it.
    """

    def __init__(self, problems: Sequence[RuleProblem]) -> None:
        super().__init__("\n".join(sentence(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Drafted:
    """A rule of a draft.

    Attributes:
        rule: as it would be used.
        written: as it was written.
    """

    rule: Rule
    written: Mapping[str, Any]


def read_draft(draft: RuleDraft, project: str, channels: Sequence[str]) -> tuple[list[Drafted], list[RuleProblem]]:
    """The rules of a draft that can be used, and all that is wrong.

    Args:
        draft: one rule as JSON, or a file's text.
        project: of rules that name none.
        channels: that exist.
    """
    if draft.rule is not None:
        written = {"project": project, **draft.rule}
        rule, problems = read_rule(written, "rule")
        problems += channel_problems(rule, channels) if rule is not None else []
        return ([Drafted(rule, written)] if rule is not None else []), problems
    config, problems = check_alerts(draft.toml, channels)
    found = []
    for rule in config.rules:
        written = {"project": project, **config.entries[rule.project, rule.id]}
        found.append(Drafted(rule.model_copy(update={"project": written["project"]}), written))
    if not found and not problems:
        problems = [RuleProblem(detail="there is no rule in it; send `rule`, or `toml` with [[rules]]")]
    return found, problems


def one_rule(draft: RuleDraft, project: str, channels: Sequence[str], rule_id: str = "") -> Drafted:
    """The one rule of a draft, or the one of an id.

    Raises:
        DraftError: something is wrong with it, or it has none or several rules.
    """
    found, problems = read_draft(draft, project, channels)
    if problems:
        raise DraftError(problems)
    if rule_id:
        found = [one for one in found if one.rule.id == rule_id]
    if len(found) != 1:
        ids = f"has the rules {', '.join(one.rule.id for one in found)}" if found else f"has no rule {rule_id}"
        raise DraftError([RuleProblem(field="rule", detail=f"the draft {ids}; send one rule, or name it with `rule`")])
    return found[0]
