"""Answers from models."""

from fastapi import Response
from pydantic import BaseModel


def json_answer(model: BaseModel, status: int = 200) -> Response:
    """The model as JSON.

    Endpoints return this and not the model: it is valid by construction, and checking a trace of 10,000 spans again
    costs as much as reading it.
    """
    return Response(model.model_dump_json(), status_code=status, media_type="application/json")
