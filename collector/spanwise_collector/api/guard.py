"""Who may ask the API, and about which project: checked before an endpoint reads anything of a request.

Reading needs the scope `read`, everything else `admin`, where the endpoint does not say otherwise with `needs`. The
query parameter `project` has to be one of the key's; where it is left out, it is the key's first. Endpoints without it
say what they are with `of_all_projects` or `of_no_project`.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from spanwise_collector.api.parameters import problems
from spanwise_collector.receive.access import Access, Doorkeeper, is_loopback
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.keys import Scope

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_NEEDS: Final = "__spanwise_needs__"
_PROJECTS: Final = "__spanwise_projects__"
_IN_ADDRESS: Final = "the parameter `project`"
_LOCAL_NAMES: Final = ("localhost",)
_BEARER: Final = HTTPBearer(auto_error=False, description="An API key of `spanwise keys create`.")


def needs(scope: Scope) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint that needs another scope than its method tells."""

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _NEEDS, scope)
        return endpoint

    return mark


def of_all_projects(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint that tells of all projects at once, or changes them: keys of some projects are refused."""
    setattr(endpoint, _PROJECTS, "all")
    return endpoint


def of_no_project(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint that tells nothing of any project, or that looks at `AccessIn` itself."""
    setattr(endpoint, _PROJECTS, "none")
    return endpoint


class Guard:
    """Lets requests to the API in."""

    def __init__(self, doorkeeper: Doorkeeper | None) -> None:
        """Stand at the door.

        Args:
            doorkeeper: knows the keys; None lets everybody in, for tests of what lies behind.
        """
        self._doorkeeper = doorkeeper

    def admit(self, headers: Mapping[str, str], peer: str, scope: Scope) -> Access:
        """What the sender of a request may do.

        Raises:
            NotTakenError: it may not come in.
        """
        if self._doorkeeper is None:
            return Access()
        access = self._doorkeeper.admit(headers, peer, scope)
        if access.who == Access().who:
            _refuse_pages(headers)
        return access


def _refuse_pages(headers: Mapping[str, str]) -> None:
    """Where no key is asked for, any page that somebody opens on this machine could send requests here.

    Raises:
        NotTakenError: it comes from a page of another address, or by a name that another address could have.
    """
    host = urlsplit(f"//{headers.get('host', '')}")
    name = host.hostname or ""
    if name not in _LOCAL_NAMES and not is_loopback(name):
        raise NotTakenError(
            Reason.NOT_ALLOWED,
            f"Without API keys only requests to 127.0.0.1 and localhost are served, not to {name[:80]!r}. Use one of "
            "these, or make a key with `spanwise keys create`.",
        )
    origin = headers.get("origin", "")
    if (origin and urlsplit(origin).netloc != host.netloc) or headers.get("sec-fetch-site") == "cross-site":
        raise NotTakenError(
            Reason.NOT_ALLOWED,
            "Without API keys no requests of web pages of other addresses are served. Make a key with `spanwise keys "
            "create`.",
        )


class GuardedRoute(APIRoute):
    """A route that asks the app's guard first."""

    @property
    def scope_needed(self) -> Scope:
        """What a key has to be allowed."""
        declared: Scope | None = getattr(self.endpoint, _NEEDS, None)
        return declared or ("read" if set(self.methods or ()) <= {"GET", "HEAD"} else "admin")

    @property
    def projects(self) -> str:
        """`one` that the request names, `all`, or `none`.

        Raises:
            TypeError: the endpoint has no parameter `project` and does not say what it tells of.
        """
        if any(field.alias == "project" for field in get_flat_params(self.dependant)):
            return "one"
        declared = getattr(self.endpoint, _PROJECTS, None)
        if declared is None:
            raise TypeError(f"{self.path} has no parameter `project`: mark it with of_all_projects or of_no_project")
        return str(declared)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See `APIRoute`."""
        handle = super().get_route_handler()
        needed, projects = self.scope_needed, self.projects

        async def guarded(request: Request) -> Response:
            guard: Guard = request.app.state.guard
            access = guard.admit(request.headers, request.client.host if request.client else "", needed)
            request.state.access = access
            if projects == "all" and access.projects is not None:
                raise NotTakenError(
                    Reason.NOT_ALLOWED,
                    f"This is about all projects, and {access.who} is for "
                    f"{', '.join(map(repr, access.projects))}. Make a key with `spanwise keys create --project '*'`.",
                )
            return await handle(_of_project(request, access) if projects == "one" else request)

        return guarded


def _of_project(request: Request, access: Access) -> Request:
    """The request with the project that it is about.

    Raises:
        NotTakenError: it names one that is not open.
    """
    query = request.scope["query_string"]
    # The same reading as the endpoint's: of several values it takes the last, so none may be another's.
    named = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("project", [])
    for project in named:
        access.allowed(project, _IN_ADDRESS)
    own = access.chosen or (access.projects[0] if access.projects else "")
    if named or not own:
        return request
    added = b"project=" + quote(own, safe="").encode()
    return Request({**request.scope, "query_string": b"&".join(filter(None, (query, added)))}, request.receive)


def guarded_router(*, prefix: str, tags: list[str]) -> APIRouter:
    """A router whose endpoints ask the app's guard.

    Args:
        prefix: of all paths.
        tags: in the description of the API.
    """
    return APIRouter(
        prefix=prefix,
        tags=list(tags),
        route_class=GuardedRoute,
        responses=problems(401, 403),
        dependencies=[Security(_BEARER)],
    )


def _access(request: Request) -> Access:
    access: Access = request.state.access
    return access


AccessIn = Annotated[Access, Depends(_access)]
