"""What the fake of the API says of failures, comparisons and changes; it remembers what people say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from spanwise_schemas.api_failures import Issue, IssueChange, IssueDetail, IssueMerge, IssuePage, IssueSplit
from tests.support import dashboard_changes, dashboard_compare
from tests.support import dashboard_failure_data as made
from tests.support.dashboard_data import Dataset

Parameters = Mapping[str, Sequence[str]]
PATHS = ("failures", "compare", "what-changed")
_KEYS: Mapping[str, str] = {"cost": "cost_nanousd"}


@dataclass
class FakeFailures:
    """Failures over a dataset: none without traces, one with few.

    Attributes:
        data: what the collector holds.
        issues: as they stand.
        prints: fingerprints by issue.
        merged: issues that are a part of another, by their id.
    """

    data: Dataset
    issues: list[Issue] = field(default_factory=list)
    prints: dict[str, int] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.data.traces:
            self.issues = made.many(self.data) if self.much else made.few(self.data)
        self.prints = {issue.issue_id: issue.fingerprints for issue in self.issues}

    @property
    def much(self) -> bool:
        """Whether there is more than a first few traces."""
        return len(self.data.traces) > 2

    def answer(self, method: str, path: Sequence[str], parameters: Parameters, body: bytes) -> BaseModel | None:
        """The answer to a request below /api/v1, None where there is nothing."""
        match method, *path:
            case "GET", "failures":
                return self._page(parameters)
            case "GET", "failures", issue_id:
                return self._detail(issue_id)
            case "POST", "failures", issue_id:
                return self._change(issue_id, IssueChange.model_validate_json(body))
            case "POST", "failures", issue_id, "merge":
                return self._merge(issue_id, IssueMerge.model_validate_json(body))
            case "POST", "failures", issue_id, "split":
                return self._split(issue_id, IssueSplit.model_validate_json(body))
            case "GET", "compare":
                return dashboard_compare.comparison(self.data, parameters)
            case "GET", "compare", by:
                return dashboard_compare.candidates(self.data, by, much=self.much)
            case "GET", "what-changed":
                began = datetime.fromisoformat(parameters["from"][-1])
                answer = dashboard_changes.what_changed(self.data, began)
                return answer.model_copy(update={"signal": parameters["signal"][-1]})
        return None

    def issue(self, issue_id: str) -> Issue | None:
        """An issue as it stands now."""
        return next((issue for issue in self.issues if issue.issue_id == issue_id), None)

    def _page(self, parameters: Parameters) -> IssuePage:
        classes, states = parameters.get("class", ()), parameters.get("state", ())
        text = (parameters.get("q") or ("",))[-1].casefold()
        order = (parameters.get("order") or ("last_seen",))[-1]
        limit = int((parameters.get("limit") or ("100",))[-1])
        happened = [issue for issue in self.issues if issue.count and issue.issue_id not in self.merged]
        chosen = [issue for issue in happened if not classes or issue.failure_class in classes]
        by_class: dict[str, int] = {}
        for issue in chosen:
            by_class[issue.failure_class] = by_class.get(issue.failure_class, 0) + issue.count
        kept = [issue for issue in chosen if (not states or issue.state in states) and text in issue.title.casefold()]
        kept.sort(key=lambda issue: getattr(issue, _KEYS.get(order, order)), reverse=True)
        return IssuePage(
            items=kept[:limit],
            total=len(kept),
            failures=sum(issue.count for issue in kept),
            spans=sum(trace.summary.spans for trace in self.data.traces) * 40,
            by_class=dict(sorted(by_class.items(), key=lambda item: -item[1])),
        )

    def _detail(self, issue_id: str) -> IssueDetail | None:
        found = self.issue(issue_id)
        return made.detail(self.data, found, self.prints[issue_id]) if found else None

    def _replace(self, issue_id: str, **changes: Any) -> IssueDetail | None:
        found = self.issue(issue_id)
        if found is None:
            return None
        self.issues[self.issues.index(found)] = found.model_copy(update=changes)
        return self._detail(issue_id)

    def _change(self, issue_id: str, said: IssueChange) -> IssueDetail | None:
        return self._replace(
            issue_id,
            state=said.state,
            note=said.note,
            changed_by=said.by,
            changed_at=self.data.now,
            reopened=False,
        )

    def _merge(self, issue_id: str, said: IssueMerge) -> IssueDetail | None:
        parts = [issue for issue in self.issues if issue.issue_id in said.issues]
        into = self.issue(issue_id)
        if into is None or len(parts) != len(said.issues):
            return None
        self.merged |= {part.issue_id: issue_id for part in parts}
        self.prints[issue_id] += sum(self.prints[part.issue_id] for part in parts)
        return self._replace(issue_id, count=into.count + sum(part.count for part in parts))

    def _split(self, issue_id: str, said: IssueSplit) -> IssueDetail | None:
        known = self._detail(issue_id)
        if known is None:
            return None
        moved = [one for one in known.fingerprints if one.fingerprint in said.fingerprints]
        new_id, number = said.fingerprints[0], sum(one.count for one in moved)
        self.prints[issue_id] -= len(moved)
        self.prints[new_id] = len(moved)
        self.issues.append(
            known.issue.model_copy(update={"issue_id": new_id, "title": moved[0].title, "count": number})
        )
        self._replace(issue_id, count=known.issue.count - number)
        return self._detail(new_id)
