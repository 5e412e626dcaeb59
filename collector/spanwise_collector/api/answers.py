"""Answers from models, and files."""

from fastapi import Response
from pydantic import BaseModel

from spanwise_collector.datasets.export import Exported


def json_answer(model: BaseModel, status: int = 200) -> Response:
    """The model as JSON.

    Endpoints return this and not the model: it is valid by construction, and checking a trace of 10,000 spans again
    costs as much as reading it.
    """
    return Response(model.model_dump_json(), status_code=status, media_type="application/json")


def file_answer(made: Exported, name: str, media_type: str) -> Response:
    """A file to save; `Spanwise-Written` and `Spanwise-Left-Out` count what is in it and what is not.

    Args:
        made: the file.
        name: that it is saved under.
        media_type: of its bytes.
    """
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Spanwise-Written": str(made.written),
        "Spanwise-Left-Out": str(made.left_out),
    }
    return Response(made.data, media_type=media_type, headers=headers)
