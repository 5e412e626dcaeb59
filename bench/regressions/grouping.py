"""How well failures are grouped: `python -m bench.regressions.grouping --data DIR` prints one JSON line.

Messages whose true templates are known are grouped by the product's own path (`errors`, `masks`, `grouping`), and by
others on the same messages: whole strings, masks alone, our Drain alone, and the package drain3 with its defaults, in
an environment of its own. Sets: LogHub-2k with corrected templates (Khan et al., ICSE 2022), every set that DIR has,
with one configuration and without a key; and our own corpus of provider and tool errors, inside the key, for all
methods.

Figures: grouping accuracy (GA), the share of messages whose group has exactly the messages of their template; and FGA,
the F1 score of groups that are exactly one template (Jiang et al., ISSTA 2024).
"""

import argparse
import csv
import json
import random
import subprocess
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.regressions.corpus.read import Raised, read
from spanwise_collector.failures.drain import Drain
from spanwise_collector.failures.errors import Error, error_class, error_key
from spanwise_collector.failures.grouping import Grouper, Message
from spanwise_collector.failures.masks import mask
from spanwise_collector.failures.told import told
from tests.golden.clients.environments import InstallError, environment

LOGHUB: Final = "loghub_2k_corrected"
SEED: Final = 2
"""Of the order of the corpus."""
DRAIN3: Final = Path(__file__).with_name("peers") / "drain3"
TIMEOUT_S: Final = 300

Method = Callable[[Sequence[str], Sequence[str]], Sequence[Hashable]]
"""From the keys and messages to the groups."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Messages with their keys and true templates."""

    keys: Sequence[str]
    messages: Sequence[str]
    templates: Sequence[str]


def agreement(truth: Sequence[str], groups: Sequence[Hashable]) -> dict[str, float]:
    """GA and FGA of groups."""
    members: dict[Hashable, set[int]] = {}
    for at, group in enumerate(groups):
        members.setdefault(group, set()).add(at)
    true: dict[str, set[int]] = {}
    for at, template in enumerate(truth):
        true.setdefault(template, set()).add(at)
    templates = {frozenset(its) for its in true.values()}
    right = [its for its in members.values() if frozenset(its) in templates]
    return {
        "ga": round(sum(map(len, right)) / len(truth), 4),
        "fga": round(2 * len(right) / (len(members) + len(true)), 4),
    }


def loghub(data: Path) -> dict[str, Labelled]:
    """The sets that are there, by name.

    Raises:
        FileNotFoundError: when there is none.
    """
    found = {}
    for path in sorted(data.glob(f"{LOGHUB}/*/*_structured_corrected.csv")):
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            rows = list(csv.DictReader(lines))
        messages = [row["Content"] for row in rows]
        found[path.parent.name] = Labelled([""] * len(rows), messages, [row["EventTemplate"] for row in rows])
    if not found:
        raise FileNotFoundError(f"no sets in {data / LOGHUB}")
    return found


def keyed(one: Raised) -> tuple[str, str]:
    """What a span's error is grouped by, as the product does it: its key, and its words."""
    error = Error(one.type, one.message, 0, one.provider, ())
    said = told(one.type, one.message, 0)
    failure_class, sub = error_class(error, said)
    return "|".join((failure_class, sub, *error_key(error, said, failure_class, ""))), said.words


def corpus() -> Labelled:
    """Our own errors, in an order that is always the same."""
    errors = read()
    random.Random(SEED).shuffle(errors)
    keys, words = zip(*map(keyed, errors), strict=True)
    return Labelled(keys, words, [one.template for one in errors])


def product(keys: Sequence[str], messages: Sequence[str]) -> Sequence[Hashable]:
    """Mask each message, and group the distinct ones."""
    numbers: dict[tuple[str, str], int] = {}
    fingerprints = [
        numbers.setdefault((key, mask(message)), len(numbers) + 1) for key, message in zip(keys, messages, strict=True)
    ]
    grouper = Grouper()
    grouper.add(Message(number, key, masked, number) for (key, masked), number in numbers.items())
    return [grouper.groups[one] for one in fingerprints]


def strings(keys: Sequence[str], messages: Sequence[str]) -> Sequence[Hashable]:
    """Only equal messages are the same."""
    return list(zip(keys, messages, strict=True))


def masks(keys: Sequence[str], messages: Sequence[str]) -> Sequence[Hashable]:
    """Messages with the same mask are the same."""
    return list(zip(keys, map(mask, messages), strict=True))


def drain(keys: Sequence[str], messages: Sequence[str]) -> Sequence[Hashable]:
    """Our templates without masks."""
    drains: dict[str, Drain] = {}
    places = [(key, drains.setdefault(key, Drain()).add(message)) for key, message in zip(keys, messages, strict=True)]
    return [(key, drains[key].group(place)) for key, place in places]


METHODS: Final[Mapping[str, Method]] = {"product": product, "strings": strings, "masks": masks, "drain": drain}


def drain3(sets: Iterable[Labelled]) -> tuple[list[Sequence[Hashable]], float]:
    """Groups of the package drain3, a fresh one for each key, and the seconds it took.

    Raises:
        InstallError: when the package cannot be installed.
        RuntimeError: when it fails.
    """
    asked: list[list[str]] = []
    places: list[list[tuple[int, int]]] = []
    for one in sets:
        number: dict[str, int] = {}
        its: list[tuple[int, int]] = []
        for key, message in zip(one.keys, one.messages, strict=True):
            if key not in number:
                number[key] = len(asked)
                asked.append([])
            asked[number[key]].append(message)
            its.append((number[key], len(asked[number[key]]) - 1))
        places.append(its)
    command, _ = environment(DRAIN3)
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2_000:])
    answer = json.loads(done.stdout)
    return [[(part, answer["clusters"][part][at]) for part, at in its] for its in places], answer["seconds"]


def figures(sets: Mapping[str, Labelled], ours: Labelled, groups: Sequence[Sequence[Hashable]]) -> dict[str, Any]:
    """GA and FGA for each set, their mean, and for the corpus."""
    *logs, errors = groups
    each = {name: agreement(one.templates, its) for (name, one), its in zip(sets.items(), logs, strict=True)}
    mean = {figure: round(sum(one[figure] for one in each.values()) / len(each), 4) for figure in ("ga", "fga")}
    return {"loghub": {"mean": mean, "sets": each}, "corpus": agreement(ours.templates, errors)}


def measure(data: Path) -> dict[str, object]:
    """All figures: the product's, and under `peers` those of others on the same messages.

    Raises:
        FileNotFoundError: when DIR has no sets of LogHub.
    """
    sets, ours = loghub(data), corpus()
    everything = [*sets.values(), ours]
    n_messages = sum(len(one.messages) for one in everything)
    found: dict[str, dict[str, Any]] = {}
    for name, method in METHODS.items():
        started = time.process_time()
        groups = [method(one.keys, one.messages) for one in everything]
        seconds = time.process_time() - started
        found[name] = figures(sets, ours, groups) | {"messages_per_s": round(n_messages / seconds)}
    try:
        groups, seconds = drain3(everything)
        found["drain3"] = figures(sets, ours, groups) | {"messages_per_s": round(n_messages / seconds)}
    except (InstallError, RuntimeError, subprocess.SubprocessError) as error:
        found["drain3"] = {"error": f"could not be run: {error}"}
    return {
        "benchmark": "regressions.grouping",
        "corpus_templates": len(set(ours.templates)),
        "corpus_messages": len(ours.messages),
        **found.pop("product"),
        "peers": found,
    }


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help=f"folder with {LOGHUB}/")
    print(json.dumps(measure(parser.parse_args().data)))


if __name__ == "__main__":
    main()
