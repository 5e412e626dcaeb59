"""Two weeks in the life of the support bot: made-up traces of the shape that the live one sends.

Everything follows from the seed and the end time: the daily and weekly rhythm, three releases, two prompt versions, a
model that is tried out on a part of the traffic, and one bad afternoon.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Final

from examples.support_bot.knowledge import ARTICLES, ORDERS, QUESTIONS, USERS, Question
from examples.support_bot.stub_model import complete, tokens
from spanwise_schemas import attributes as names

AttributeValue = str | int | float | bool | list[str]

DAYS: Final = 14
JUDGE_MODEL: Final = "gpt-4.1-nano"
EMBEDDING_MODEL: Final = "text-embedding-3-small"
INCIDENT_DAYS_AGO: Final = 4
INCIDENT_HOURS: Final = (12, 16)
"""UTC; four days before the end, the model provider limits requests and is slow."""


@dataclass(frozen=True, slots=True)
class MadeSpan:
    """One span. Times are nanoseconds since the epoch; ids are bytes; `error_type` is empty where it went well."""

    span_id: bytes
    parent_id: bytes
    name: str
    start_ns: int
    end_ns: int
    attributes: dict[str, AttributeValue]
    error_type: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class MadeScore:
    """A score of the whole trace, given at `time_ns`."""

    score_id: str
    name: str
    value: float
    label: str
    source: str
    time_ns: int


@dataclass(slots=True)
class MadeTrace:
    """One answered question: who asked where, its spans (root first) and its scores."""

    trace_id: bytes
    environment: str
    release: str
    spans: list[MadeSpan] = field(default_factory=list)
    scores: list[MadeScore] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Moment:
    """What holds at one time: the release, the prompt, and how the provider does."""

    release: str
    prompt_version: str
    slowness: float
    failure_rate: float


def make_traces(*, seed: int, until: datetime, traces: int) -> Iterator[MadeTrace]:
    """Traces of the `DAYS` days before `until`, in order of time.

    Args:
        seed: the same seed, end and number give the same traces.
        until: end of the last trace at the latest; with a time zone.
        traces: how many.
    """
    random = Random(seed)
    for start in _starts(random, until, traces):
        yield _Conversation(random, start, until).trace()


def _starts(random: Random, until: datetime, count: int) -> list[datetime]:
    # Two hours short of the full days: for a while, "the last 14 days" has all of it, and the time before has nothing.
    hours = [until - timedelta(hours=hours_ago) for hours_ago in range(DAYS * 24 - 2, 0, -1)]
    chosen = random.choices(hours, [_traffic(hour) for hour in hours], k=count)
    # A trace takes at most some thirty seconds; none may end after `until`.
    return sorted(hour + timedelta(seconds=random.uniform(0, 3540)) for hour in chosen)


def _traffic(hour: datetime) -> float:
    """Relative traffic: a low at 03:00 UTC, a peak at 15:00, half of it at weekends."""
    day = 1.0 + 0.85 * math.sin((hour.hour - 9) / 24 * 2 * math.pi)
    return day * (0.5 if hour.weekday() >= 5 else 1.0)


def _moment(start: datetime, until: datetime) -> _Moment:
    days_ago = (until - start) / timedelta(days=1)
    release = "1.3.0" if days_ago > 9 else "1.4.0" if days_ago > 3 else "1.4.1"
    incident_day = (until - timedelta(days=INCIDENT_DAYS_AGO)).date()
    in_incident = start.date() == incident_day and INCIDENT_HOURS[0] <= start.hour < INCIDENT_HOURS[1]
    return _Moment(
        release=release,
        prompt_version="v1" if days_ago > 6 else "v2",
        slowness=3.5 if in_incident else 1.0,
        failure_rate=0.35 if in_incident else 0.02,
    )


@cache
def _answer(question: Question) -> str:
    if not question.article:
        order = next(order for order in ORDERS if order in question.text)
        return f"I looked it up: your order is {ORDERS[order]}. You get a message as soon as that changes."
    text = next(article.text for article in ARTICLES if article.id == question.article)
    messages = [{"role": "system", "content": f"Articles: {text}"}, {"role": "user", "content": question.text}]
    return complete(messages, [], json_mode=False).text


def _messages(*turns: tuple[str, str]) -> str:
    """The GenAI conventions' form of messages, as JSON."""
    return json.dumps(
        [{"role": role, "parts": [{"type": "text", "content": content}]} for role, content in turns], ensure_ascii=False
    )


class _Conversation:
    """Builds one trace; the clock runs as its spans are added."""

    def __init__(self, random: Random, start: datetime, until: datetime) -> None:
        self._random = random
        self._start_ns = int(start.timestamp() * 1e9)
        self._now_ns = self._start_ns
        self._moment = _moment(start, until)
        self._environment = random.choices(["production", "staging", "development"], [82, 13, 5])[0]
        self._question = random.choices(QUESTIONS, [3 if q.article else 2 for q in QUESTIONS])[0]
        # One in eight answers since release 1.4.0 comes from the model on trial.
        on_trial = self._moment.release != "1.3.0" and random.random() < 0.125
        self._provider, self._model = ("anthropic", "claude-sonnet-4-5") if on_trial else ("openai", "gpt-4.1-mini")
        user = random.choice(USERS)
        self._context: dict[str, AttributeValue] = {
            names.SESSION_ID: f"{user.partition('@')[0]}-{start:%Y%m%d}-{random.randrange(4)}",
            names.USER_ID: user,
            names.TAGS: [self._question.article or "orders", random.choice(["web", "app", "mail"])],
            names.METADATA_PREFIX + "country": random.choices(["de", "fr", "nl", "no"], [5, 3, 2, 1])[0],
            names.PROMPT_NAME: "support-answer",
            names.PROMPT_VERSION: self._moment.prompt_version,
        }
        self._trace = MadeTrace(self._id(16), self._environment, self._moment.release)

    def trace(self) -> MadeTrace:
        root_id = self._id(8)
        failure = self._steps(root_id)
        answer = "" if failure else _answer(self._question)
        outcome: dict[str, AttributeValue] = (
            {names.OUTPUT: answer, names.OUTPUT_MIME: names.MIME_TEXT} if answer else {}
        )
        root = self._span(
            root_id,
            b"",
            "support_bot",
            self._start_ns,
            {names.OPERATION: "invoke_workflow", **self._text_input(self._question.text), **outcome},
            *failure,
        )
        self._trace.spans.insert(0, root)
        self._score(bool(failure))
        return self._trace

    def _steps(self, root_id: bytes) -> tuple[str, str] | tuple[()]:
        """The spans below the root; returns the error that ended them, if one did."""
        self._guardrail(root_id)
        self._retrieve(root_id)
        if self._question.article:
            return self._ask(root_id, self._question.text, _answer(self._question))
        failure = self._ask(root_id, self._question.text, "", tool="order_status")
        if failure:
            return failure
        self._tool(root_id)
        return self._ask(root_id, self._question.text, _answer(self._question))

    def _guardrail(self, parent: bytes) -> None:
        start, span_id = self._now_ns, self._id(8)
        verdict = json.dumps({"allowed": True, "topic": "help" if self._question.article else "order"})
        usage = self._usage(180 + tokens(self._question.text), tokens(verdict), cached=128)
        self._llm(span_id, "judge", "openai", JUDGE_MODEL, 0.25, self._question.text, verdict, usage)
        facts = {names.SPAN_KIND: "GUARDRAIL", **self._text_input(self._question.text), names.OUTPUT: verdict}
        self._add(span_id, parent, "check_question", start, {**facts, names.OUTPUT_MIME: names.MIME_JSON})

    def _retrieve(self, parent: bytes) -> None:
        start, span_id = self._now_ns, self._id(8)
        self._pass(0.06)
        embedded: dict[str, AttributeValue] = {
            names.OPERATION: "embeddings",
            names.PROVIDER: "openai",
            names.REQUEST_MODEL: EMBEDDING_MODEL,
            names.RESPONSE_MODEL: EMBEDDING_MODEL,
            names.INPUT_TOKENS: tokens(self._question.text),
        }
        self._add(self._id(8), span_id, "embed", start, {**embedded, **self._text_input(self._question.text)})
        self._pass(0.01)
        others = self._random.sample([article.id for article in ARTICLES if article.id != self._question.article], 3)
        found = [self._question.article, *others[:2]] if self._question.article else others
        facts: dict[str, AttributeValue] = {
            names.OPERATION: "retrieval",
            names.RETRIEVAL_QUERY: self._question.text,
            names.OUTPUT: json.dumps(found),
        }
        self._add(span_id, parent, "retrieve", start, {**facts, names.OUTPUT_MIME: names.MIME_JSON})

    def _tool(self, parent: bytes) -> None:
        start = self._now_ns
        self._pass(0.08)
        order = next(order for order in ORDERS if order in self._question.text)
        facts: dict[str, AttributeValue] = {
            names.OPERATION: "execute_tool",
            names.TOOL_NAME: "order_status",
            names.TOOL_ARGUMENTS: json.dumps({"order_id": order}),
            names.TOOL_RESULT: ORDERS[order],
        }
        self._add(self._id(8), parent, "order_status", start, facts)

    def _ask(self, parent: bytes, question: str, answer: str, tool: str = "") -> tuple[str, str] | tuple[()]:
        if self._random.random() < self._moment.failure_rate:
            return self._failed_ask(parent, question)
        said = answer or tool
        # The second prompt version carries two more examples and answers more briefly.
        sent = (1150 if self._moment.prompt_version == "v2" else 820) + tokens(question) + self._random.randrange(90)
        usage = self._usage(sent, int(tokens(said) * (1.0 if self._moment.prompt_version == "v2" else 1.3)), cached=640)
        self._llm(parent, "ask", self._provider, self._model, 1.1, question, said, usage, tool=tool, streamed=not tool)
        return ()

    def _failed_ask(self, parent: bytes, question: str) -> tuple[str, str]:
        start = self._now_ns
        failure = self._random.choices(
            [
                ("RateLimitError", "Error code: 429 - Rate limit reached for requests per minute."),
                ("APITimeoutError", "Request timed out."),
            ],
            [3, 1],
        )[0]
        self._pass(0.2 if failure[0] == "RateLimitError" else 10.0)
        facts = {names.OPERATION: "chat", names.PROVIDER: self._provider, names.REQUEST_MODEL: self._model}
        facts[names.INPUT_MESSAGES] = _messages(("user", question))
        self._add(self._id(8), parent, "ask", start, facts, *failure)
        return failure

    def _llm(
        self,
        parent: bytes,
        name: str,
        provider: str,
        model: str,
        seconds: float,
        question: str,
        answer: str,
        usage: dict[str, AttributeValue],
        *,
        tool: str = "",
        streamed: bool = False,
    ) -> None:
        start = self._now_ns
        first_token_s = self._pass(seconds * 0.35 * self._moment.slowness)
        self._pass(seconds * 0.65 * self._moment.slowness)
        facts: dict[str, AttributeValue] = {
            names.OPERATION: "chat",
            names.PROVIDER: provider,
            names.REQUEST_MODEL: model,
            names.RESPONSE_MODEL: model,
            names.RESPONSE_ID: f"chatcmpl-{self._random.getrandbits(48):012x}",
            names.FINISH_REASONS: ["tool_calls" if tool else "stop"],
            names.INPUT_MESSAGES: _messages(
                ("system", "You help the customers of a shop. Be brief."), ("user", question)
            ),
            names.OUTPUT_MESSAGES: _messages(("assistant", answer)),
            **usage,
        }
        if streamed:
            facts |= {names.STREAM: True, names.TTFT: round(first_token_s, 4)}
        self._add(self._id(8), parent, name, start, facts)

    def _usage(self, sent: int, said: int, *, cached: int) -> dict[str, AttributeValue]:
        usage: dict[str, AttributeValue] = {names.INPUT_TOKENS: sent, names.OUTPUT_TOKENS: max(1, said)}
        if self._random.random() < 0.6:
            usage[names.CACHE_READ_TOKENS] = cached
        return usage

    def _score(self, failed: bool) -> None:
        if self._environment != "production":
            return
        later_ns = self._now_ns + int(self._random.uniform(2, 20) * 1e9)
        if self._random.random() < 0.25:
            liked = not failed and self._random.random() < (0.9 if self._moment.prompt_version == "v2" else 0.8)
            label = "thumbs_up" if liked else "thumbs_down"
            self._trace.scores.append(MadeScore(self._id(16).hex(), "thumbs", float(liked), label, "user", later_ns))
        if not failed and self._random.random() < 0.3:
            grounded = round(min(1.0, self._random.betavariate(9, 1.5)), 3)
            self._trace.scores.append(MadeScore(self._id(16).hex(), "groundedness", grounded, "", "code", later_ns))

    def _text_input(self, text: str) -> dict[str, AttributeValue]:
        return {names.INPUT: text, names.INPUT_MIME: names.MIME_TEXT}

    def _pass(self, seconds: float) -> float:
        """Let about `seconds` pass, with the long tail of real latencies; returns how many did."""
        passed = seconds * self._random.lognormvariate(0.0, 0.35)
        self._now_ns += int(passed * 1e9)
        return passed

    def _add(
        self,
        span_id: bytes,
        parent: bytes,
        name: str,
        start_ns: int,
        facts: Mapping[str, AttributeValue],
        *failure: str,
    ) -> None:
        self._trace.spans.append(self._span(span_id, parent, name, start_ns, facts, *failure))

    def _span(
        self,
        span_id: bytes,
        parent: bytes,
        name: str,
        start_ns: int,
        facts: Mapping[str, AttributeValue],
        *failure: str,
    ) -> MadeSpan:
        error_type, message = failure if failure else ("", "")
        error: dict[str, AttributeValue] = {names.ERROR_TYPE: error_type} if error_type else {}
        attributes = {**self._context, **facts, **error}
        return MadeSpan(span_id, parent, name, start_ns, self._now_ns, attributes, error_type, message)

    def _id(self, size: int) -> bytes:
        return self._random.randbytes(size)
