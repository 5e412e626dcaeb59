"""Session, user, tags, metadata and prompt: context that every span below carries, whoever makes the span.

The values live in the OpenTelemetry context, so they follow asyncio tasks, and threads where the context is passed
on. Our span processor copies them onto each span when it starts.
"""

import contextvars
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from spanwise._drive import Call, drive
from spanwise._guard import guard
from spanwise_schemas import attributes as names

F = TypeVar("F", bound=Callable[..., Any])
AttributeValue = str | bool | int | float | tuple[str, ...]

_ATTRIBUTES: Final = otel_context.create_key("spanwise-attributes")


def carried(context: Context | None = None) -> Mapping[str, AttributeValue] | None:
    """The attributes that spans started in this context carry; None when there are none."""
    return cast("Mapping[str, AttributeValue] | None", otel_context.get_value(_ATTRIBUTES, context))


class Attachment:
    """Makes an OpenTelemetry context current and takes it back, also from another task or thread.

    `opentelemetry.context.detach` logs an error when the context was entered elsewhere, as happens to a generator
    that is closed from another task. There the other task's context was never changed, so there is nothing to take
    back.
    """

    __slots__ = ("_token", "context")

    def __init__(self, context: Context) -> None:
        self.context = context
        self._token: contextvars.Token[Context] | None = None

    def resume(self) -> None:
        """Make the context current."""
        self._token = otel_context.attach(self.context)

    def suspend(self, *, keep: bool = False) -> None:
        """Take it back.

        Args:
            keep: remember what is current now for the next `resume`: a generator may hold a span open across a `yield`.
        """
        token, self._token = self._token, None
        if token is None:
            return
        if keep:
            self.context = otel_context.get_current()
        try:
            token.var.reset(token)
        except ValueError:
            return  # entered in another task or thread, see above


class Scope:
    """Sets context for a `with` block, or for every call of a function when used as a decorator."""

    def __init__(self, values: Callable[[Mapping[str, AttributeValue]], Mapping[str, AttributeValue]]) -> None:
        self._values = values
        self._entered: list[Attachment] = []

    def _attachment(self) -> Attachment:
        before = carried() or {}
        try:
            merged = {**before, **self._values(before)}
        except Exception as error:  # a value whose __str__ fails
            guard.report("set context", error)
            merged = dict(before)
        return Attachment(otel_context.set_value(_ATTRIBUTES, merged))

    def __enter__(self) -> Self:
        attachment = self._attachment()
        attachment.resume()
        self._entered.append(attachment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.pop().suspend()

    def __call__(self, function: F) -> F:
        """Decorate a function, coroutine function, generator or async generator."""
        return drive(function, lambda _args, _kwargs: _ScopeCall(self._attachment()))


class _ScopeCall(Call):
    __slots__ = ("_attachment",)

    def __init__(self, attachment: Attachment) -> None:
        self._attachment = attachment

    def resume(self) -> None:
        self._attachment.resume()

    def suspend(self, *, keep: bool = False) -> None:
        self._attachment.suspend(keep=keep)


def session(session_id: object) -> Scope:
    """Every span below belongs to this session (a conversation, say): `session.id`.

    Args:
        session_id: your id of it; turned into text.
    """
    return Scope(lambda _: {names.SESSION_ID: str(session_id)})


def user(user_id: object, *, group: object = None) -> Scope:
    """Every span below is done for this user: `user.id` and `spanwise.user.group`.

    Args:
        user_id: your id of the user; turned into text.
        group: what kind of user: a plan, a customer, a country. Alerts say which groups a change comes from.
    """

    def merged(_: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
        found = {names.USER_ID: str(user_id)}
        if group is not None:
            found[names.USER_GROUP] = str(group)
        return found

    return Scope(merged)


def tags(*labels: str) -> Scope:
    """Add tags to every span below: `tag.tags`. Tags of an outer block stay.

    Args:
        labels: the tags.
    """

    def merged(before: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
        known = before.get(names.TAGS, ())
        return {names.TAGS: tuple(dict.fromkeys((*(known if isinstance(known, tuple) else ()), *map(str, labels))))}

    return Scope(merged)


def metadata(values: Mapping[str, object] | None = None, /, **more: object) -> Scope:
    """Add key-value pairs to every span below: `spanwise.metadata.<key>`.

    Args:
        values: pairs whose keys are no Python names.
        more: pairs as keyword arguments.
    """

    def merged(_: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
        pairs = {**(values or {}), **more}
        return {
            f"{names.METADATA_PREFIX}{key}": value if isinstance(value, bool | int | float) else str(value)
            for key, value in pairs.items()
        }

    return Scope(merged)


def prompt(name: str, version: object = None) -> Scope:
    """Every span below uses this prompt: `gen_ai.prompt.name` and `gen_ai.prompt.version`.

    Args:
        name: the prompt's name.
        version: its version; turned into text.
    """

    def merged(_: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
        found = {names.PROMPT_NAME: str(name)}
        if version is not None:
            found[names.PROMPT_VERSION] = str(version)
        return found

    return Scope(merged)
