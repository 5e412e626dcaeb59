"""Scores: what was said of spans, traces and sessions, and saying it over HTTP."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic import Field

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import From, Project, To, problems
from spanwise_collector.api.problems import NotFoundError
from spanwise_collector.query.cursor import Cursor
from spanwise_collector.query.scores import ScoreFilter, list_scores, score_named
from spanwise_collector.query.window import Window
from spanwise_collector.receive.access import PROJECT_HEADER
from spanwise_collector.receive.body import read_body
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.score_sender import ScoreSender
from spanwise_schemas.api import Score
from spanwise_schemas.api_scores import MAX_SCORES, NewScore, ScorePage, ScoreSource, ScoresTaken

MAX_LIMIT: Final = 1_000
_SOURCES: Final = {"judge": "llm", "person": "human"}
NO_LOG: Final = (
    "This collector does not write to Kafka, since `otlp` is not among its roles (SPANWISE_ROLE). Send scores to one "
    "that receives OTLP."
)


class _ReadRequest(Request):
    """A request whose body was read already."""

    def __init__(self, request: Request, data: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self._data = data

    async def body(self) -> bytes:
        return self._data


class WritingRoute(APIRoute):
    """Asks for the key and reads the body within the limits of OTLP before anything else is done."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See `APIRoute`."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            sender = sender_of(request)
            request.state.access = sender.admit(request.headers, request.client.host if request.client else "")
            with sender.request() as lease:
                request.state.lease = lease
                data = await read_body(request.stream(), request.headers, sender.limits, lease)
                return await handle(_ReadRequest(request, data))

        return guarded


def sender_of(request: Request) -> ScoreSender:
    """What writes scores to Kafka.

    Raises:
        NotTakenError: this process does not.
    """
    sender: ScoreSender | None = request.app.state.scores
    if sender is None:
        raise NotTakenError(Reason.NO_LOG, NO_LOG)
    return sender


reading = guarded_router(prefix="/api/v1/scores", tags=["Scores"])
writing = APIRouter(prefix="/api/v1/scores", tags=["Scores"], route_class=WritingRoute)
WrittenProject = Annotated[
    str,
    Query(
        description=f"Project to write to; without it that of the header `{PROJECT_HEADER}`, else the key's first.",
        max_length=64,
    ),
]


@reading.get("", response_model=ScorePage, responses=problems(400, 422, 503, 504), summary="List scores")
def scores(
    context: In,
    project: Project = "default",
    start: From = None,
    end: To = None,
    name: Annotated[tuple[str, ...], Query(description="Name of the score; repeat for alternatives.")] = (),
    source: Annotated[tuple[ScoreSource, ...], Query(description="Who gave it; repeat for alternatives.")] = (),
    evaluator: Annotated[
        tuple[str, ...], Query(description="The check, judge or reviewer; repeat for alternatives.")
    ] = (),
    trace_id: Annotated[
        str | None, Query(description="Scores of this trace and its spans.", pattern="^[0-9a-fA-F]{32}$")
    ] = None,
    span_id: Annotated[str | None, Query(description="Scores of this span.", pattern="^[0-9a-fA-F]{16}$")] = None,
    session: Annotated[str | None, Query(description="Scores of this session.")] = None,
    label: Annotated[tuple[str, ...], Query(description="Label; repeat for alternatives.")] = (),
    min_value: Annotated[float | None, Query(description="Value, at least.")] = None,
    max_value: Annotated[float | None, Query(description="Value, at most.")] = None,
    limit: Annotated[int, Query(description="Scores on a page.", ge=1, le=MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Scores that were given in the time range, newest first; of a score sent again the newest version."""
    wanted = ScoreFilter(
        project=project,
        window=Window.of(start, end, context.clock()),
        names=name,
        sources=tuple(_SOURCES.get(one, one) for one in source),
        evaluators=evaluator,
        trace_id=trace_id,
        span_id=span_id,
        session_id=session,
        labels=label,
        min_value=min_value,
        max_value=max_value,
    )
    after = Cursor.decode(cursor) if cursor else None
    found, following = list_scores(context.reader, wanted, limit=limit, after=after, timeout_s=context.timeout_s)
    return json_answer(ScorePage(items=found, next_cursor=following.encode() if following else None))


@writing.post(
    "",
    response_model=ScoresTaken,
    status_code=202,
    responses=problems(400, 401, 403, 413, 422, 429, 501, 503),
    summary="Store scores",
)
async def store(
    request: Request,
    scores: Annotated[
        NewScore | Annotated[list[NewScore], Field(min_length=1, max_length=MAX_SCORES)],
        Body(description=f"One score, or a list of up to {MAX_SCORES:,}."),
    ],
    project: WrittenProject = "",
) -> Response:
    """Store one score, or a list of up to 1,000, of a span, a trace or a session; the target may arrive later.

    Needs an API key as OTLP does (docs/otlp.md). The answer comes once Kafka has acknowledged all of them; they can be
    read a moment later. After an error nothing is known of the scores of the request: send them again, with ids of your
    own (`score_id`), so that what was stored is replaced and not doubled.
    """
    state = request.state
    sent = scores if isinstance(scores, list) else [scores]
    ids = await sender_of(request).send(
        sent, state.access.choose(project) if project else state.access, state.lease, project=project
    )
    return json_answer(ScoresTaken(score_ids=ids), 202)


@writing.delete(
    "/{score_id}",
    status_code=202,
    response_model=ScoresTaken,
    responses=problems(400, 401, 403, 404, 422, 429, 501, 503),
    summary="Take a score back",
)
async def take_back(
    request: Request,
    context: In,
    score_id: Annotated[str, Path(description="32 hex digits.", pattern="^[0-9a-fA-F]{32}$")],
    project: WrittenProject = "",
) -> Response:
    """Take a score back. That it is gone travels the log like the score itself, so it stays gone after a rebuild.

    Needs an API key as OTLP does. A score that is sent again under the same id afterwards is there again.
    """
    state = request.state
    access = state.access.choose(project) if project else state.access
    named = project or access.chosen or (access.projects[0] if access.projects else "default")
    found = await run_in_threadpool(score_named, context.reader, named, score_id.lower(), timeout_s=context.timeout_s)
    if found is None:
        raise NotFoundError(f"The project {named!r} has no score {score_id}.")
    await sender_of(request).take_back(as_sent(found), access, state.lease, project=named)
    return json_answer(ScoresTaken(score_ids=[found.score_id]), 202)


def as_sent(score: Score) -> NewScore:
    """A stored score as it would be sent: enough of it to meet itself.

    One that only its response's id ties to a span has no target that can be sent; its id is what counts.
    """
    return NewScore(
        name=score.name,
        value=score.value,
        label=score.label or ("-" if score.value is None else ""),
        trace_id=score.trace_id,
        span_id=score.span_id,
        session_id="" if score.trace_id else score.session_id or "-",
        source=score.source,
        evaluator=score.evaluator,
        evaluator_version=score.evaluator_version,
        score_id=score.score_id,
        time=score.time,
    )
