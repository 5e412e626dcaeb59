"""Evaluators of the SDK in real processes against a real broker: no end of a process and no fork loses their scores."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.sdk_process import Reader, make_topics, program, run, unique_name

SCORED = """
def own(sample):
    return sample.output

@spanwise.observe(name=NAME, evals=["not_empty", spanwise.evaluator(own, name=NAME)])
def answer(n):
    return str(n)
"""


@pytest.fixture
def reader(kafka_bootstrap: str) -> Iterator[Reader]:
    """Reads what the test sends."""
    make_topics(kafka_bootstrap)
    found = Reader(kafka_bootstrap)
    yield found
    found.close()


def labels(reader: Reader, name: str) -> Counter[str]:
    """How often each label was given by the evaluator of this name."""
    found: Counter[str] = Counter()
    for score in reader.scores:
        told = {pair.key: pair.value.string_value for pair in score.attributes}
        if told["gen_ai.evaluation.name"] == name:
            found[told["gen_ai.evaluation.score.label"]] += 1
    return found


@pytest.mark.parametrize(
    ("end", "status"),
    [("pass", 0), ("raise RuntimeError('it fails')", 1), ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -15)],
    ids=["return", "exception", "SIGTERM"],
)
def test_no_end_loses_a_score(end: str, status: int, kafka_bootstrap: str, reader: Reader) -> None:
    """Spans that have just ended are scored, and their scores sent, before the process is gone."""
    name = unique_name()
    body = SCORED + f"for n in range(10):\n    answer(n)\n{end}\n"

    done = run(program(body, kafka=kafka_bootstrap, linger_ms=60_000), name)

    assert done.returncode == status, done.stderr
    assert reader.read().count(name) == (10, 0)
    assert labels(reader, name) == Counter(str(n) for n in range(10))


def test_forked_children_score_their_own_spans(kafka_bootstrap: str, reader: Reader) -> None:
    """What is pending the parent scores alone; each child has a thread of its own, also for a span that was open."""
    name = unique_name()
    body = (
        SCORED
        + """
for n in range(5):
    answer(n)
with spanwise.span(NAME, evals=[spanwise.evaluator(own, name=NAME)]) as span:
    span.set_output("open")
    for child in range(2):
        if os.fork() == 0:
            for n in range(5):
                answer(f"child{child}")
            flushed, evals = spanwise.flush(30), spanwise.stats().evals
            os.write(1, f"{flushed} {evals.due} {evals.queued}\\n".encode())  # in one call: two children share the pipe
            os._exit(0)
    for child in range(2):
        os.wait()
"""
    )

    done = run(program(body, kafka=kafka_bootstrap, linger_ms=60_000), name)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "True 10 0\n" * 2
    assert reader.read().count(name) == (16, 0)
    assert labels(reader, name) == Counter({**{str(n): 1 for n in range(5)}, "child0": 5, "child1": 5, "open": 1})
