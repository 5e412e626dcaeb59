"""Calls of a judge's model: paid before they are made, tried again where that helps, and told of one by one."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from spanwise_collector.alerts.channels.message import SendError
from spanwise_collector.alerts.channels.secrets import Secret, without
from spanwise_collector.evals.budget import Purse
from spanwise_collector.evals.chat_http import (
    ChatEndpoint,
    EndpointAwayError,
    EndpointBrokenError,
    EndpointTimeoutError,
    Reply,
)
from spanwise_collector.evals.config import JudgeEntry
from spanwise_collector.evals.money import PriceUnknownError, most_it_may_cost, what_it_cost
from spanwise_collector.evals.verdicts import AnswerError, Completion, read_completion
from spanwise_collector.ingest.cost import UnitPrices

log = logging.getLogger(__name__)

ErrorClass = Literal[
    "timeout",
    "away",
    "broken_answer",
    "rate_limited",
    "server_error",
    "no_access",
    "no_price",
    "bad_request",
    "not_json",
    "wrong_shape",
    "refused",
    "truncated",
    "too_long",
    "evaluator_failed",
]
ERROR_CLASSES: Final[tuple[ErrorClass, ...]] = get_args(ErrorClass)
FIRST_WAIT_S: Final = 0.5
MAX_WAIT_S: Final = 60.0
"""An endpoint that asks to wait longer is not waited for."""
_AGAIN: Final[frozenset[ErrorClass]] = frozenset({"timeout", "away", "broken_answer", "rate_limited", "server_error"})
_NOTHING_DONE: Final = (429, 503)


class JudgeError(Exception):
    """There is no verdict.

    Attributes:
        kind: class of the error.
        calls: that were made.
    """

    def __init__(self, kind: ErrorClass, detail: str, calls: "Sequence[Call]" = ()) -> None:
        super().__init__(detail)
        self.kind: ErrorClass = kind
        self.calls = tuple(calls)


class BudgetSpentError(Exception):
    """The day's limit does not allow another call.

    Attributes:
        calls: that were made before.
    """

    def __init__(self, calls: "Sequence[Call]" = ()) -> None:
        super().__init__("usd_per_day is spent; judging goes on at midnight, UTC")
        self.calls = tuple(calls)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the model, as it is traced.

    Attributes:
        start_ns: nanoseconds since the epoch.
        end_ns: likewise.
        messages: that were sent.
        text: that came; "" for none.
        completion: what the endpoint said; None where there was no answer.
        held_n: nano-dollars that were set aside for it.
        cost_n: nano-dollars that were counted for it; more than that where the endpoint charges for more than it may.
        error: class of what went wrong; "" for nothing.
        detail: what went wrong, for people.
    """

    start_ns: int
    end_ns: int
    messages: Sequence[Mapping[str, str]]
    text: str
    completion: Completion | None
    held_n: int
    cost_n: int
    error: ErrorClass | Literal[""] = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Means:
    """What calling needs of the world.

    Attributes:
        endpoint: sends requests.
        purse: pays.
        prices: of the model, now.
        key: the API key.
        now_ns: nanoseconds since the epoch.
        wait: sleeps for seconds; raises `StoppedError` at a stop.
        jitter: random numbers in [0, 1).
    """

    endpoint: ChatEndpoint
    purse: Purse
    prices: Callable[[], UnitPrices]
    key: Secret
    now_ns: Callable[[], int]
    wait: Callable[[float], None]
    jitter: Callable[[], float]


def request_body(entry: JudgeEntry, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> bytes:
    """The request as it is sent."""
    body: dict[str, Any] = {"model": entry.model, "messages": list(messages), entry.max_tokens_field: entry.max_tokens}
    if entry.send_temperature:
        body["temperature"] = 0
    if entry.response_format == "json_schema":
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "verdict", "strict": True, "schema": dict(schema)},
        }
    elif entry.response_format == "json_object":
        body["response_format"] = {"type": "json_object"}
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def ask(
    entry: JudgeEntry, means: Means, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]
) -> tuple[str, list[Call]]:
    """What the model writes, and the calls that it took.

    Raises:
        JudgeError: there is no text, after all attempts that make sense.
        BudgetSpentError: the next call could go beyond the day's limit.
        StoreError: the budget's ledger does not answer; no further call was made.
        StoppedError: the collector stops while it waits to try again.
    """
    body = request_body(entry, messages, schema)
    try:
        secret = means.key.read() if means.key.is_given else ""
    except SendError as error:
        raise JudgeError("no_access", str(error)) from None
    made: list[Call] = []
    for attempt in range(1, entry.attempts + 1):
        call, wait_s = _attempt(entry, means, messages, body, secret, made)
        made.append(call)
        if not call.error:
            return call.text, made
        if call.error not in _AGAIN or attempt == entry.attempts or (wait_s or 0.0) > MAX_WAIT_S:
            break
        backoff_s = FIRST_WAIT_S * 2 ** (attempt - 1) * (0.5 + means.jitter())
        means.wait(min(MAX_WAIT_S, max(backoff_s, wait_s or 0.0)))
    last = made[-1]
    raise JudgeError(last.error or "broken_answer", last.detail, made)


def _attempt(
    entry: JudgeEntry,
    means: Means,
    messages: Sequence[Mapping[str, str]],
    body: bytes,
    secret: str,
    made: Sequence[Call],
) -> tuple[Call, float | None]:
    """One call, and how long the endpoint asks to wait before the next."""
    try:
        prices = means.prices()
    except PriceUnknownError as error:
        raise JudgeError("no_price", str(error), made) from None
    hold = means.purse.reserve(most_it_may_cost(prices, len(body), entry.max_tokens))
    if hold is None:
        raise BudgetSpentError(made)
    cost_n, start_ns = hold.amount_n, means.now_ns()
    completion: Completion | None = None
    kind: ErrorClass | Literal[""] = ""
    detail, wait_s = "", None
    try:
        reply = means.endpoint.post(_address(entry.endpoint), body, _headers(secret), entry.timeout_seconds)
        kind, detail, completion = _read(reply)
        wait_s = reply.retry_after_s
        # What is not known to be free is counted with the most that it may have cost.
        if completion is not None:
            told_n = what_it_cost(prices, completion)
            cost_n = hold.amount_n if told_n is None else told_n
        elif reply.status in _NOTHING_DONE or 400 <= reply.status < 500:
            cost_n = 0
    except EndpointTimeoutError as error:
        kind, detail = "timeout", str(error)
    except EndpointAwayError as error:
        kind, detail, cost_n = "away", str(error), 0
    except EndpointBrokenError as error:
        kind, detail = "broken_answer", str(error)
    finally:
        means.purse.settle(hold, cost_n)
    if cost_n > hold.amount_n:
        log.error(
            "The judge %s of the project %s was charged for more tokens than it had asked for (%d instead of at most "
            "%d nano-dollars). The day's limit can't be kept with such an endpoint; what is too much is taken from it.",
            entry.name,
            entry.project,
            cost_n,
            hold.amount_n,
        )
    text = completion.text if completion is not None else ""
    detail = without(detail, secret)
    return Call(start_ns, means.now_ns(), messages, text, completion, hold.amount_n, cost_n, kind, detail), wait_s


def _read(reply: Reply) -> tuple[ErrorClass | Literal[""], str, Completion | None]:
    if reply.status == 200:
        try:
            completion = read_completion(reply.body)
        except AnswerError as error:
            return error.kind, str(error), None
        if completion.problem is not None:
            return completion.problem.kind, str(completion.problem), completion
        return "", "", completion
    said = " ".join(reply.body[:400].decode("utf-8", "replace").split())[:200]
    detail = f"the endpoint answered {reply.status}{f': {said}' if said else ''}"
    if reply.status == 429:
        return "rate_limited", detail, None
    if reply.status in (401, 403):
        return "no_access", f"{detail}; look at api_key_env or api_key_file", None
    if reply.status in (408, 409, 425) or reply.status >= 500:
        return "server_error", detail, None
    return "bad_request", detail, None


def _address(endpoint: str) -> str:
    return f"{endpoint.rstrip('/')}/chat/completions"


def _headers(secret: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return {**headers, "Authorization": f"Bearer {secret}"} if secret else headers
