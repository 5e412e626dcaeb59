"""API models of erasing."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from spanwise_schemas.api import Model


class ErasureRequest(Model):
    """What to erase: exactly one of a user, a session and a trace."""

    user: str = Field("", description="A user's id, as spans have it.", max_length=1000)
    session: str = Field("", description="A session's id, as spans have it.", max_length=1000)
    trace: str = Field("", description="A trace id, 32 hex digits.", pattern="^([0-9a-fA-F]{32})?$")
    dry_run: bool = Field(False, description="True only counts what would be removed.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, (self.user, self.session, self.trace))) != 1:
            raise ValueError("name exactly one of user, session and trace")
        return self


class Erasure(Model):
    """One erasure: how far it is and what came of it."""

    id: str = Field(description="Empty of a dry run.")
    project: str
    kind: Literal["user", "session", "trace"]
    trace_id: str = Field("", description="Of a trace. Of users and sessions only a digest is kept.")
    state: Literal["counted", "asked", "running", "done"] = Field(
        description="`counted` is the answer to a dry run. `done` means that no row is left that a query could find."
    )
    before: datetime = Field(description="Spans that started before are meant; later ones of the user or session stay.")
    by: str = Field(description="Key that asked for it.")
    asked_at: datetime
    changed_at: datetime
    traces: int = Field(description="Traces that were found.")
    rows: dict[str, int] = Field(description="Rows that were found, by table.")
    rolled_up: dict[str, int] = Field(description="Rows of roll-ups that were made anew, by roll-up.")
    kept_in_rollups: int = Field(
        description="Combinations of a day, a name and a model (and so on) whose sums still have the share of what was "
        "erased, since other spans of them have expired, so that they cannot be made anew."
    )
    days_left: int = Field(description="Days of spans that are still to be gone through.")
    passes: int = Field(description="How often everything was gone through; late spans lead to another pass.")
    kept_out: int = Field(description="Items that arrived afterwards and were left out.")
    failure: str = Field("", description="Why the last attempt did not end; it is tried again.")


class Erasures(Model):
    """Erasures of a project, and what none of them reaches."""

    items: list[Erasure] = Field(description="The newest first, at most 200.")
    not_reached: list[str] = Field(description="Where copies may be that Spanwise cannot erase, in words.")
