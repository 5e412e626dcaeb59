"""Deterministic traces for the dashboard's tests and screenshots, built from the API's models."""

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from spanwise_schemas.api import (
    CostDetail,
    Score,
    SpanDetail,
    SpanSummary,
    Status,
    TraceDetail,
    TraceSummary,
    Usage,
)
from spanwise_schemas.attributes import Kind
from spanwise_schemas.usage_reasons import meaning_of

HOSTILE = (
    "<script>window.pwned=1</script><img src=x onerror='window.pwned=2'> ![](http://evil.invalid/p.png) "
    "[click](javascript:window.pwned=3) $latex$ :material/home: **bold** :red[red] `code`"
)
"""What a user may type: markup of every kind that must stay text."""

QUESTIONS = (
    "How do I change the billing address on an invoice that was already sent?",
    "Why was my card declined although the bank says it is fine?",
    "Cancel my subscription at the end of the month",
    "Is there a way to export all tickets of the last quarter as CSV, including the attachments?",
    "The webhook returns 401 since this morning",
)
ANSWERS = (
    "Under Settings → Billing → Invoices. A sent invoice is corrected by a credit note, which we issue for you.",
    "The bank refused the 3-D Secure step. Please try again and confirm in your banking app within two minutes.",
    "Done: your plan ends on the last day of this month. You keep access until then.",
)
MODELS = (
    ("gpt-4o-mini", "openai", 150, 600),
    ("gpt-4o", "openai", 2500, 10_000),
    ("claude-sonnet-4-5", "anthropic", 3000, 15_000),
    ("llama-3.3-70b-local", "ollama", None, None),
)
"""Model, provider, nano-dollars per input and output token; None: no price is known."""


@dataclass
class Dataset:
    """What a collector holds."""

    now: datetime
    traces: list[TraceDetail] = field(default_factory=list)
    spans: dict[tuple[str, str], SpanDetail] = field(default_factory=dict)
    projects: tuple[str, ...] = ()

    def add(self, builder: "TraceBuilder") -> TraceDetail:
        """Adds a built trace."""
        trace, details = builder.build()
        self.traces.append(trace)
        self.spans |= {(trace.summary.trace_id, detail.summary.span_id): detail for detail in details}
        return trace


@dataclass
class TraceBuilder:
    """Collects the spans of one trace; `build` sums them up."""

    trace_id: str
    start: datetime
    environment: str = "production"
    user: str = ""
    session: str = ""
    tags: list[str] = field(default_factory=list)
    release: str = "2026.11.3"
    details: list[SpanDetail] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)

    def span(
        self,
        name: str,
        kind: Kind,
        offset_ms: float,
        duration_ms: float,
        *,
        parent: str = "",
        status: Status = "ok",
        model: int | None = None,
        usage: Usage | None = None,
        ttft_ms: float | None = None,
        input_text: str = "",
        output_text: str = "",
        **more: object,
    ) -> str:
        """Adds a span and returns its id."""
        span_id = f"{len(self.details) + 1:016x}"
        model_name, provider, input_price, output_price = MODELS[model] if model is not None else ("", "", None, None)
        usage = usage or Usage()
        priced = input_price is not None and output_price is not None
        input_cost = usage.input * input_price if input_price is not None else None
        output_cost = usage.output * output_price if output_price is not None else None
        total = input_cost + output_cost if input_cost is not None and output_cost is not None else None
        summary = SpanSummary(
            span_id=span_id,
            parent_span_id=parent,
            name=name,
            kind=kind,
            status=status,
            start_time=self.start + timedelta(milliseconds=offset_ms),
            offset_ms=offset_ms,
            duration_ms=duration_ms,
            ttft_ms=ttft_ms,
            model=model_name,
            provider=provider,
            tool_name=name if kind == "tool" else "",
            usage=usage,
            counts_usage=model is not None,
            cost_nanousd=total,
            error_type=str(more.get("error_type", "")),
            status_message=str(more.get("status_message", "")),
            input_preview=input_text[:256],
            output_preview=output_text[:256],
        )
        events = more.get("events", [])
        warnings = more.get("warnings", [])
        assert isinstance(events, list)
        assert isinstance(warnings, list)
        self.details.append(
            SpanDetail(
                summary=summary,
                trace_id=self.trace_id,
                project="default",
                service="support-bot",
                environment=self.environment,
                release=self.release,
                user_id=self.user,
                session_id=self.session,
                tags=self.tags,
                prompt_name="support-answer" if model is not None else "",
                prompt_version="7" if model is not None else "",
                model_request=model_name,
                model_response=f"{model_name}-2026-08-06" if model is not None else "",
                finish_reason="stop" if model is not None and status == "ok" else "",
                parameters={"temperature": "0.2", "max_tokens": "800"} if kind == "llm" else {},
                streaming=ttft_ms is not None,
                tool_call_id="call_1" if kind == "tool" else "",
                scope="spanwise",
                sdk="spanwise/0.1.0",
                convention="gen_ai",
                cost=CostDetail(
                    source="computed" if priced else "none",
                    input_nanousd=input_cost,
                    output_nanousd=output_cost,
                    total_nanousd=total,
                    price_version="genai-prices 0.2.3" if priced else "",
                ),
                input=input_text,
                output=output_text,
                bodies="stored" if input_text or output_text else "none",
                input_bytes=len(input_text.encode()),
                output_bytes=len(output_text.encode()),
                events=events,
                attributes={"http.route": "/api/answer", "spanwise.metadata.plan": "enterprise", "thread.id": "11"},
                warnings=warnings,
            )
        )
        return span_id

    def repeats(self, span_id: str, usage: Usage) -> None:
        """Lets a span that is no model call tell the usage of a call inside it, as agents do."""
        at = next(number for number, detail in enumerate(self.details) if detail.summary.span_id == span_id)
        detail = self.details[at]
        self.details[at] = detail.model_copy(
            update={
                "summary": detail.summary.model_copy(update={"usage": usage}),
                "usage_reason": "not_a_model_call",
                "usage_meaning": meaning_of("not_a_model_call"),
            }
        )

    def score(self, name: str, value: float | None, span_id: str = "", **more: str) -> None:
        """Attaches a score to the trace, or to a span of it."""
        self.scores.append(
            Score(
                score_id=f"{len(self.scores) + 1:032x}",
                target="span" if span_id else "trace",
                trace_id=self.trace_id,
                span_id=span_id,
                name=name,
                value=value,
                label=more.get("label", ""),
                explanation=more.get("explanation", ""),
                source="llm" if more.get("evaluator") else "user",
                evaluator=more.get("evaluator", ""),
                time=self.start + timedelta(minutes=1),
            )
        )

    def build(self) -> tuple[TraceDetail, list[SpanDetail]]:
        """The trace and its spans in order of start."""
        details = [
            detail.model_copy(
                update={"scores": [score for score in self.scores if score.span_id == detail.summary.span_id]}
            )
            for detail in self.details
        ]
        spans = sorted((detail.summary for detail in details), key=lambda span: span.offset_ms)
        root = next((span for span in spans if not span.parent_span_id), None)
        billed = [span for span in spans if span.counts_usage]
        costs = [span.cost_nanousd for span in billed if span.cost_nanousd is not None]
        summary = TraceSummary(
            trace_id=self.trace_id,
            name=root.name if root else "",
            start_time=self.start,
            duration_ms=max(span.offset_ms + span.duration_ms for span in spans),
            status=root.status if root else "unset",
            environment=self.environment,
            release=self.release,
            user_id=self.user,
            session_id=self.session,
            tags=self.tags,
            models=sorted({span.model for span in spans if span.model}),
            spans=len(spans),
            llm_calls=len(billed),
            errors=sum(span.status == "error" for span in spans),
            input_tokens=sum(span.usage.input for span in billed),
            output_tokens=sum(span.usage.output for span in billed),
            cost_nanousd=sum(costs) if costs else None,
            unpriced_calls=len(billed) - len(costs),
            input_preview=root.input_preview if root else "",
            output_preview=root.output_preview if root else "",
        )
        return TraceDetail(summary=summary, spans=spans, scores=self.scores, truncated=False), details


def messages(question: str, *, tool: bool = False) -> str:
    """A model call's input in the OpenTelemetry GenAI form."""
    found: list[dict[str, object]] = [
        {"role": "system", "parts": [{"type": "text", "content": "You are the support assistant of Acme. Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": question}]},
    ]
    if tool:
        call = {"type": "tool_call", "id": "call_1", "name": "lookup_invoice", "arguments": {"number": "INV-2041"}}
        result = {"type": "tool_call_response", "id": "call_1", "response": {"status": "sent", "total": 1290.5}}
        found += [{"role": "assistant", "parts": [call]}, {"role": "tool", "parts": [result]}]
    return json.dumps(found)


def answer(text: str) -> str:
    """A model call's output in the OpenTelemetry GenAI form."""
    parts = [
        {"type": "reasoning", "content": "The invoice is sent, so a credit note is needed."},
        {"type": "text", "content": text},
    ]
    return json.dumps([{"role": "assistant", "parts": parts, "finish_reason": "stop"}])


def chat_trace(rng: random.Random, trace_id: str, start: datetime, *, fails: bool = False) -> TraceBuilder:
    """A retrieval-augmented answer: route, retrieve, call a tool, generate, check."""
    user = f"user-{rng.randint(1, 60):03d}"
    built = TraceBuilder(
        trace_id,
        start,
        environment=rng.choice(("production", "production", "production", "staging")),
        user=user,
        session=f"{user}-{rng.randint(1, 4)}",
        tags=sorted(rng.sample(("beta", "chat", "eu", "vip"), rng.randint(0, 2))),
        release=rng.choice(("2026.11.2", "2026.11.3")),
    )
    question, reply = rng.choice(QUESTIONS), rng.choice(ANSWERS)
    model = rng.choices(range(len(MODELS)), (6, 3, 3, 1))[0]
    llm_ms = rng.lognormvariate(7.3, 0.45)
    total = 240 + llm_ms + 130
    root = built.span(
        rng.choice(("answer_question", "answer_question", "answer_question", "summarise_ticket", "triage")),
        "chain",
        0,
        total,
        status="error" if fails else "ok",
        input_text=json.dumps({"question": question}),
        output_text="" if fails else reply,
        error_type="RateLimitError" if fails else "",
        status_message="429: rate limit reached for the organisation" if fails else "",
    )
    retrieve = built.span(
        "retrieve_articles", "retriever", 12, 180, parent=root, input_text=question, output_text='[{"id": "kb-12"}]'
    )
    built.span("embed_query", "embedding", 15, 60, parent=retrieve, model=0, usage=Usage(input=18))
    agent = built.span("support_agent", "agent", 200, llm_ms + 120, parent=root, status="error" if fails else "ok")
    built.span(
        "lookup_invoice",
        "tool",
        205,
        35,
        parent=agent,
        input_text='{"number": "INV-2041"}',
        output_text='{"status": "sent", "total": 1290.5}',
    )
    exception = {
        "name": "exception",
        "time": (start + timedelta(milliseconds=245)).isoformat(),
        "attributes": {
            "exception.type": "openai.RateLimitError",
            "exception.message": "429: rate limit reached for the organisation",
            "exception.stacktrace": 'Traceback (most recent call last):\n  File "bot.py", line 41, in answer\n'
            "    client.chat.completions.create(model=model, messages=messages)\nopenai.RateLimitError: 429",
        },
    }
    call = built.span(
        "chat",
        "llm",
        245,
        llm_ms,
        parent=agent,
        model=model,
        status="error" if fails else "ok",
        usage=Usage(
            input=rng.randint(600, 3200), output=0 if fails else rng.randint(80, 700), cache_read=512, reasoning=64
        ),
        ttft_ms=None if fails else llm_ms * 0.3,
        input_text=messages(question, tool=True),
        output_text="" if fails else answer(reply),
        error_type="RateLimitError" if fails else "",
        status_message="429: rate limit reached for the organisation" if fails else "",
        events=[exception] if fails else [],
        warnings=[]
        if model != 3
        else ["no_price: llama-3.3-70b-local is in no price list; add it to SPANWISE_PRICES_FILE"],
    )
    if not fails:
        built.repeats(agent, built.details[-1].summary.usage)
    built.span("check_grounded", "guardrail", 245 + llm_ms, 40, parent=root)
    if not fails and rng.random() < 0.5:
        built.score("helpful", 1.0 if rng.random() < 0.8 else 0.0, label="thumbs_up")
        built.score(
            "grounded",
            round(rng.uniform(0.6, 1.0), 2),
            call,
            evaluator="grounded-v2",
            explanation="Cites kb-12 rightly.",
        )
    return built


def big_trace(trace_id: str, start: datetime, spans: int = 5000) -> TraceBuilder:
    """An agent that ran for long: nested steps with model and tool calls."""
    rng = random.Random(5)
    built = TraceBuilder(trace_id, start, user="user-001", session="user-001-1", tags=["batch"])
    root = built.span("nightly_reindex", "agent", 0, spans * 20.0, input_text='{"documents": 1200}', output_text="done")
    step, offset = root, 0.0
    while len(built.details) < spans:
        number = len(built.details)
        if number % 25 == 1:
            step = built.span(f"step_{number // 25}", "chain", offset, 25 * 19.0, parent=root)
        elif number % 5 == 0:
            usage = Usage(input=rng.randint(100, 900), output=rng.randint(10, 90))
            failed = number % 500 == 0
            built.span(
                "chat",
                "llm",
                offset,
                rng.uniform(20, 90),
                parent=step,
                model=0,
                usage=usage,
                ttft_ms=8,
                status="error" if failed else "ok",
                error_type="Timeout" if failed else "",
            )
        else:
            built.span(
                rng.choice(("read_file", "write_index", "hash_chunk")), "tool", offset, rng.uniform(1, 30), parent=step
            )
        offset += 19.0
    return built


def hostile_trace(trace_id: str, start: datetime) -> TraceBuilder:
    """A trace in which every text that a user, a model or an app controls is hostile."""
    built = TraceBuilder(trace_id, start, user=HOSTILE, session="../../etc", tags=[HOSTILE])
    body = json.dumps(
        [
            {"role": HOSTILE, "content": HOSTILE},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://evil.invalid/i.png"}}]},
            {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": HOSTILE, "arguments": "{not json"}}]},
        ]
    )
    root = built.span(f"<b>{HOSTILE}</b>", "chain", 0, 900, status="error", status_message=HOSTILE, input_text=HOSTILE)
    built.span(
        HOSTILE,
        "llm",
        10,
        800,
        parent=root,
        model=0,
        usage=Usage(input=9, output=9),
        input_text=body,
        output_text=HOSTILE,
    )
    built.span("late child of a lost parent", "tool", 400, 90, parent="ffffffffffffffff")
    built.score(HOSTILE, None, label=HOSTILE, explanation=HOSTILE)
    return built


BIG_TRACE_ID = "b" * 32
HOSTILE_TRACE_ID = "e" * 32
ERROR_TRACE_ID = "c" * 32
OK_TRACE_ID = "a" * 32


def empty(now: datetime) -> Dataset:
    """A collector that has never received anything."""
    return Dataset(now)


def little(now: datetime) -> Dataset:
    """Two traces, a minute old: one fine, one failed."""
    data = Dataset(now, projects=("default",))
    data.add(chat_trace(random.Random(1), OK_TRACE_ID, now - timedelta(seconds=90)))
    data.add(chat_trace(random.Random(2), ERROR_TRACE_ID, now - timedelta(seconds=60), fails=True))
    return data


def lots(now: datetime, *, traces: int = 900, big_spans: int = 5000) -> Dataset:
    """Two days of traffic with a rise in errors in the last hours, a trace of 5,000 spans and a hostile one."""
    data = Dataset(now, projects=("default", "search-assistant"))
    rng = random.Random(7)
    data.add(hostile_trace(HOSTILE_TRACE_ID, now - timedelta(minutes=2)))
    data.add(big_trace(BIG_TRACE_ID, now - timedelta(minutes=4), big_spans))
    data.add(chat_trace(random.Random(2), ERROR_TRACE_ID, now - timedelta(minutes=5), fails=True))
    data.add(chat_trace(random.Random(1), OK_TRACE_ID, now - timedelta(minutes=6)))
    for number in range(traces):
        age = timedelta(hours=47.9) * rng.random() ** 1.3 + timedelta(minutes=7)
        fails = rng.random() < (0.09 if age < timedelta(hours=5) else 0.02)
        data.add(chat_trace(rng, f"{number + 1:032x}", now - age, fails=fails))
    data.traces.sort(key=lambda trace: trace.summary.start_time, reverse=True)
    return data
