"""Running a task over items: so many at once, each within its time, errors kept as results."""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from spanwise._experiments_model import Item, as_json
from spanwise._experiments_score import Named, Scored, is_async, sample_of
from spanwise._experiments_threads import Threads
from spanwise._guard import describe
from spanwise._span import Span, span
from spanwise_schemas import attributes as names
from spanwise_schemas.api_experiments import ItemResult

Task = Callable[[Item], Any]
RETRY_WAIT_S: Final = 0.5
MAX_ERROR: Final = 2000
_NO_ID: Final = "0" * 32


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run.

    Attributes:
        experiment_id: on every span.
        name: of the experiment.
        dataset: its name; "" for a list.
        task: from item to output; sync or async.
        evaluators: score each output.
        concurrency: items at once.
        timeout_s: of each call of the task and of each evaluator; None: no limit.
        retries: further attempts after the task failed.
    """

    experiment_id: str
    name: str
    dataset: str
    task: Task
    evaluators: tuple[Named, ...]
    concurrency: int
    timeout_s: float | None
    retries: int


class Runner:
    """Runs one plan.

    Args:
        plan: how.
        done: is told each result, in the thread that runs the loop.
    """

    def __init__(self, plan: Plan, done: Callable[[ItemResult], None]) -> None:
        self._plan = plan
        self._done = done
        self._threads = Threads(4 * plan.concurrency + 16)

    def run(self, work: Iterable[tuple[Item, int]]) -> None:
        """Run items and repeats; returns when all are done. Works where an event loop runs already, too."""
        jobs = iter(list(work))
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asyncio.run(self._all(jobs))
            return
        failure: list[BaseException] = []

        def other() -> None:
            try:
                asyncio.run(self._all(jobs))
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(
            target=contextvars.copy_context().run, args=(other,), name="spanwise-experiment", daemon=True
        )
        thread.start()
        thread.join()
        if failure:
            raise failure[0]

    async def _all(self, jobs: "Iterable[tuple[Item, int]]") -> None:
        async def worker() -> None:
            for item, repeat in jobs:
                self._done(await self._one(item, repeat))

        async with asyncio.TaskGroup() as group:
            for _ in range(self._plan.concurrency):
                group.create_task(worker())

    async def _one(self, item: Item, repeat: int) -> ItemResult:
        plan = self._plan
        attributes = {
            names.EXPERIMENT_ID: plan.experiment_id,
            names.EXPERIMENT_NAME: plan.name,
            names.EXPERIMENT_DATASET: plan.dataset,
            names.EXPERIMENT_ITEM: item.id,
            names.EXPERIMENT_REPEAT: repeat,
        }
        error, output, took = "", None, 0.0
        with span("experiment", kind="chain", attributes=attributes) as traced:
            traced.set_input(item.input)
            for attempt in range(plan.retries + 1):
                if attempt:
                    await asyncio.sleep(RETRY_WAIT_S * 2 ** (attempt - 1))
                begin = time.perf_counter()
                try:
                    output = await self._call(plan.task, item)
                    error = ""
                except Exception as failure:
                    error = _said(failure, plan.timeout_s)
                    last = failure
                took = (time.perf_counter() - begin) * 1000
                if not error:
                    break
            if error:
                traced.record_error(last)
            else:
                traced.set_output(output)
            where = _ids(traced)
        scored = Scored()
        if not error:
            sample = sample_of(item, output, took)
            for one in plan.evaluators:
                try:
                    scored.take(one.name, await self._call(one.call, sample))
                except Exception as failure:
                    scored.errors[one.name] = _said(failure, plan.timeout_s)
        return ItemResult(
            item_id=item.id,
            repeat=repeat,
            group=item.group[:200],
            input=as_json(item.input),
            expected=as_json(item.expected),
            output=None if error else as_json(output),
            error=error,
            duration_ms=took,
            trace_id=where[0],
            span_id=where[1],
            scores=scored.scores,
            labels=scored.labels,
            explanations=scored.explanations,
            score_errors=scored.errors,
        )

    async def _call(self, function: Callable[[Any], Any], argument: Any) -> Any:
        async with asyncio.timeout(self._plan.timeout_s):
            found = function(argument) if is_async(function) else await self._threads.call(function, argument)
            return await found if asyncio.iscoroutine(found) or isinstance(found, asyncio.Future) else found


def _said(error: BaseException, timeout_s: float | None) -> str:
    if isinstance(error, TimeoutError) and not str(error) and timeout_s is not None:
        return f"TimeoutError: no answer within {timeout_s:g} s"
    return f"{type(error).__name__}: {describe(error)}"[:MAX_ERROR]


def _ids(traced: Span) -> tuple[str, str]:
    return ("", "") if traced.trace_id == _NO_ID else (traced.trace_id, traced.span_id)
