"""What tools raise that use the web, a database, a cache or a schema, by the packages most of them use."""

from typing import Any, Literal

import httpx
import jsonschema
import psycopg
import redis
import requests
import sqlalchemy
import tiktoken
from pydantic import BaseModel, ConfigDict, Field
from recording import Stub, fail
from values import Values


class Order(BaseModel):
    """Arguments of a tool."""

    model_config = ConfigDict(extra="forbid")
    number: int = 1
    state: Literal["open", "sent"] = "open"
    city: str = Field(default="Paris", min_length=3)
    items: list[str] = []
    price: float = Field(default=1, gt=0)


class Needed(BaseModel):
    """Arguments that must be given."""

    number: int
    city: str


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"number": {"type": "integer", "minimum": 1}, "state": {"enum": ["open", "sent"]}},
    "required": ["number"],
    "additionalProperties": False,
}


def web(stub: Stub) -> None:
    """HTTP clients."""

    def path(v: Values) -> str:
        return f"{stub.url}/{v.name}/{v.n(1, 9_999)}?q={v.column}"

    def status(code: int, v: Values) -> str:
        stub.status, stub.body = code, {"detail": "no"}
        return path(v)

    for code in (404, 422, 500, 503):
        fail(f"httpx/{code}", "", lambda v, code=code: httpx.get(status(code, v)).raise_for_status())
        fail(f"requests/{code}", "", lambda v, code=code: requests.get(status(code, v), timeout=2).raise_for_status())
    fail("httpx/refused", "", lambda v: httpx.get(f"http://127.0.0.{v.n(1, 99)}:9/{v.name}"))
    fail("requests/refused", "", lambda v: requests.get(f"http://127.0.0.{v.n(1, 99)}:9/{v.name}", timeout=2))
    fail("requests/no scheme", "", lambda v: requests.get(f"{v.host}/{v.name}", timeout=2))
    fail("httpx/protocol", "", lambda v: httpx.get(f"{v.name.replace('_', '-')}://{v.host}/{v.name}"))
    fail("httpx/tls", "", lambda v: httpx.get(f"https://127.0.0.1:{stub.port}/{v.name}"))
    fail("requests/tls", "", lambda v: requests.get(f"https://127.0.0.1:{stub.port}/{v.name}", timeout=2))
    stub.status = 0
    fail("httpx/disconnected", "", lambda v: httpx.get(path(v)))
    fail("requests/disconnected", "", lambda v: requests.get(path(v), timeout=2))
    stub.status = -1
    fail("httpx/timeout", "", lambda v: httpx.get(path(v), timeout=0.05))
    fail("requests/timeout", "", lambda v: requests.get(path(v), timeout=v.n(20, 90) / 1000))


def databases() -> None:
    """SQL and a cache."""
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE orders (number INTEGER PRIMARY KEY, city TEXT NOT NULL)"))
        connection.execute(sqlalchemy.text("INSERT INTO orders VALUES (1, 'Paris')"))

        def run(sql: str) -> object:
            return connection.execute(sqlalchemy.text(sql))

        fail(
            "sqlalchemy/no table", "", lambda v: run(f"SELECT {v.column} FROM missing_{v.name} WHERE x = {v.n(1, 99)}")
        )
        fail("sqlalchemy/no column", "", lambda v: run(f"SELECT x_{v.column} FROM orders LIMIT {v.n(1, 99)}"))
        fail("sqlalchemy/syntax", "", lambda v: run(f"SELECT {v.column} FORM orders LIMIT {v.n(1, 99)}"))
        fail("sqlalchemy/null", "", lambda v: run(f"INSERT INTO orders VALUES ({v.n(2, 10**6)}, NULL)"))
    fail("sqlalchemy/url", "", lambda v: sqlalchemy.create_engine(f"{v.name}:{v.host}"))
    fail(
        "psycopg/refused",
        "",
        lambda v: psycopg.connect(f"host=127.0.0.{v.n(1, 99)} port={v.n(2, 9)} dbname={v.name}", connect_timeout=2),
    )
    fail("psycopg/option", "", lambda v: psycopg.connect(f"{v.column}_={v.name}"))
    fail("redis/refused", "", lambda v: redis.Redis(host=f"127.0.0.{v.n(1, 99)}", port=v.n(2, 9)).get(v.name))
    encoder = redis.connection.Encoder("utf-8", "strict", False)
    fail("redis/input", "", lambda v: encoder.encode(v.rng.choice(([], {}, None, ()))))


def schemas() -> None:
    """Values against schemas."""

    def order(**values: object) -> object:
        return Order.model_validate(values)

    def check(**values: object) -> object:
        return jsonschema.validate(values, SCHEMA)

    fail("pydantic/int", "", lambda v: order(number=f"{v.name} {v.n(1, 99)}"))
    fail("pydantic/literal", "", lambda v: order(state=v.name))
    fail("pydantic/short", "", lambda v: order(city=v.id("", v.n(1, 2))))
    fail("pydantic/list", "", lambda v: order(items=v.name))
    fail("pydantic/string", "", lambda v: order(city=v.n(1, 10**6)))
    fail("pydantic/positive", "", lambda v: order(price=-v.n(1, 10**4) / 10))
    fail("pydantic/extra", "", lambda v: order(**{f"the_{v.column}": v.name}))
    fail("pydantic/missing", "", lambda v: Needed.model_validate({"number": v.n(1, 10**6)}))
    fail("pydantic/json", "", lambda v: Order.model_validate_json(f'{{"number": {v.n(1, 10**6)}, "city"'))
    fail("jsonschema/required", "", lambda v: check(state=v.one_of("open", "sent")))
    fail("jsonschema/type", "", lambda v: check(number=v.name))
    fail("jsonschema/enum", "", lambda v: check(number=1, state=v.name))
    fail("jsonschema/minimum", "", lambda v: check(number=-v.n(1, 10**6)))
    fail("jsonschema/additional", "", lambda v: check(number=1, **{v.column: v.n(1, 99)}))
    fail("tiktoken/no encoding", "", lambda v: tiktoken.encoding_for_model(f"{v.name}-chat"))


web(Stub())
databases()
schemas()
