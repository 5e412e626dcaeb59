"""Datasets: listing, changing, from files and from traces, out again."""

from collections.abc import Callable
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from spanwise_collector.api.annotating import AnnotatingIn
from spanwise_collector.api.answers import file_answer, json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router, needs
from spanwise_collector.api.parameters import Project, problems
from spanwise_collector.api.problems import NotFoundError, problem
from spanwise_collector.api.trace_filter import TraceFilterIn
from spanwise_collector.datasets.export import ENDINGS, MEDIA_TYPES, export
from spanwise_collector.datasets.files import FIELDS, Mapped, read_items
from spanwise_collector.datasets.from_corrections import items_from_corrections
from spanwise_collector.datasets.from_traces import MAX_TRACES, Expected, Taken, items_from_traces
from spanwise_collector.datasets.model import DatasetError, item_of
from spanwise_collector.datasets.store import Datasets, UnknownDatasetError
from spanwise_schemas.api_datasets import (
    Dataset,
    DatasetChange,
    DatasetChanged,
    DatasetDetail,
    DatasetDraft,
    DatasetPage,
    ExportFormat,
    ImportFormat,
    ItemPage,
)

T = TypeVar("T")
MAX_FILE_BYTES: Final = 64_000_000
"""Of an imported file."""
MAX_PAGE: Final = 1000
router = guarded_router(prefix="/api/v1/datasets", tags=["Datasets"])


def _datasets(request: Request) -> Datasets:
    datasets: Datasets = request.app.state.datasets
    return datasets


DatasetsIn = Annotated[Datasets, Depends(_datasets)]
Name = Annotated[str, Path(description="Name of a dataset.", max_length=100)]
Version = Annotated[int | None, Query(description="Number of a version. Default: the newest.", ge=1)]
By = Annotated[str, Query(description="Who does it.", max_length=200)]
Note = Annotated[str, Query(description="For others: why.", max_length=2000)]


@router.get("", response_model=DatasetPage, responses=problems(422, 503, 504), summary="List datasets")
def listed(datasets: DatasetsIn, project: Project = "default") -> Response:
    """All datasets of a project, those changed last first."""
    return json_answer(datasets.listed(project))


@router.post("", response_model=Dataset, status_code=201, responses=problems(422, 503), summary="Make a dataset")
@needs("ingest")
def make(datasets: DatasetsIn, draft: DatasetDraft, project: Project = "default") -> Response:
    """Make a dataset, or give the one of this name another description."""
    return json_answer(datasets.make(project, draft.name, description=draft.description, by=draft.by), 201)


@router.get("/{dataset}", response_model=DatasetDetail, responses=problems(404, 422, 503, 504), summary="Get a dataset")
def detail(datasets: DatasetsIn, dataset: Name, project: Project = "default") -> Response:
    """A dataset with all its versions, the newest first."""
    return json_answer(_known(lambda: datasets.detail(project, dataset)))


@router.get(
    "/{dataset}/items",
    response_model=ItemPage,
    responses=problems(404, 422, 503, 504),
    summary="List a version's items",
)
def items(
    datasets: DatasetsIn,
    dataset: Name,
    project: Project = "default",
    version: Version = None,
    q: Annotated[str, Query(description="Text that occurs in input or expected output.", max_length=1000)] = "",
    offset: Annotated[int, Query(description="Items before the page.", ge=0)] = 0,
    limit: Annotated[int, Query(description="Items on a page.", ge=1, le=MAX_PAGE)] = 50,
) -> Response:
    """Items of any version, in their order; a version stays as it is for ever."""
    return json_answer(
        _known(lambda: datasets.page(project, dataset, version=version, text=q, offset=offset, limit=limit))
    )


@router.post(
    "/{dataset}/changes",
    response_model=DatasetChanged,
    responses=problems(400, 404, 422, 503),
    summary="Add, replace and remove items",
)
@needs("ingest")
def change(
    request: Request, datasets: DatasetsIn, dataset: Name, wanted: DatasetChange, project: Project = "default"
) -> Response:
    """Make one version out of a change. A change that changes nothing makes none."""
    try:
        put = [item_of(given) for given in wanted.put]
        found = _known(lambda: datasets.change(project, dataset, put, wanted.remove, note=wanted.note, by=wanted.by))
    except DatasetError as error:
        return problem(request, 400, "bad-request", str(error))
    return json_answer(found)


@router.post(
    "/{dataset}/import",
    response_model=DatasetChanged,
    responses=problems(400, 404, 422, 503),
    summary="Import a file",
)
@needs("ingest")
async def import_file(
    request: Request,
    datasets: DatasetsIn,
    dataset: Name,
    project: Project = "default",
    format: Annotated[ImportFormat, Query(description="What the body is.")] = "jsonl",  # noqa: A002 - as it is asked
    column: Annotated[
        tuple[str, ...],
        Query(description=f"`FIELD=COLUMN`, which column is what; fields: {', '.join(FIELDS)}. Repeat for more."),
    ] = (),
    metadata: Annotated[
        tuple[str, ...],
        Query(description="Column that becomes a member of the metadata, `*` for all others; repeat for more."),
    ] = (),
    replace: Annotated[bool, Query(description="Remove items that are not in the file.")] = False,
    note: Note = "",
    by: By = "",
) -> Response:
    """The body is a CSV, JSONL or Parquet file of at most 64 MB; it becomes one version. Errors name the line."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FILE_BYTES:
            return problem(
                request, 400, "bad-request", f"The file is larger than {MAX_FILE_BYTES:,} bytes; import it in parts."
            )

    def work() -> DatasetChanged:
        columns = dict(one.split("=", 1) for one in column if "=" in one)
        if len(columns) != len(column):
            raise DatasetError("`column` is FIELD=COLUMN, each field once")
        found = read_items(bytes(body), format, Mapped(columns, metadata))
        return _known(lambda: datasets.change(project, dataset, found, replace_all=replace, note=note, by=by))

    try:
        return json_answer(await run_in_threadpool(work))
    except DatasetError as error:
        return problem(request, 400, "bad-request", str(error))


@router.post(
    "/{dataset}/from-traces",
    response_model=DatasetChanged,
    responses=problems(400, 404, 422, 503, 504),
    summary="Add items from traces",
)
@needs("ingest")
def from_traces(
    request: Request,
    context: In,
    datasets: DatasetsIn,
    dataset: Name,
    wanted: TraceFilterIn,
    expected: Annotated[
        Expected, Query(description="`output` takes the answer for what is expected, `none` leaves that open.")
    ] = "none",
    take: Annotated[int, Query(description="Newest traces at most.", ge=1, le=MAX_TRACES)] = 100,
    note: Note = "",
    by: By = "",
) -> Response:
    """Add input and output of the root spans of the newest traces that the filters find: those of the trace list.

    Items keep their trace, and items of one session are one group. The same input again replaces its item.
    """
    _known(lambda: datasets.detail(wanted.project, dataset))
    taken = items_from_traces(
        context.reader, wanted, limit=take, expected=expected, now_us=context.now_us, timeout_s=context.timeout_s
    )
    return _added(request, lambda: datasets.change(wanted.project, dataset, taken.items, note=note, by=by), taken)


@router.post(
    "/{dataset}/from-corrections",
    response_model=DatasetChanged,
    responses=problems(400, 404, 422, 503, 504),
    summary="Add items from corrections",
)
@needs("ingest")
def from_corrections(
    request: Request,
    context: In,
    annotating: AnnotatingIn,
    datasets: DatasetsIn,
    dataset: Name,
    project: Project = "default",
    queue_id: Annotated[str, Query(description="Of this annotation queue only.", max_length=16)] = "",
    take: Annotated[int, Query(description="Newest corrections at most.", ge=1, le=MAX_TRACES)] = MAX_TRACES,
    note: Note = "",
    by: By = "",
) -> Response:
    """Add what reviewers corrected: the input, their output as `expected`, the application's as `rejected`.

    The same corrections again change nothing; a newer correction of an answer replaces its item.
    """
    _known(lambda: datasets.detail(project, dataset))
    corrections = annotating.items.corrections(project, queue_id=queue_id, limit=take)
    taken = items_from_corrections(
        context.reader, project, corrections, now_us=context.now_us, timeout_s=context.timeout_s
    )
    return _added(request, lambda: datasets.change(project, dataset, taken.items, note=note, by=by), taken)


@router.get(
    "/{dataset}/export",
    response_class=Response,
    responses={**problems(404, 422, 503, 504), 200: {"description": "The file.", "content": {"*/*": {}}}},
    summary="Export a version",
)
def export_file(
    datasets: DatasetsIn,
    dataset: Name,
    project: Project = "default",
    version: Version = None,
    format: Annotated[  # noqa: A002 - as it is asked
        ExportFormat,
        Query(
            description="`jsonl`, `csv`, `parquet`: all of each item. `openai`: a chat example per line for "
            "fine-tuning. `preferences`: prompt, chosen and rejected answer per line."
        ),
    ] = "jsonl",
) -> Response:
    """A version as a file. The header `Spanwise-Left-Out` counts items that have nothing the format needs."""
    number, found = _known(lambda: datasets.items(project, dataset, version=version))
    made = export([item.shown() for item in found], format)
    return file_answer(made, f"{dataset}-v{number}.{ENDINGS[format]}", MEDIA_TYPES[format])


def _added(request: Request, change: Callable[[], DatasetChanged], taken: Taken) -> Response:
    try:
        found = change()
    except DatasetError as error:
        return problem(request, 400, "bad-request", str(error))
    return json_answer(found.model_copy(update={"skipped": taken.skipped}))


def _known(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except UnknownDatasetError as error:
        raise NotFoundError(str(error)) from None
