"""Questions in SQL."""

from fastapi import Request, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.guard import guarded_router, needs, of_no_project
from spanwise_collector.api.parameters import Project, problems
from spanwise_collector.api.problems import problem
from spanwise_collector.sql_access.checking import RefusedSqlError
from spanwise_collector.sql_access.running import SqlRunner, TooManyQueriesError
from spanwise_collector.sql_access.views import VIEWS
from spanwise_schemas.api_sql import SqlAnswer, SqlColumn, SqlQuery, SqlTable, SqlTables

router = guarded_router(prefix="/api/v1", tags=["SQL"])


@router.post("/sql", response_model=SqlAnswer, responses=problems(400, 422, 503, 504), summary="Ask in SQL")
@needs("read")
def ask(request: Request, wanted: SqlQuery, project: Project = "default") -> Response:
    """Run one SELECT over the project's tables, within the limits of the collector (`SPANWISE_SQL_...`)."""
    try:
        found = _runner(request).run(project, wanted.query, rows=wanted.limit)
    except RefusedSqlError as error:
        return problem(request, 400, "bad-request", str(error))
    except TooManyQueriesError as error:
        answer = problem(request, 503, "unavailable", str(error))
        answer.headers["Retry-After"] = "1"
        return answer
    return json_answer(
        SqlAnswer(
            columns=[SqlColumn(name=name, type=kind) for name, kind in found.columns],
            rows=found.rows,
            is_cut=found.is_cut,
            seconds=round(found.seconds, 6),
        )
    )


@router.get("/sql/tables", response_model=SqlTables, responses=problems(503, 504), summary="What can be asked in SQL")
@of_no_project
def tables(request: Request) -> Response:
    """The tables with their columns; the same for every project."""
    columns = _runner(request).columns()
    return json_answer(
        SqlTables(
            tables=[
                SqlTable(
                    name=name,
                    about=view.about,
                    columns=[SqlColumn(name=column, type=kind) for column, kind in columns[name]],
                )
                for name, view in VIEWS.items()
            ]
        )
    )


def _runner(request: Request) -> SqlRunner:
    runner: SqlRunner = request.app.state.sql
    return runner
