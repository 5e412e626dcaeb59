"""The assistant: guardrail, retrieval, a model that may call a tool, each a span.

Read this one to see what instrumenting an application looks like; the other files of this folder are its surroundings.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from openai import OpenAI, OpenAIError
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionToolParam

import spanwise
from examples.support_bot.knowledge import ARTICLES, ORDERS

PROMPT_NAME, PROMPT_VERSION = "support-answer", "v2"
INSTRUCTIONS = (
    "You help the customers of a shop for audio devices. Answer in at most three sentences, only from the articles "
    "below. Call order_status when the customer asks about an order.\n\nArticles:\n"
)
JUDGE_INSTRUCTIONS = (
    "Decide whether the message below is a customer's question that a shop's assistant may answer. "
    'Answer with JSON: {"allowed": true or false, "topic": "order" or "help", "reason": "..."}.'
)
REFUSAL = "I can only help with orders and products of this shop."
TOOLS: list[ChatCompletionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": "order_status",
            "description": "The state of an order.",
            "parameters": {
                "type": "object",
                "properties": {"order_id": {"type": "string", "description": "Five digits."}},
                "required": ["order_id"],
            },
        },
    }
]


@dataclass(frozen=True, slots=True)
class Models:
    """Which models the assistant uses."""

    answer: str = "gpt-4.1-mini"
    judge: str = "gpt-4.1-nano"
    embedding: str = "text-embedding-3-small"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the customer reads, and the trace that made it, for scores that come later."""

    text: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model wants to have called; `arguments` is JSON, if the model kept to it."""

    id: str
    name: str
    arguments: str


class SupportBot:
    """Answers questions. Safe to use from several threads."""

    def __init__(self, client: OpenAI, models: Models | None = None) -> None:
        self._client = client
        self._models = models or Models()
        self._index = self._embed([f"{article.title}. {article.text}" for article in ARTICLES])

    def reply(self, question: str) -> Reply:
        """Answer one question.

        Raises:
            OpenAIError: the model could not be reached, or refused.
        """
        with spanwise.span("support_bot", kind="chain") as span:
            span.set_input(question)
            text = self._guarded_answer(question)
            span.set_output(text)
            return Reply(text, span.trace_id)

    @spanwise.observe(name="check_question", kind="guardrail")
    def check_question(self, question: str) -> bool:
        """Whether the assistant may answer this.

        Raises:
            ValueError: the model did not answer with the JSON it was asked for.
        """
        messages: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": JUDGE_INSTRUCTIONS},
            {"role": "user", "content": question},
        ]
        with spanwise.span("judge", kind="llm") as span:
            span.set_input(messages)
            span.set_model(self._models.judge, provider="openai")
            response = self._client.chat.completions.create(
                model=self._models.judge, messages=messages, response_format={"type": "json_object"}
            )
            span.record_response(response)
        verdict = json.loads(response.choices[0].message.content or "")
        return bool(verdict["allowed"])

    @spanwise.observe(name="retrieve", kind="retriever")
    def retrieve(self, question: str, count: int = 3) -> list[dict[str, str]]:
        """The articles nearest to the question, nearest first."""
        with spanwise.span("embed", kind="embedding") as span:
            span.set_input(question)
            span.set_model(self._models.embedding, provider="openai")
            [wanted] = self._embed([question])
        nearness = [sum(a * b for a, b in zip(wanted, vector, strict=True)) for vector in self._index]
        nearest = sorted(zip(nearness, ARTICLES, strict=True), key=lambda pair: -pair[0])[:count]
        return [{"id": article.id, "title": article.title, "text": article.text} for _, article in nearest]

    @spanwise.observe(name="order_status", kind="tool")
    def order_status(self, order_id: str) -> str:
        """The state of an order."""
        return ORDERS.get(order_id, "unknown")

    def _guarded_answer(self, question: str) -> str:
        try:
            allowed = self.check_question(question)
        except (OpenAIError, ValueError):
            # The guardrail's span has the error. A broken guardrail does not silence the assistant.
            allowed = True
        if not allowed:
            return REFUSAL
        with spanwise.prompt(PROMPT_NAME, PROMPT_VERSION):
            return self._answer(question)

    def _answer(self, question: str) -> str:
        articles = self.retrieve(question)
        context = "\n".join(f"{article['title']}: {article['text']}" for article in articles)
        messages: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": INSTRUCTIONS + context},
            {"role": "user", "content": question},
        ]
        text, call = self._ask(messages)
        if call is None:
            return text
        result = self.order_status(json.loads(call.arguments)["order_id"])
        function = {"name": call.name, "arguments": call.arguments}
        asked: Any = {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": function}]}
        messages += [asked, {"role": "tool", "tool_call_id": call.id, "content": result}]
        text, _ = self._ask(messages)
        return text

    def _ask(self, messages: list[ChatCompletionMessageParam]) -> tuple[str, ToolCall | None]:
        with spanwise.span("ask", kind="llm") as span:
            span.set_input(messages)
            span.set_model(self._models.answer, provider="openai")
            stream = self._client.chat.completions.create(
                model=self._models.answer,
                messages=messages,
                tools=TOOLS,
                stream=True,
                stream_options={"include_usage": True},
            )
            # The wrapped stream hands out the same chunks and notes the time of the first, the usage and the answer.
            return _collect(span.record_response(stream))

    def _embed(self, texts: list[str]) -> list[list[float]]:
        response = self._client.embeddings.create(model=self._models.embedding, input=texts)
        spanwise.current_span().record_response(response)
        return [item.embedding for item in response.data]


def _collect(stream: Iterable[ChatCompletionChunk]) -> tuple[str, ToolCall | None]:
    text, call = "", None
    for chunk in stream:
        for choice in chunk.choices:
            text += choice.delta.content or ""
            for part in choice.delta.tool_calls or []:
                before = call or ToolCall("", "", "")
                name, arguments = (part.function.name, part.function.arguments) if part.function else ("", "")
                call = ToolCall(part.id or before.id, name or before.name, before.arguments + (arguments or ""))
    return text.strip(), call
