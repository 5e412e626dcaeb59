"""`spanwise.experiment`: a function over a dataset, scored. Imports stay light: nothing is loaded before it is used."""

import os
import re
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from spanwise._experiments_api import Api
    from spanwise._experiments_items import DatasetLike, Source
    from spanwise._experiments_model import Item
    from spanwise._experiments_result import ExperimentResult
    from spanwise._experiments_score import AnyEvaluator, Named
    from spanwise_schemas.api_experiments import ItemResult

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def experiment(
    dataset: "DatasetLike",
    task: "Callable[[Item], Any]",
    evaluators: "Sequence[AnyEvaluator]" = (),
    *,
    name: str | None = None,
    experiment_id: str | None = None,
    version: int | None = None,
    repeats: int = 1,
    concurrency: int = 8,
    timeout_s: float | None = 120.0,
    retries: int = 0,
    metadata: Mapping[str, object] | None = None,
    release: str | None = None,
    by: str = "",
    project: str | None = None,
    api_url: str | None = None,
    progress: bool | None = None,
) -> "ExperimentResult":
    """Run a function over a dataset and score what it returns.

    With a collector (`SPANWISE_API_URL`) results are stored there while it runs; without one they are only returned.
    Each run is a span with `spanwise.experiment.*` attributes when Spanwise is set up.

    Args:
        dataset: name of a dataset in the collector (`faq`, or `faq@3` for a version), a path that ends in .csv or
            .jsonl, or a list of dicts with `input` and, as they like, `id`, `expected`, `metadata`, `group`.
        task: from an `Item` to an output: text, or anything that can be shown as JSON. May be async.
        evaluators: names in the registry (`"valid_json"`; with parameters `spanwise.evaluator("regex", pattern=…)`), or
            functions from a `Sample` to a number, True or False, a label, a `Verdict`, or None where they do not apply;
            their name is the score's. May be async.
        name: by default the task's. The newest experiment of a name is found by it.
        experiment_id: of an experiment to go on with: items that are done are not done again, those that failed are.
            Not given: a new one.
        version: of the dataset in the collector; by default the newest.
        repeats: runs of each item; averaged in comparisons. At least 3 where a temperature is above 0.
        concurrency: runs at once.
        timeout_s: longest time of a run, and of an evaluator; None: no limit.
        retries: further attempts after the task failed.
        metadata: what was tried: model, prompt, commit.
        release: of your application; by default `SPANWISE_RELEASE`.
        by: who.
        project: by default that of `spanwise.init`, else `SPANWISE_PROJECT`, else `default`.
        api_url: the collector; by default `SPANWISE_API_URL`.
        progress: show it on standard error; by default where that is a terminal.

    Raises:
        ExperimentError: the dataset is not there or empty, an argument makes no sense, or the collector refuses. What
            goes wrong in the task or in an evaluator is in the results.
    """
    from spanwise._experiments_items import load
    from spanwise._experiments_model import ExperimentError
    from spanwise._experiments_result import ExperimentResult
    from spanwise._experiments_run import Plan, Runner
    from spanwise._experiments_score import named
    from spanwise._experiments_send import Sender

    if repeats < 1 or concurrency < 1 or retries < 0 or (timeout_s is not None and timeout_s <= 0):
        raise ExperimentError("repeats and concurrency are at least 1, retries at least 0, timeout_s above 0 or None.")
    if experiment_id is not None and not _ID.fullmatch(experiment_id):
        raise ExperimentError(f"experiment_id is {experiment_id!r}: up to 100 letters, digits, `.`, `_` and `-`.")
    scorers = named(evaluators)
    api = _api(api_url, project)
    source = load(dataset, api, version)
    called = name or getattr(task, "__name__", "") or "experiment"
    chosen = experiment_id or uuid.uuid4().hex[:16]
    kept = _begun(
        api,
        {
            "experiment_id": chosen,
            "name": called,
            "dataset": source.name,
            "dataset_version": source.version,
            "items": len(source.items),
            "repeats": repeats,
            "evaluators": {one.name: one.version for one in scorers},
            "metadata": {str(key): str(value) for key, value in (metadata or {}).items()},
            "release": release or os.environ.get("SPANWISE_RELEASE", ""),
            "by": by,
        },
        resumed=experiment_id is not None,
        source=source,
        scorers=scorers,
        repeats=repeats,
    )
    work = [(item, repeat) for repeat in range(repeats) for item in source.items if (item.id, repeat) not in kept]
    results = list(kept.values())
    sender = Sender(api, chosen) if api is not None else None
    shown = _Progress(sys.stderr, called, len(work), wanted=progress)

    def done(result: "ItemResult") -> None:
        results.append(result)
        if sender is not None:
            sender.add(result)
        shown.done(failed=bool(result.error))

    plan = Plan(chosen, called, source.name, task, scorers, min(concurrency, max(1, len(work))), timeout_s, retries)
    finished = False
    unsent, problem = 0, ""
    try:
        Runner(plan, done).run(work)
        finished = True
    finally:
        shown.close()
        if sender is not None and api is not None:
            unsent, problem = sender.close()
            ended = _ended(api, chosen, "finished" if finished and not unsent else "stopped")
            problem = problem or ended
    order = {item.id: place for place, item in enumerate(source.items)}
    results.sort(key=lambda one: (order.get(one.item_id, len(order)), one.repeat))
    return ExperimentResult(
        experiment_id=chosen,
        name=called,
        project=api.project if api is not None else _project(project),
        dataset=source.name,
        dataset_version=source.version,
        results=tuple(results),
        resumed=len(kept),
        unsent=unsent,
        problem=problem,
        _api=api,
    )


def _api(url: str | None, project: str | None) -> "Api | None":
    address = (url or os.environ.get("SPANWISE_API_URL", "")).strip()
    if not address:
        return None
    from spanwise._experiments_api import Api

    return Api(address, _project(project), key=os.environ.get("SPANWISE_API_KEY") or None)


def _project(given: str | None) -> str:
    if given:
        return given
    from spanwise._client import process

    client = process.client
    return client.config.project if client is not None else os.environ.get("SPANWISE_PROJECT", "").strip() or "default"


def _begun(
    api: "Api | None",
    draft: dict[str, object],
    *,
    resumed: bool,
    source: "Source",
    scorers: "Sequence[Named]",
    repeats: int,
) -> "dict[tuple[str, int], ItemResult]":
    """Begin or go on; what is done already, by item and repeat: neither failed nor without one of the scores."""
    if api is None:
        if resumed:
            from spanwise._experiments_model import ExperimentError

            raise ExperimentError("Going on with an experiment needs a collector: set SPANWISE_API_URL.")
        return {}
    from spanwise_schemas.api_experiments import ItemResult

    api.post("experiments", body=draft)
    kept: dict[tuple[str, int], ItemResult] = {}
    cursor = ""
    wanted = {item.id for item in source.items}
    while resumed:
        page = api.get("experiments", str(draft["experiment_id"]), "results", limit=500, cursor=cursor)
        for row in page["items"]:
            one = ItemResult.model_validate(row)
            is_whole = not one.error and not any(scorer.name in one.score_errors for scorer in scorers)
            if is_whole and one.item_id in wanted and one.repeat < repeats:
                kept[one.item_id, one.repeat] = one
        cursor = page["next_cursor"] or ""
        if not cursor:
            break
    return kept


def _ended(api: "Api", experiment_id: str, state: str) -> str:
    from spanwise._experiments_model import ExperimentError

    try:
        api.post("experiments", experiment_id, "end", body={"state": state})
    except ExperimentError as error:
        return str(error)
    return ""


class _Progress:
    """One line on a terminal, written over."""

    def __init__(self, stream: TextIO, name: str, total: int, *, wanted: bool | None) -> None:
        self._stream = stream
        self._name = name
        self._total = total
        self._shown = total > 0 and (stream.isatty() if wanted is None else wanted)
        self._count = self._errors = 0

    def done(self, *, failed: bool) -> None:
        self._count += 1
        self._errors += failed
        if self._shown:
            errors = f", {self._errors} errors" if self._errors else ""
            self._stream.write(f"\r{self._name}: {self._count} of {self._total}{errors} ")
            self._stream.flush()

    def close(self) -> None:
        if self._shown and self._count:
            self._stream.write("\n")
            self._stream.flush()
