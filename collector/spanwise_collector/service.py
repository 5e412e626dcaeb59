"""The collector as a process: puts the parts of its roles together, runs them, and stops them in order.

Start fails at once on what is wrong with the configuration. Once it runs, the first SIGTERM or SIGINT stores what was
read and then stops; a second one stops at once, which loses nothing: what was not stored is read again.
"""

import logging
import os
import random
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from types import FrameType

import uvicorn
from fastapi import FastAPI

from spanwise_collector.alerts.alerts_file import AlertsFileError
from spanwise_collector.alerts.assembly import AlertParts, make_parts
from spanwise_collector.api.alerting import Alerting, make_alerting
from spanwise_collector.api.annotating import make_annotating
from spanwise_collector.api.app import create_app
from spanwise_collector.api.curated import make_curated
from spanwise_collector.drift.reports import store_report
from spanwise_collector.erasing import Erasing, make_erasing
from spanwise_collector.evals.evals_file import EvalsFileError
from spanwise_collector.evals.role import EvalsRole
from spanwise_collector.exporting import Exporting, make_exporting
from spanwise_collector.exports.plan import ExportsFileError
from spanwise_collector.failures.issue_book import IssueBook
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.masked_rejects import with_masked_rejects
from spanwise_collector.ingest.price_file import PriceFileError, load_price_file
from spanwise_collector.ingest.runner import IngestRunner, connect_to_kafka
from spanwise_collector.ingest.settings import IngestSettings
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.judging import make_judging
from spanwise_collector.kafka_connection import kafka_connection
from spanwise_collector.normalise.masking import load_masker
from spanwise_collector.periodic import Periodic
from spanwise_collector.receive.access import Doorkeeper
from spanwise_collector.receive.key_file import KeyFile
from spanwise_collector.receive.keys import KeyFileError
from spanwise_collector.receive.limits import ReceiveLimits
from spanwise_collector.receive.receiver import Receiver, ReceiverSettings
from spanwise_collector.replay.jobs import ReplayJobs
from spanwise_collector.replay.making import make_replayer
from spanwise_collector.reprice.jobs import RepriceJobs
from spanwise_collector.reprice.repricer import Repricer
from spanwise_collector.retaining import make_retention
from spanwise_collector.retention.policy import RetentionFileError, load
from spanwise_collector.settings import Settings
from spanwise_collector.settle.runner import settle_runner
from spanwise_collector.settle.settler import Settler
from spanwise_collector.sql_access.running import SqlLimits, SqlRunner
from spanwise_collector.sql_scoring import SqlScoring, make_sql_scoring
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database, ReadLimits
from spanwise_collector.store.errors import StoreError
from spanwise_collector.store.migrate import migrate
from spanwise_collector.watching import Watching, make_texts, make_watching
from spanwise_schemas.wire import SPANS_TOPIC

HTTP_GRACE_S = 5
"""How long requests that are being answered may take after the stop."""
EVALS_GRACE_S = 10.0
"""How long batches that are being scored may take after the stop; what is not done is done at the next start."""
POLL_S = 0.2
log = logging.getLogger("spanwise")


class ConfigurationError(Exception):
    """The collector cannot start as it is configured; the message names the setting and the remedy."""


def serve(settings: Settings) -> int:
    """Run a collector until a signal or a failure.

    Args:
        settings: what to run and how.

    Returns:
        0 after a signal, 1 after a failure, which is in the log.

    Raises:
        ConfigurationError: a setting does not work here; nothing was started.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.getLogger("kafka").setLevel(logging.WARNING)
    requests = StopRequests()
    requests.install()
    # Bound before anything is opened: a second collector on the same port must not touch the data directory.
    with listening(settings.host, settings.port) as listener, ExitStack() as cleanup:
        doorkeeper = make_doorkeeper(settings)
        receiver = make_receiver(settings, doorkeeper) if "otlp" in settings.role else None
        database = None
        if settings.role - {"otlp"}:
            database = open_database(settings)
            cleanup.callback(database.close)
        runner = make_runner(settings, database) if database is not None and "ingest" in settings.role else None
        amender = make_amender(settings, database) if database is not None else None
        alert_parts = make_alert_parts(settings, database) if database is not None else None
        texts = make_texts(database, _now) if database is not None and settings.role & {"alerts", "api"} else None
        watching = None
        if database is not None and alert_parts is not None and "alerts" in settings.role:
            watching = make_watching(settings, database, alert_parts, texts=texts, now=_now, new_id=_new_id)
        sql_scoring = make_scoring(settings, database) if database is not None else None
        if sql_scoring is not None:
            # Before the database is closed, whichever way this ends.
            cleanup.callback(sql_scoring.stop)
        settling = make_settling(settings, database, amender, runner) if database and amender and runner else None
        reprice = RepriceJobs(Repricer(database, amender)) if database and amender and "api" in settings.role else None
        if reprice is not None:
            cleanup.callback(reprice.stop)
        replay = make_replay(settings, database, amender, runner) if database and amender and runner else None
        if replay is not None:
            cleanup.callback(replay.stop)
        exporting = make_exports(settings)
        if exporting is not None:
            # Before the database is closed, whichever way this ends.
            cleanup.callback(exporting.stop)
        erasing = make_eraser(settings, database, amender) if database and amender else None
        retaining = make_retaining(settings, database) if database is not None else None
        evals = make_evals(settings, database) if database is not None else None
        if evals is not None:
            # Before the database is closed, whichever way this ends.
            cleanup.callback(evals.stop, EVALS_GRACE_S)
        app = create_app(
            database=database,
            status=runner.status if runner else _no_ingest,
            receiver=receiver,
            prices=read_prices(settings) if database is not None else None,
            settings=settings,
            meters=[
                *([settling] if settling is not None else []),
                *(watching.meters if watching is not None else []),
                *(evals.meters if evals is not None else []),
                *(sql_scoring.meters if sql_scoring is not None else []),
                *([exporting] if exporting is not None else []),
                *([erasing] if erasing is not None else []),
                *([retaining] if retaining is not None else []),
            ],
            reprice=reprice,
            replay=replay,
            alerting=make_api_alerting(settings, database, alert_parts) if database and alert_parts else None,
            issues=IssueBook(database, _now) if database is not None else None,
            scores=receiver.scores if receiver is not None else None,
            annotating=make_annotating(database, now=_now, new_id=_new_id) if database is not None else None,
            curated=make_curated(database, now=_now, new_id=_new_id, timeout_s=settings.query_timeout_seconds)
            if database is not None
            else None,
            sql_evaluating=sql_scoring.for_api if sql_scoring is not None else None,
            texts=texts,
            evals=evals.told if evals is not None else None,
            keep_report=(lambda report: store_report(database, report, _now())) if database is not None else None,
            doorkeeper=doorkeeper,
            sql=SqlRunner(database, sql_limits(settings)) if database is not None else None,
            erasing=erasing.for_api if erasing is not None else None,
            retention=lambda: load(settings.retention_file) if settings.retention_file else (),
        )
        # Before the database is closed, whichever way this ends.
        _stop_at_the_end(settling, cleanup)
        _stop_at_the_end(watching, cleanup)
        _stop_at_the_end(erasing, cleanup)
        _stop_at_the_end(retaining, cleanup)
        _start(settling, watching, evals, sql_scoring, exporting, erasing, retaining)
        return _run(app, listener, runner, receiver, evals, settings, requests)


def _stop_at_the_end(part: Watching | Periodic | Erasing | None, cleanup: ExitStack) -> None:
    if part is not None:
        cleanup.callback(part.stop)


def _start(*parts: Watching | Periodic | EvalsRole | SqlScoring | Exporting | Erasing | None) -> None:
    for part in parts:
        if part is not None:
            part.start()


class StopRequests:
    """Counts SIGTERM and SIGINT."""

    def __init__(self) -> None:
        self.count = 0
        self._first = threading.Event()

    def install(self) -> None:
        """Take over the signals of this process; only from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._received)

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for the first request; whether there was one."""
        return self._first.wait(seconds)

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self._first.set()


@contextmanager
def listening(host: str, port: int, setting: str = "SPANWISE_PORT") -> Iterator[socket.socket]:
    """A listening socket.

    Args:
        host: address of this machine.
        port: TCP port; 0 takes a free one.
        setting: the variable that names the port, for the message.

    Raises:
        ConfigurationError: the address cannot be used.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise ConfigurationError(f"SPANWISE_HOST: {host} is not an address of this machine ({error}).") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(256)
        except OSError as error:
            raise ConfigurationError(
                f"{setting}: cannot listen on {host}:{port} ({error.strerror}). Choose a free one."
            ) from error
        yield listener


def open_database(settings: Settings) -> Database:
    """ClickHouse with the schema of this version.

    Raises:
        ConfigurationError: it cannot be opened or migrated.
    """
    database = None
    try:
        database = Database.open(
            settings.clickhouse,
            readers=settings.readers,
            cluster=settings.clickhouse_cluster,
            limits=ReadLimits(memory_bytes=settings.query_memory_bytes),
        )
        applied = migrate(database)
    except (StoreError, ImportError, RuntimeError) as error:
        if database is not None:
            database.close()
        raise ConfigurationError(f"SPANWISE_CLICKHOUSE: {error}") from error
    if applied:
        log.info("schema migrated: %s", ", ".join(f"{number:04d}" for number in applied))
    return database


def read_prices(settings: Settings) -> PriceBook:
    """The price list with the user's own file before it.

    Raises:
        ConfigurationError: the price file cannot be used.
    """
    try:
        return PriceBook(load_price_file(settings.prices_file) if settings.prices_file else None)
    except (PriceFileError, OSError) as error:
        raise ConfigurationError(f"SPANWISE_PRICES_FILE: {error}") from error


def make_runner(settings: Settings, database: Database) -> IngestRunner:
    """Ingest as the settings say; not started.

    Raises:
        ConfigurationError: the price file cannot be used.
    """
    masker = load_masker(settings)
    transformer = Transformer(prices=read_prices(settings), retention_days=settings.retention_days, masker=masker)
    return IngestRunner(
        settings=ingest_settings(settings),
        database=database,
        transformer=transformer,
        connect=lambda kafka: with_masked_rejects(connect_to_kafka(kafka), masker),
    )


def make_settling(settings: Settings, database: Database, amender: Amender, runner: IngestRunner) -> Periodic | None:
    """Settling as the settings say, not started; None where it is off.

    Of all collectors the one settles that reads the first partition of the spans' topic.
    """
    if not settings.settle_seconds:
        return None

    def is_leader() -> bool:
        return any(one.topic == SPANS_TOPIC and one.partition == 0 for one in runner.status().partitions)

    settler = Settler(database, amender, window=timedelta(hours=settings.settle_hours), now=_now)
    return settle_runner(settler, is_leader=is_leader, interval_s=settings.settle_seconds)


def make_replay(settings: Settings, database: Database, amender: Amender, runner: IngestRunner) -> ReplayJobs:
    """Replays; a swap that was interrupted is finished here, before anything is stored.

    Raises:
        ConfigurationError: it cannot be finished.
    """
    replayer = make_replayer(
        settings,
        ingest_settings(settings),
        live=database,
        amender=amender,
        runner=runner,
        prices=read_prices(settings),
    )
    try:
        if replayer.finish_swap():
            log.info("a replay's swap that was interrupted is finished")
    except StoreError as error:
        raise ConfigurationError(f"SPANWISE_CLICKHOUSE: the swap of a replay cannot be finished ({error})") from error
    return ReplayJobs(replayer)


def make_amender(settings: Settings, database: Database) -> Amender:
    """What makes changes of stored spans: one for the process."""
    return Amender(database, owner=f"{socket.gethostname()}:{settings.port}", now=_now)


def make_eraser(settings: Settings, database: Database, amender: Amender) -> Erasing | None:
    """Erasing; not started. None where this process neither stores spans nor is asked to erase any."""
    if not settings.role & {"ingest", "api"}:
        return None
    owner = f"{socket.gethostname()}:{settings.port}/{secrets.token_hex(4)}"
    return make_erasing(database, amender, owner=owner, now=_now, new_id=_new_id)


def make_retaining(settings: Settings, database: Database) -> Periodic | None:
    """Retention by project; not started. None where there is none.

    Raises:
        ConfigurationError: the file cannot be used.
    """
    owner = f"{socket.gethostname()}:{settings.port}/{secrets.token_hex(4)}"
    try:
        return make_retention(settings, database, owner=owner, now=_now)
    except RetentionFileError as error:
        raise ConfigurationError(f"SPANWISE_RETENTION_FILE: {error}") from error


def make_alert_parts(settings: Settings, database: Database) -> AlertParts:
    """What alerting shares among its threads and the API.

    Raises:
        ConfigurationError: the alerts file cannot be used.
    """
    try:
        return make_parts(
            settings,
            database,
            owner=f"{socket.gethostname()}:{settings.port}/{secrets.token_hex(4)}",
            environ=os.environ,
            now=_now,
            clock=time.monotonic,
            new_id=_new_id,
            rng=random.Random(),
        )
    except AlertsFileError as error:
        raise ConfigurationError(f"SPANWISE_ALERTS_FILE: {error}") from error


def make_api_alerting(settings: Settings, database: Database, parts: AlertParts) -> Alerting:
    """Alerts for the API."""
    return make_alerting(parts, database, new_id=_new_id, timeout_s=settings.query_timeout_seconds, wait=time.sleep)


def make_scoring(settings: Settings, database: Database) -> SqlScoring:
    """SQL evaluators as the settings say; not started.

    Raises:
        ConfigurationError: the store cannot be opened once more.
    """
    owner = f"{socket.gethostname()}:{settings.port}/{secrets.token_hex(4)}"
    try:
        return make_sql_scoring(settings, database, owner=owner, now=_now, new_id=_new_id, clock=time.monotonic)
    except StoreError as error:
        raise ConfigurationError(f"SPANWISE_CLICKHOUSE: {error}") from error


def make_exports(settings: Settings) -> Exporting | None:
    """Scheduled exports as the settings say; not started. None where there are none.

    Raises:
        ConfigurationError: the file cannot be used, or the store not be opened once more.
    """
    owner = f"{socket.gethostname()}:{settings.port}/{secrets.token_hex(4)}"
    try:
        return make_exporting(settings, owner=owner, now=_now, new_id=_new_id)
    except ExportsFileError as error:
        raise ConfigurationError(f"SPANWISE_EXPORTS_FILE: {error}") from error
    except StoreError as error:
        raise ConfigurationError(f"SPANWISE_CLICKHOUSE: {error}") from error


def _new_id() -> str:
    return secrets.token_hex(8)


def _now() -> datetime:
    return datetime.now(UTC)


def make_evals(settings: Settings, database: Database) -> EvalsRole | None:
    """The role `evals` as the settings say; not started. None where it is not wanted.

    Raises:
        ConfigurationError: the evals file cannot be used.
    """
    try:
        return make_judging(
            settings,
            database,
            prices=read_prices(settings),
            ingest=ingest_settings(settings),
            now=_now,
            new_id=_new_id,
        )
    except EvalsFileError as error:
        raise ConfigurationError(f"SPANWISE_EVALS_FILE: {error}") from error


def make_doorkeeper(settings: Settings) -> Doorkeeper:
    """Who may send and ask, as the settings say.

    Raises:
        ConfigurationError: the key file cannot be used.
    """
    try:
        keys = KeyFile(settings.keys_file, time.monotonic)
    except KeyFileError as error:
        raise ConfigurationError(f"SPANWISE_KEYS_FILE: {error}") from error
    return Doorkeeper(keys.ring, _now, operator_key=settings.operator_key.get_secret_value())


def make_receiver(settings: Settings, doorkeeper: Doorkeeper) -> Receiver:
    """The OTLP receivers as the settings say; not started.

    Raises:
        ConfigurationError: the port of gRPC is taken.
    """
    if settings.grpc_port is not None:
        with listening(settings.host, settings.grpc_port, "SPANWISE_GRPC_PORT"):
            pass  # grpcio opens it later, when its event loop runs
    limits = ReceiveLimits(
        body_bytes=settings.otlp_body_bytes,
        decoded_bytes=settings.otlp_decoded_bytes,
        in_flight_bytes=settings.otlp_in_flight_bytes,
        body_seconds=settings.otlp_body_seconds,
        ack_seconds=settings.otlp_ack_seconds,
    )
    return Receiver(
        ReceiverSettings(
            kafka=kafka_connection(settings), limits=limits, host=settings.host, grpc_port=settings.grpc_port
        ),
        doorkeeper,
        masker=load_masker(settings),
    )


def sql_limits(settings: Settings) -> SqlLimits:
    """What a question in SQL may cost."""
    return SqlLimits(
        seconds=settings.sql_seconds,
        memory_bytes=settings.sql_memory_bytes,
        rows_read=settings.sql_rows_read,
        rows=settings.sql_rows,
        at_once=settings.sql_at_once,
    )


def ingest_settings(settings: Settings) -> IngestSettings:
    """What ingest needs of the collector's settings."""
    every = settings.partitions == "all"
    return IngestSettings(
        kafka=kafka_connection(settings),
        code_version=version("spanwise"),
        collector_id=f"{socket.gethostname()}:{settings.port}",
        assignment=settings.assignment,
        partitions=None if every else tuple(int(number) for number in settings.partitions.split(",")),
        group=settings.group,
        group_instance=settings.group_instance,
        topic_partitions=settings.topic_partitions,
        topic_replication=settings.topic_replication,
        batch_rows=settings.batch_rows,
        batch_bytes=settings.batch_bytes,
        batch_seconds=settings.batch_seconds,
        lost_offsets=settings.lost_offsets,
        reject_limit=settings.reject_limit,
    )


def _run(
    app: FastAPI,
    listener: socket.socket,
    runner: IngestRunner | None,
    receiver: Receiver | None,
    evals: EvalsRole | None,
    settings: Settings,
    requests: StopRequests,
) -> int:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=HTTP_GRACE_S,
            lifespan="on",
            proxy_headers=False,  # who may send without a key is decided by the socket's other end
        )
    )
    # In a thread of its own uvicorn leaves the signals alone, so that the API answers while ingest drains.
    http = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
    http.start()
    if runner is not None:
        runner.start()
    host, port = listener.getsockname()[:2]
    log.info(
        "spanwise %s, role %s, listening on %s:%s", version("spanwise"), "+".join(sorted(settings.role)), host, port
    )
    failure = ""
    while not failure and not requests.wait(POLL_S):
        if not http.is_alive():
            failure = "the HTTP server stopped; its reason is in the log above"
        elif runner is not None:
            failure = runner.status().failure
    if failure:
        log.error("stopping: %s", failure)
    if receiver is not None:
        _finish_requests(receiver, requests)
    if evals is not None:
        # Scores go to Kafka: what is made now is stored by the drain of ingest.
        evals.stop(EVALS_GRACE_S if requests.count < 2 else 0.0)
    if runner is not None:
        drained = _drain(runner, settings.drain_seconds, requests, wanted=not failure)
        log.info("ingest stopped, %s", drained)
    server.should_exit = True
    http.join(HTTP_GRACE_S + 5.0)
    return 1 if failure else 0


def _finish_requests(receiver: Receiver, requests: StopRequests) -> None:
    """Let no more OTLP in, and answer what is in flight: what ingest drains afterwards is then complete."""
    receiver.refuse_more()
    deadline = time.monotonic() + HTTP_GRACE_S
    while receiver.busy and requests.count < 2 and time.monotonic() < deadline:
        time.sleep(POLL_S / 10)


def _drain(runner: IngestRunner, seconds: float, requests: StopRequests, *, wanted: bool) -> str:
    """Stop ingest, after it has stored what is in Kafka; a second signal cuts the wait short."""
    if not wanted:
        runner.stop(drain=False, timeout_s=HTTP_GRACE_S)
        return "without draining"
    draining = threading.Thread(
        target=runner.stop, kwargs={"drain": True, "timeout_s": seconds}, name="drain", daemon=True
    )
    draining.start()
    deadline = time.monotonic() + seconds + HTTP_GRACE_S
    while draining.is_alive() and time.monotonic() < deadline:
        if requests.count > 1:
            runner.stop(drain=False, timeout_s=HTTP_GRACE_S)
            return "without draining, as asked"
        draining.join(POLL_S)
    lag = runner.status().lag
    return "everything stored" if lag == 0 else f"lag {'unknown' if lag is None else lag}: it is read at the next start"


def _no_ingest() -> None:
    """The status of a collector without the ingest role."""
