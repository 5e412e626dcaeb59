"""What a collector with the role `evals` does, put together from its settings."""

import logging
import os
import random
import secrets
import time
from collections.abc import Callable
from datetime import datetime

from spanwise_collector.evals.assembly import World
from spanwise_collector.evals.chat_http import HttpEndpoint
from spanwise_collector.evals.evals_file import EvalsFile
from spanwise_collector.evals.role import EvalsRole, Parts
from spanwise_collector.evals.stopping import Stopping
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.settings import IngestSettings
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.normalise.masking import load_masker
from spanwise_collector.receive.producer import KafkaWriter
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database

log = logging.getLogger(__name__)


def make_judging(
    settings: Settings,
    database: Database,
    *,
    prices: PriceBook,
    ingest: IngestSettings,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
) -> EvalsRole | None:
    """The role as the settings say; not started. None where there is no evals file, or this process lacks the role.

    Args:
        settings: of the collector.
        database: the store.
        prices: what models cost.
        ingest: how Kafka is reached and read.
        now: the time of day, UTC.
        new_id: a text that was never used before.

    Raises:
        EvalsFileError: the file cannot be used.
    """
    if "evals" not in settings.role or settings.evals_file is None:
        if settings.role == {"evals"}:
            log.warning("SPANWISE_EVALS_FILE is not set: no evaluators and judges of a file score here")
        return None
    file = EvalsFile(settings.evals_file, prices, clock=time.monotonic, now_us=lambda: time.time_ns() // 1000)
    endpoint, stopping = HttpEndpoint(), Stopping()
    world = World(
        store=database,
        endpoint=endpoint,
        prices=prices,
        environ=os.environ,
        now=now,
        now_ns=time.time_ns,
        clock=time.monotonic,
        wait=stopping.wait,
        jitter=random.random,
        new_id=new_id,
    )
    writer = KafkaWriter(
        ingest.kafka,
        producer_id=secrets.token_hex(16),
        ack_seconds=settings.otlp_ack_seconds,
        refused=lambda: 0,
        clock=time.monotonic,
    )
    # Not ingest's own: it remembers what it read, for one thread.
    transformer = Transformer(prices=prices, retention_days=settings.retention_days, masker=load_masker(settings))
    return EvalsRole(
        Parts(
            settings=ingest,
            database=database,
            transformer=transformer,
            writer=writer,
            endpoint=endpoint,
            file=file,
            world=world,
            stopping=stopping,
            random_bytes=secrets.token_bytes,
            version=time.time_ns,
        )
    )
