"""The API with datasets and experiments over a database."""

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import uvicorn
from fastapi import FastAPI

from spanwise_collector.api.app import create_app
from spanwise_collector.api.curated import make_curated
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from tests.support.notices import NOW


def ticking(start: datetime = NOW) -> Callable[[], datetime]:
    """A clock that is a millisecond later at every look."""
    count = itertools.count()
    return lambda: start + timedelta(milliseconds=next(count))


def curated_app(database: Database, now: Callable[[], datetime] | None = None) -> FastAPI:
    """The app with the endpoints about datasets and experiments."""
    clock = now or ticking()
    ids = itertools.count(1)
    curated = make_curated(database, now=clock, new_id=lambda: f"{next(ids):016x}", timeout_s=30)
    return create_app(database=database, settings=Settings(clickhouse="chdb:///unused"), curated=curated, clock=clock)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """An app on a real socket; yields its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
