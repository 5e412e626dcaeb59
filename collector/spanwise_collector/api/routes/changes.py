"""What changed between two windows."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Environments, From, Models, Project, To, problems
from spanwise_collector.attribution.explain import what_changed
from spanwise_collector.attribution.populations import Question
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window, WindowError
from spanwise_schemas.api_changes import WhatChanged
from spanwise_schemas.rules import SignalName, Where
from spanwise_schemas.signals import signal_named

router = guarded_router(prefix="/api/v1", tags=["Changes"])


@router.get(
    "/what-changed", response_model=WhatChanged, responses=problems(400, 422, 503, 504), summary="Explain a change"
)
def changes(
    context: In,
    signal: Annotated[SignalName, Query(description="Name of a signal; docs/alerts.md lists them.")] = "error_rate",
    project: Project = "default",
    start: From = None,
    end: To = None,
    before_from: Annotated[
        datetime | None,
        Query(description="Start of the range to compare with. Default: a range as long as the other, to `before_to`."),
    ] = None,
    before_to: Annotated[datetime | None, Query(description="Its end (not inside it). Default: `from`.")] = None,
    environment: Environments = (),
    route: Annotated[
        tuple[str, ...], Query(description="Name of the root span; repeat for alternatives.", max_length=100)
    ] = (),
    model: Models = (),
    provider: Annotated[tuple[str, ...], Query(description="Repeat for alternatives.", max_length=100)] = (),
    prompt: Annotated[
        tuple[str, ...],
        Query(description="name@version, or the name alone for all its versions; repeat.", max_length=100),
    ] = (),
    release: Annotated[tuple[str, ...], Query(description="Repeat for alternatives.", max_length=100)] = (),
    tool: Annotated[tuple[str, ...], Query(description="Repeat for alternatives.", max_length=100)] = (),
    user_group: Annotated[tuple[str, ...], Query(description="Repeat for alternatives.", max_length=100)] = (),
) -> Response:
    """Which slices moved a number between two time ranges, and what else changed near them.

    Slices are up to three of model, provider, prompt, release, environment, route, tool, user group and language
    together. Contributions of each dimension, in mix and rate, add up to the difference. With it come examples,
    versions first seen near the change, and issues that grew.
    """
    after = Window.of(start, end, context.clock())
    last = before_to or time_of(after.start)
    first = before_from or last - timedelta(microseconds=after.length)
    before = Window.of(first, last, context.clock())
    if before.end > after.start and after.end > before.start:
        raise WindowError("the two time ranges overlap; end the one before (`before_to`) by `from`")
    where = Where(
        environment=environment,
        route=route,
        model=model,
        provider=provider,
        prompt=prompt,
        release=release,
        tool=tool,
        user_group=user_group,
    )
    question = Question(project, signal_named(signal), before, after, where)
    return json_answer(what_changed(context.reader, question, timeout_s=context.timeout_s))
