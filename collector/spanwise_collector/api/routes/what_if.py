"""What the same traffic would have cost otherwise."""

from typing import Annotated

from fastapi import Query, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router, of_no_project
from spanwise_collector.api.parameters import Environments, From, Models, Names, Project, To, problems
from spanwise_collector.query.costs_source import CallFilter
from spanwise_collector.query.what_if import get_model_what_if, list_priced_models
from spanwise_collector.query.what_if_cache import get_cache_what_if
from spanwise_collector.query.window import Window
from spanwise_schemas.api_costs import CacheMatch, CacheWhatIf, ModelWhatIf, PricedModels

router = guarded_router(prefix="/api/v1", tags=["Costs"])


@router.get("/prices/models", response_model=PricedModels, summary="List models with a price")
@of_no_project
def priced_models(context: In) -> Response:
    """Every model of the price list and of the price file that has a price now."""
    return json_answer(list_priced_models(context.prices, context.now_us))


@router.get(
    "/what-if/model",
    response_model=ModelWhatIf,
    responses=problems(400, 422, 503, 504),
    summary="Price the traffic on another model",
)
def what_if_model(
    context: In,
    to_model: Annotated[str, Query(description="The other model.", min_length=1, max_length=200)],
    to_provider: Annotated[
        str, Query(description="Its provider; without one the model's name alone decides.", max_length=200)
    ] = "",
    project: Project = "default",
    start: From = None,
    end: To = None,
    environment: Environments = (),
    name: Names = (),
    model: Models = (),
) -> Response:
    """What the calls of a time range would have cost on another model, with the same token counts.

    `assumptions` says what is taken for granted. Amounts are over the calls whose cost is known on both sides.
    """
    wanted = CallFilter(project, environment, name, model)
    window = Window.of(start, end, context.clock())
    return json_answer(
        get_model_what_if(
            context.reader,
            wanted,
            window,
            context.prices,
            provider=to_provider,
            model=to_model,
            timeout_s=context.timeout_s,
        )
    )


@router.get(
    "/what-if/cache",
    response_model=CacheWhatIf,
    responses=problems(400, 422, 503, 504),
    summary="Count what a cache of answers would have saved",
)
def what_if_cache(
    context: In,
    match: Annotated[
        CacheMatch,
        Query(description="`exact`: the same letter by letter. `near`: but for case, digits and white space."),
    ] = "exact",
    ttl_seconds: Annotated[int, Query(description="Life time of an entry.", ge=1, le=31 * 86_400)] = 3600,
    project: Project = "default",
    start: From = None,
    end: To = None,
    environment: Environments = (),
    name: Names = (),
    model: Models = (),
) -> Response:
    """Repeated inputs of a time range: how many calls a cache would have answered, and what they cost.

    Above two million calls a share of the inputs is looked at and scaled up; `sampled` says which share.
    """
    wanted = CallFilter(project, environment, name, model)
    window = Window.of(start, end, context.clock())
    return json_answer(
        get_cache_what_if(
            context.reader, wanted, window, match=match, ttl_seconds=ttl_seconds, timeout_s=context.timeout_s
        )
    )
