"""One request of the history as a trace: what the bot would have done, in spans and scores."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from random import Random
from typing import Final

from bench.traffic import Request
from examples.support_bot.knowledge import ARTICLES, ORDERS, QUESTIONS, USERS, Question
from examples.support_bot.made import AttributeValue, MadeScore, MadeSpan, MadeTrace
from examples.support_bot.reviews import reviews
from examples.support_bot.stub_model import complete, tokens
from spanwise_schemas import attributes as names

JUDGE_MODEL: Final = "gpt-4.1-nano"
EMBEDDING_MODEL: Final = "text-embedding-3-small"
_PROVIDERS: Final = {"gpt-4.1-mini": "openai", "gpt-4.1": "openai", "mistral-small": "mistral_ai"}
_MODELS: Final = {"mistral-small": "mistral-small-latest"}
_PROMPTS: Final = {"v7": "v1", "v8": "v2", "v9": "v3"}
_RELEASES: Final = {"2.3.0": "1.4.0", "2.4.0": "1.4.1"}
_REFUSALS: Final = (
    "I'm sorry, but I can't help with that request.",
    "I cannot assist with that. Please contact our support team.",
    "I'm unable to help with this question.",
    "I'm sorry, I am not able to provide information about that.",
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


def _tool_call(tool: str, question: str) -> str:
    order = next(order for order in ORDERS if order in question)
    part = {"type": "tool_call", "id": f"call_{order}", "name": tool, "arguments": {"order_id": order}}
    return json.dumps([{"role": "assistant", "parts": [part]}])


class Conversation:
    """Builds one trace; the clock runs as its spans are added.

    Args:
        random: for what the request does not say.
        request: when it came, how long it took, what went wrong.
        until: nothing ends later.
    """

    def __init__(self, random: Random, request: Request, until: datetime) -> None:
        self._random = random
        self._request = request
        self._start_ns = int(request.time.timestamp() * 1e9)
        self._until_ns = int(until.timestamp() * 1e9)
        self._now_ns = self._start_ns
        dims = request.dimensions
        wanted = [one for one in QUESTIONS if bool(one.article) == (dims["tool"] == "none")]
        self._question = random.choice(wanted)
        self._model = _MODELS.get(dims["model"], dims["model"])
        self._provider = _PROVIDERS[dims["model"]]
        user = random.choice(USERS)
        self._context: dict[str, AttributeValue] = {
            names.SESSION_ID: f"{user.partition('@')[0]}-{request.time:%Y%m%d}-{random.randrange(4)}",
            names.USER_ID: user.replace("@", f".{dims['user_group']}@"),
            names.USER_GROUP: dims["user_group"],
            names.TAGS: [self._question.article or "orders", random.choice(["web", "app", "mail"])],
            names.METADATA_PREFIX + "country": random.choices(["de", "fr", "nl", "no"], [5, 3, 2, 1])[0],
            names.PROMPT_NAME: "support-answer",
            names.PROMPT_VERSION: _PROMPTS[dims["prompt_version"]],
        }
        self._trace = MadeTrace(self._id(16), dims["environment"], _RELEASES[dims["release"]])

    def trace(self) -> MadeTrace:
        """The trace; to be called once."""
        root_id = self._id(8)
        failure = self._steps(root_id)
        outcome: dict[str, AttributeValue] = (
            {} if failure else {names.OUTPUT: self._answer(), names.OUTPUT_MIME: names.MIME_TEXT}
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

    def _answer(self) -> str:
        if self._request.refusal:
            return _REFUSALS[self._request.number % len(_REFUSALS)]
        return _answer(self._question)

    def _steps(self, root_id: bytes) -> tuple[str, str] | tuple[()]:
        """The spans below the root; returns the error that ended them, if one did."""
        self._guardrail(root_id)
        self._retrieve(root_id)
        error = self._request.error
        if self._question.article:
            return self._failed_ask(root_id) if error else self._ask(root_id, 1.0)
        if error and error != "tool_error":
            return self._failed_ask(root_id)
        self._ask(root_id, 0.4, tool="order_status")
        if failure := self._tool(root_id, failed=error == "tool_error"):
            return failure
        return self._ask(root_id, 0.6)

    def _guardrail(self, parent: bytes) -> None:
        start, span_id = self._now_ns, self._id(8)
        verdict = json.dumps({"allowed": True, "topic": "help" if self._question.article else "order"})
        usage = self._usage(180 + tokens(self._question.text), tokens(verdict), cached=128)
        self._llm(span_id, "judge", "openai", JUDGE_MODEL, self._about(0.25), self._question.text, verdict, usage)
        facts = {names.SPAN_KIND: "GUARDRAIL", **self._text_input(self._question.text), names.OUTPUT: verdict}
        self._add(span_id, parent, "check_question", start, {**facts, names.OUTPUT_MIME: names.MIME_JSON})

    def _retrieve(self, parent: bytes) -> None:
        start, span_id = self._now_ns, self._id(8)
        self._pass(self._about(0.06))
        embedded: dict[str, AttributeValue] = {
            names.OPERATION: "embeddings",
            names.PROVIDER: "openai",
            names.REQUEST_MODEL: EMBEDDING_MODEL,
            names.RESPONSE_MODEL: EMBEDDING_MODEL,
            names.INPUT_TOKENS: tokens(self._question.text),
        }
        self._add(self._id(8), span_id, "embed", start, {**embedded, **self._text_input(self._question.text)})
        self._pass(self._about(0.01))
        others = self._random.sample([article.id for article in ARTICLES if article.id != self._question.article], 3)
        found = [self._question.article, *others[:2]] if self._question.article else others
        facts: dict[str, AttributeValue] = {
            names.OPERATION: "retrieval",
            names.RETRIEVAL_QUERY: self._question.text,
            names.OUTPUT: json.dumps(found),
        }
        self._add(span_id, parent, "retrieve", start, {**facts, names.OUTPUT_MIME: names.MIME_JSON})

    def _tool(self, parent: bytes, *, failed: bool) -> tuple[str, str] | tuple[()]:
        start = self._now_ns
        self._pass(self._about(0.08))
        order = next(order for order in ORDERS if order in self._question.text)
        facts: dict[str, AttributeValue] = {
            names.OPERATION: "execute_tool",
            names.TOOL_NAME: "order_status",
            names.TOOL_ARGUMENTS: json.dumps({"order_id": order}),
        }
        failure: tuple[str, str] | tuple[()] = ()
        if failed:
            failure = ("OrderServiceError", f"order service answered 502 for order {order}, attempt 3")
        else:
            facts[names.TOOL_RESULT] = ORDERS[order]
        self._add(self._id(8), parent, "order_status", start, facts, *failure)
        return failure

    def _ask(self, parent: bytes, part: float, tool: str = "") -> tuple[()]:
        """A call of the model, which takes this part of what the request took and used."""
        made = self._request
        sent, said = max(1, round(made.input_tokens * part)), max(1, round(made.output_tokens * part))
        usage = self._usage(sent, said, cached=int(0.6 * sent))
        text = tool or self._answer()
        seconds = made.latency_ms / 1000 * part
        question = self._question.text
        self._llm(
            parent, "ask", self._provider, self._model, seconds, question, text, usage, tool=tool, streamed=not tool
        )
        return ()

    def _failed_ask(self, parent: bytes) -> tuple[str, str]:
        start = self._now_ns
        failure, seconds = self._failure()
        self._pass(seconds)
        facts = {names.OPERATION: "chat", names.PROVIDER: self._provider, names.REQUEST_MODEL: self._model}
        facts[names.INPUT_MESSAGES] = _messages(("user", self._question.text))
        self._add(self._id(8), parent, "ask", start, facts, *failure)
        return failure

    def _failure(self) -> tuple[tuple[str, str], float]:
        """What the client raises, and after how many seconds."""
        used, wanted = self._random.randrange(28_000, 30_000), self._random.randrange(900, 4000)
        match self._request.error:
            case "rate_limit" | "tool_error":
                return (
                    "RateLimitError",
                    f"Error code: 429 - Rate limit reached for {self._model} on tokens per min (TPM): "
                    f"Limit 30000, Used {used}, Requested {wanted}. Please try again in {wanted}ms.",
                ), self._about(0.2)
            case "timeout":
                return ("APITimeoutError", "Request timed out."), self._about(10.0)
            case "overload":
                request = self._random.getrandbits(64)
                return (
                    "InternalServerError",
                    f"Error code: 503 - The server is overloaded or not ready yet. (request id req_{request:016x})",
                ), self._about(1.0)
            case _:
                column = self._random.randrange(20, 400)
                return (
                    "JSONDecodeError",
                    f"Expecting ',' delimiter: line 1 column {column} (char {column - 1})",
                ), self._request.latency_ms / 1000

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
        first = self._request.ttft_ms / self._request.latency_ms if streamed else 0.35
        first_token_s = self._pass(seconds * first)
        self._pass(seconds * (1 - first))
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
            names.OUTPUT_MESSAGES: _tool_call(tool, question) if tool else _messages(("assistant", answer)),
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
        if self._trace.environment != "production":
            return
        later_ns = min(self._now_ns + int(self._random.uniform(2, 20) * 1e9), self._until_ns)
        if self._random.random() < 0.25:
            liked = not failed and self._random.random() < (0.2 if self._request.refusal else 0.85)
            label = "thumbs_up" if liked else "thumbs_down"
            self._trace.scores.append(MadeScore(self._id(16).hex(), "thumbs", float(liked), label, "user", later_ns))
        if not failed and self._request.score is not None:
            grounded = round(self._request.score, 3)
            self._trace.scores.append(MadeScore(self._id(16).hex(), "groundedness", grounded, "", "code", later_ns))
        if not failed:
            self._trace.scores += reviews(
                self._trace.trace_id, declined=self._request.refusal, time_ns=self._now_ns, until_ns=self._until_ns
            )

    def _text_input(self, text: str) -> dict[str, AttributeValue]:
        return {names.INPUT: text, names.INPUT_MIME: names.MIME_TEXT}

    def _about(self, seconds: float) -> float:
        """So many seconds, with the long tail of real latencies."""
        return seconds * self._random.lognormvariate(0.0, 0.35)

    def _pass(self, seconds: float) -> float:
        """Let time pass, though never beyond the end of the history; returns how much did."""
        before = self._now_ns
        self._now_ns = min(before + int(seconds * 1e9), self._until_ns)
        return (self._now_ns - before) / 1e9

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
