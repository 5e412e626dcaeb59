"""The SDK in real processes against a real broker.

Nothing pending is lost at any end of a process, nor in forked children.
"""

import json
import signal
import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from spanwise_collector.embedded.broker import EmbeddedBroker, free_port
from tests.support.sdk_process import Reader, make_topics, program, run, start, unique_name

LINGER = 60_000  # so that every span is still pending when the process ends


@pytest.fixture
def reader(kafka_bootstrap: str) -> Iterator[Reader]:
    """Reads what the test sends."""
    make_topics(kafka_bootstrap)
    found = Reader(kafka_bootstrap)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("pass", 0),
        ("raise RuntimeError('the application fails')", 1),
        ("sys.exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -signal.SIGTERM),
    ],
    ids=["return", "exception", "sys.exit", "SIGTERM"],
)
def test_nothing_pending_is_lost_at_the_end(end: str, status: int, kafka_bootstrap: str, reader: Reader) -> None:
    """Ten spans and a score are pending when the process ends; it ends as it would have without us."""
    name = unique_name()
    body = f"""
        for n in range(10):
            work(n)
        spanwise.score(NAME, 1.0, trace_id="ab" * 16)
        {end}
    """

    done = run(program(body, kafka=kafka_bootstrap, linger_ms=LINGER), name)

    assert done.returncode == status, done.stderr
    assert reader.read().count(name) == (10, 0)
    assert name in {pair.value.string_value for score in reader.scores for pair in score.attributes}


@pytest.mark.parametrize(
    ("setup", "end", "status"),
    [
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))", "time.sleep(60)", 7),
        ("signal.signal(signal.SIGTERM, lambda *_: os._exit(8))", "time.sleep(60)", 8),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "sys.exit(9)", 9),
    ],
    ids=["handler that exits", "handler that exits at once", "ignored"],
)
def test_sigterm_does_what_it_would_have_done(
    setup: str, end: str, status: int, kafka_bootstrap: str, reader: Reader
) -> None:
    """A handler installed before `init` still decides; an ignored signal stays ignored."""
    name = unique_name()
    body = f"""
        for n in range(10):
            work(n)
        os.kill(os.getpid(), signal.SIGTERM)
        {end}
    """

    done = run(f"import os, signal, sys\n{setup}\n" + program(body, kafka=kafka_bootstrap, linger_ms=LINGER), name)

    assert done.returncode == status, done.stderr
    assert reader.read().count(name) == (10, 0)


def test_asyncio_handlers_go_on_working(kafka_bootstrap: str, reader: Reader) -> None:
    """A service that shuts down through `loop.add_signal_handler` does so, and loses nothing."""
    name = unique_name()
    body = """
        import asyncio
        async def main():
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            for n in range(10):
                work(n)
            os.kill(os.getpid(), signal.SIGTERM)
            await stop.wait()
            print("stopped")
        asyncio.run(main())
    """

    done = run(program(body, kafka=kafka_bootstrap, linger_ms=LINGER), name)

    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr
    assert reader.read().count(name) == (10, 0)


def test_sigterm_in_a_busy_process_loses_nothing_and_does_not_hang(kafka_bootstrap: str, reader: Reader) -> None:
    """The signal interrupts the main thread anywhere, also in the middle of ending a span."""
    name = unique_name()
    body = """
        def log(number, frame):
            print(spanwise.stats().emitted, spanwise.stats().dropped_total, flush=True)
            os._exit(0)
        handler = signal.getsignal(signal.SIGTERM)
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
        while True:
            work(1)
    """
    early = "import os, signal, sys\nsignal.signal(signal.SIGTERM, lambda *a: log(*a))\n"

    done = run(early + program(body, kafka=kafka_bootstrap), name)

    assert done.returncode == 0, done.stderr
    emitted, dropped = map(int, done.stdout.split())
    count, twice = reader.read().count(name)
    assert (count + dropped, twice) == (emitted, 0)
    assert emitted > 0


FORKS = {
    "os.fork": """
        for worker in range(3):
            if os.fork() == 0:
                for n in range(5):
                    work(n)
                sys.exit(0)
        for worker in range(3):
            os.wait()
    """,
    "multiprocessing fork": """
        import multiprocessing
        def job():
            for n in range(5):
                work(n)
        children = [multiprocessing.get_context("fork").Process(target=job) for worker in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join()
    """,
    "process pool": """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        def job(worker):
            for n in range(5):
                work(n)
        with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("fork")) as pool:
            list(pool.map(job, range(3)))
    """,
}


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
@pytest.mark.parametrize("before", ["", "spanwise.flush(10)"], ids=["pending in the parent", "connected in the parent"])
def test_forked_children_lose_nothing(fork: str, before: str, kafka_bootstrap: str, reader: Reader) -> None:
    """Spans of the parent and of every child arrive exactly once; each process has its own producer id."""
    name = unique_name()
    body = f"""
for n in range(10):
    work(n)
{before}
""" + "".join(line.removeprefix("        ") + "\n" for line in fork.splitlines())

    done = run(program(body, kafka=kafka_bootstrap, linger_ms=LINGER), name)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert reader.read().count(name) == (25, 0)
    # A pool may give one worker several jobs.
    assert reader.producers.most_common(1)[0][1] <= 15
    by_producer: dict[str, list[int]] = {}
    for envelope in reader.envelopes:
        by_producer.setdefault(envelope.producer, []).append(envelope.seq)
    assert len(by_producer) >= 2
    assert all(sorted(numbers) == list(range(len(numbers))) for numbers in by_producer.values())


def test_background_threads_import_only_while_forks_wait(kafka_bootstrap: str, reader: Reader) -> None:
    """From the connection on, delivering needs no module that was not loaded under the gate that forks wait for."""
    name = unique_name()
    early = """
        import sys
        from spanwise import _gate
        loaded = set()
        load = _gate.ImportGate.load
        def load_and_note(gate, *modules):
            load(gate, *modules)
            loaded.update(sys.modules)
        _gate.ImportGate.load = load_and_note
    """
    body = """
        work(1)
        spanwise.score(NAME, 1.0, trace_id="ab" * 16)
        assert spanwise.flush(60)
        print(sorted(set(sys.modules) - loaded))
    """

    done = run(textwrap.dedent(early) + program(body, kafka=kafka_bootstrap), name)

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_spawned_children_that_call_init_lose_nothing(kafka_bootstrap: str, reader: Reader, tmp_path: Path) -> None:
    """A child of multiprocessing ends without running atexit; what it has pending is sent all the same."""
    name = unique_name()
    (tmp_path / "child_job.py").write_text(
        f"""
import spanwise

def job():
    spanwise.init(kafka={kafka_bootstrap!r}, linger_ms={LINGER}, exit_timeout_s=30)
    for n in range(5):
        with spanwise.span({name!r}):
            pass
"""
    )
    body = f"""
        sys.path.insert(0, {str(tmp_path)!r})
        import multiprocessing
        from child_job import job
        for method in ("spawn", "forkserver"):
            child = multiprocessing.get_context(method).Process(target=job)
            child.start()
            child.join()
            assert child.exitcode == 0
    """

    done = run(program(body, kafka=kafka_bootstrap, linger_ms=LINGER), name)

    assert (done.returncode, done.stderr) == (0, "")
    assert reader.read().count(name) == (10, 0)


def test_a_burst_on_a_healthy_broker_is_sent_or_counted(kafka_bootstrap: str, reader: Reader) -> None:
    """20,000 calls back to back: what was not sent was counted."""
    name = unique_name()
    body = """
        for n in range(20_000):
            work(n)
        spanwise.flush(60)
        print(spanwise.stats().sent, spanwise.stats().dropped_total)
    """

    done = run(program(body, kafka=kafka_bootstrap), name)

    sent, dropped = map(int, done.stdout.split())
    assert sent + dropped == 20_000
    assert reader.read().count(name) == (sent, 0)


def test_spans_made_before_the_broker_is_there_arrive(tmp_path: Path) -> None:
    """`init` returns at once, calls go on, and what was kept is sent when the broker comes up."""
    name = unique_name()
    port = free_port()
    body = """
        for n in range(10):
            work(n)
        print(spanwise.flush(0.5), flush=True)
        sys.stdin.readline()
        print(spanwise.flush(60), flush=True)
    """
    process = start(program(body, kafka=f"127.0.0.1:{port}"), name)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "False\n"
        with EmbeddedBroker(port=port, log_path=tmp_path / "broker.log") as broker:
            make_topics(broker.bootstrap)
            reader = Reader(broker.bootstrap, from_start=True)
            out, err = process.communicate("go on\n", timeout=90)
            assert out == "True\n", err
            assert reader.read().count(name) == (10, 0)
            reader.close()
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.parametrize("broker", ["refused", "hung"])
def test_exit_is_bounded_and_counted_without_a_working_broker(broker: str) -> None:
    """Nothing listens, or something accepts and never answers: the process ends, and says what it has dropped."""
    name = unique_name()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if broker == "hung":
            listener.listen(64)
        body = """
            for n in range(10):
                work(n)
            spanwise.shutdown()
            import json
            print(json.dumps(dict(spanwise.stats().dropped)))
        """

        done = run(program(body, kafka=f"127.0.0.1:{listener.getsockname()[1]}", exit_timeout_s=0.5), name)

    assert done.returncode == 0
    assert json.loads(done.stdout) == {"exit": 10}
    lines = done.stderr.strip().splitlines()
    assert [
        line for line in lines if not line.startswith(("Spanwise cannot send now", "10 spans or scores were not sent"))
    ] == []
