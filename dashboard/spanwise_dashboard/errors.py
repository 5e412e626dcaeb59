"""What can go wrong when the dashboard asks the collector, sorted by what helps.

ApiError
├── CollectorAwayError       nothing answers at the address: start the collector or correct the address
├── CollectorSlowError       it did not answer in time: ask for less, or give it more
├── CollectorNotReadyError   it answers that it cannot work now: see its detail, try again
├── NotAllowedError          its API key is missing, wrong, or may not do this
├── NotFoundError            it is there, the thing asked for is not
├── RequestRefusedError      a parameter is wrong, and which
└── UnexpectedAnswerError    something else answers at the address, or the versions do not fit
"""

from spanwise_schemas.api import Problem


class ApiError(Exception):
    """A question to the collector failed. `str(error)` is what happened, `remedy` what to do about it."""

    remedy: str = "Reload the page. If it stays like this, look at the collector's log."

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        if remedy:
            self.remedy = remedy


class CollectorAwayError(ApiError):
    """Nothing answers at the address."""


class CollectorSlowError(ApiError):
    """The collector did not answer in time."""

    remedy = "Choose a shorter time range or fewer filters, or raise SPANWISE_API_TIMEOUT_S."


class CollectorNotReadyError(ApiError):
    """The collector answers that it cannot serve the request at present (HTTP 503)."""

    remedy = "It may still be starting: try again in a few seconds. Its /readyz says what it waits for."


class NotAllowedError(ApiError):
    """The collector does not let the dashboard's API key do this (HTTP 401 or 403)."""

    remedy = (
        "The dashboard sends the key of SPANWISE_API_KEY. Whoever runs Spanwise makes one with `spanwise keys create "
        "--project '*' --scope read --scope ingest --scope admin`."
    )


class NotFoundError(ApiError):
    """The collector does not have what was asked for (HTTP 404)."""

    remedy = "It may have passed its retention time, belong to another project, or not have arrived yet."


class RequestRefusedError(ApiError):
    """A parameter of the request is wrong (HTTP 400 or 422)."""

    remedy = "Reset the filters; the address in the browser may hold a value that is not allowed."

    def __init__(self, message: str, problem: Problem) -> None:
        super().__init__(message)
        self.problem = problem


class UnexpectedAnswerError(ApiError):
    """The answer is not one of Spanwise's API."""

    remedy = (
        "Check that SPANWISE_API_URL is the collector's address and that dashboard and collector are of one version."
    )
