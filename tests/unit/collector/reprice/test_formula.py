"""Costs computed in the engine against those computed at ingest."""

import random

import pyarrow as pa

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.price_file import parse_price_file
from spanwise_collector.normalise.columns import SPANS
from spanwise_collector.reprice.formula import Model, change_of
from spanwise_collector.store.database import Database
from tests.support import otlp

MODELS = [
    ("openai", "gpt-4o", "gpt-4o-2024-08-06"),
    ("anthropic", "claude-sonnet-4-20250514", ""),
    ("gcp.gemini", "gemini-2.5-pro", ""),
    ("perplexity", "sonar", "sonar"),
    ("perplexity", "sonar-deep-research", ""),
    ("openai", "text-embedding-3-small", ""),
    ("openai", "gpt-4o-audio-preview", ""),
    ("gcp.gemini", "gemini-2.5-flash", ""),
    ("my-rack", "llama", "router"),
    ("", "o'brien\\", "gpt-4o-mini"),
    ("nobody", "knows", ""),
]
FILE = '[[models]]\nmodel = "llama"\ninput = 0\noutput = 0\nrequest = 0.01\naudio_input = 3\n'
COLUMNS = (
    "cost_input_n, cost_output_n, cost_total_n, toString(cost_source), price_version, cost_computed_n, cost_reported_n"
)


def test_same_as_at_ingest(database: Database) -> None:
    """Spans stored under another list have, after repricing, what they would have been given by it in every column."""
    chance = random.Random(7)
    spans = []
    for number in range(1, 1_500):
        provider, asked, answered = chance.choice(MODELS)
        read, write, plain, reasoning, plain_out = (
            chance.choice([0, 0, chance.randrange(5), chance.randrange(300_000)]) for _ in range(5)
        )
        values: dict[str, object] = {
            "gen_ai.operation.name": chance.choice(["chat", "chat", "embeddings", "invoke_agent"]),
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": asked,
            "gen_ai.response.model": answered,
            "gen_ai.usage.input_tokens": plain + chance.choice([1, 1, 1, 0]) * (read + write),
            "gen_ai.usage.output_tokens": plain_out + chance.choice([1, 1, 1, 0]) * reasoning,
            "gen_ai.usage.cache_read.input_tokens": read,
            "gen_ai.usage.cache_creation.input_tokens": write,
            "gen_ai.usage.reasoning.output_tokens": reasoning,
        }
        if chance.random() < 0.5:
            values["llm.token_count.prompt_details.audio"] = chance.choice([1, 70, plain])
            values["llm.token_count.completion_details.audio"] = chance.choice([1, 70, plain_out])
        if chance.random() < 0.2:
            values["gen_ai.usage.cost"] = 0.25
        spans.append(
            otlp.span(values={key: one for key, one in values.items() if one != ""}, span_id=number.to_bytes(8, "big"))
        )
    book = PriceBook(parse_price_file(FILE))
    made = [
        otlp.transform(otlp.record(otlp.traces(*spans)), prices=prices).tables["spans"]
        for prices in (book, PriceBook())
    ]
    database.insert("spans", made[0], token="right")
    right = database.query(f"SELECT span_id, {COLUMNS} FROM spans ORDER BY span_id").rows
    database.command("TRUNCATE TABLE spans")
    other = made[1].to_pylist()
    for row in other:
        if row["cost_source"] != 1:
            row |= {"cost_input_n": 1, "cost_output_n": 2, "cost_total_n": 3, "price_version": "old"}
            row["cost_computed_n"] = 3
    database.insert("spans", pa.RecordBatch.from_pylist(other, schema=SPANS), token="other")
    models = {
        Model(provider, answered, asked): Model(provider, answered, asked).price(book, otlp.NOW_MS * 1000)
        for provider, answered, asked in database.query(
            "SELECT DISTINCT provider, model_response, model_request FROM spans ORDER BY ALL"
        ).rows
    }
    change = change_of("shop", otlp.NOW_MS * 1000 - 10**9, otlp.NOW_MS * 1000, models)
    values_sql = ", ".join(f"{column} = {value}" for column, value in change.values.items())
    database.command(
        f"ALTER TABLE spans UPDATE {values_sql} WHERE {change.where} "
        "SETTINGS mutations_sync = 2, alter_update_mode = 'lightweight'"
    )

    found = database.query(f"SELECT span_id, {COLUMNS} FROM spans WHERE kind != 'agent' ORDER BY span_id").rows
    agents = {row[0] for row in database.query("SELECT span_id FROM spans WHERE kind = 'agent'").rows}
    assert found == [row for row in right if row[0] not in agents]
    assert {"none", "computed", "reported"} == {row[4] for row in found}
