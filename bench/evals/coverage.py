"""Whether intervals of eval scores hold what they promise, on simulated labels with a known truth.

    python -m bench.evals --only coverage

By cell: how often the 95 % interval has the truth in it (of the corrected mean, of people's labels alone, of the judge
alone), widths, and how many more labels people would have to give for the same interval. The package ppi-python runs on
the first sets of the cells with equal chances.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from bench.evals.worlds import JUDGES, Scale, World
from spanwise_collector.means.agreement import of_values
from spanwise_collector.means.corrected import correct
from spanwise_collector.means.intervals import Estimate, estimate
from spanwise_collector.stats.arrays import Floats
from tests.golden.clients.environments import InstallError, environment

PEER: Final = Path(__file__).with_name("peers") / "ppi-python"
QUALITIES: Final = (0.5, 0.8, 0.95)
SCALES: Final[tuple[Scale, ...]] = ("yes/no", "graded")
LABELS: Final = (25, 50, 100, 200, 400)
ENOUGH: Final = 50
"""From so many labels on the promise holds."""
RARE: Final = 10
"""Labels of the rarer of yes and no: with fewer no method has normal intervals."""
PROMISED: Final = (0.93, 0.97)
RUNS: Final = 2_000
QUICK_RUNS: Final = 200
PEER_RUNS: Final = 400
PEER_TIMEOUT_S: Final = 1_800


@dataclass(slots=True)
class _Tally:
    """Intervals of one kind in one cell."""

    covered: int = 0
    n: int = 0
    width: float = 0.0

    def add(self, found: Estimate, truth: float) -> None:
        """Count an interval."""
        self.n += 1
        if found.low is None or found.high is None:
            return
        self.covered += found.low <= truth <= found.high
        self.width += found.width

    @property
    def coverage(self) -> float:
        """How often the truth was inside; an interval that is not given does not have it."""
        return self.covered / self.n

    @property
    def mean_width(self) -> float:
        """Of all intervals."""
        return self.width / self.n


@dataclass(slots=True)
class Cell:
    """What was found in one world."""

    world: World
    corrected: _Tally = field(default_factory=_Tally)
    people: _Tally = field(default_factory=_Tally)
    judge: _Tally = field(default_factory=_Tally)
    kappa: _Tally = field(default_factory=_Tally)
    power: float = 0.0
    peer: tuple[float, float] | None = None

    @property
    def gain(self) -> float:
        """So many times as many labels would give people alone the same interval."""
        return (self.people.mean_width / self.corrected.mean_width) ** 2

    def figures(self) -> dict[str, Any]:
        """For the JSON line."""
        found: dict[str, Any] = {
            "corrected": round(self.corrected.coverage, 4),
            "people": round(self.people.coverage, 4),
            "judge": round(self.judge.coverage, 4),
            "width": round(self.corrected.mean_width, 4),
            "people_width": round(self.people.mean_width, 4),
            "power": round(self.power / self.corrected.n, 3),
            "gain": round(self.gain, 2),
        }
        if self.kappa.n:
            found["kappa"] = round(self.kappa.coverage, 4)
        if self.peer is not None:
            found |= {"ppi_python": round(self.peer[0], 4), "ppi_python_width": round(self.peer[1], 4)}
        return found


def worlds(labels: Sequence[int] = LABELS) -> list[World]:
    """All cells."""
    cells = product(SCALES, QUALITIES, JUDGES, (False, True), labels)
    return [World(scale, quality, judge, count, unequal) for scale, quality, judge, unequal, count in cells]


def run(world: World, runs: int, seed: Sequence[int], keep: Callable[[Mapping[str, Floats]], object] | None) -> Cell:
    """Draw a world many times.

    Args:
        world: which.
        runs: how often.
        seed: of the draws.
        keep: is given the first sets for the peer; None for no peer.
    """
    rng = np.random.default_rng(seed)
    cell = Cell(world)
    true_kappa = _kappa_of(world)
    kept: dict[str, list[Floats]] = {"y": [], "f": [], "rest": []}
    for number in range(runs):
        drawn = world.draw(rng)
        labels = drawn.labels
        found = correct(drawn.judge, labels)
        cell.corrected.add(found.estimate, world.truth)
        cell.people.add(found.people, world.truth)
        cell.judge.add(estimate(drawn.judge), world.truth)
        if not world.unequal:
            agreed = of_values(labels.y, labels.f)
            cell.kappa.add(Estimate(agreed.kappa, agreed.low, agreed.high, agreed.n, agreed.n), true_kappa)
        cell.power += found.power
        if keep is not None and number < PEER_RUNS:
            kept["y"].append(labels.y)
            kept["f"].append(labels.f)
            kept["rest"].append(drawn.f[~drawn.asked])
    if keep is not None:
        arrays = {name: np.array(found, dtype=np.float32) for name, found in kept.items()}
        keep(arrays | {"truth": np.array(world.truth)})
    return cell


def _kappa_of(world: World) -> float:
    """Agreement of judge and people over very many answers."""
    many = World(world.scale, world.quality, world.judge, 1, unequal=False, answers=400_000)
    drawn = many.draw(np.random.default_rng(0))
    return of_values(drawn.y, drawn.f).kappa or 0.0


def measure(seed: int = 2, quick: bool = False) -> dict[str, Any]:
    """Figures of all cells and what follows from them.

    Args:
        seed: of the draws.
        quick: a tenth of the runs.
    """
    runs = QUICK_RUNS if quick else RUNS
    with TemporaryDirectory() as folder:
        cells = []
        for number, world in enumerate(worlds()):
            keep = None if world.unequal else _writer(Path(folder) / f"{number}.npz")
            cells.append(run(world, runs, (seed, number), keep))
        peer = _peer(Path(folder))
    for number, cell in enumerate(cells):
        if its := peer.get("cells", {}).get(str(number)):
            cell.peer = (its["coverage"], its["width"])
    return {
        "runs": runs,
        "answers": cells[0].world.answers,
        "ppi_python": {key: value for key, value in peer.items() if key != "cells"},
        **summary(cells),
        "cells": {cell.world.name: cell.figures() for cell in cells},
    }


def summary(cells: Iterable[Cell]) -> dict[str, Any]:
    """What the cells with enough labels say together."""
    enough = [cell for cell in cells if cell.world.labels >= ENOUGH]
    useless = [cell for cell in enough if cell.world.judge.name == "useless"]
    coverages = [cell.corrected.coverage for cell in enough]
    common = [cell.corrected.coverage for cell in enough if cell.world.rarer >= RARE]
    kappas = [cell.kappa.coverage for cell in enough if cell.kappa.n]
    peers = [cell.peer[0] for cell in enough if cell.peer is not None]
    return {
        "cells_from_50_labels": len(enough),
        "corrected_mean_coverage": round(float(np.mean(coverages)), 4),
        "corrected_lowest_and_highest": [round(min(coverages), 4), round(max(coverages), 4)],
        "corrected_cells_in_93_to_97": _promised(coverages),
        f"cells_with_{RARE}_of_the_rarer_answer": len(common),
        f"corrected_cells_in_93_to_97_with_{RARE}_of_the_rarer_answer": _promised(common),
        "people_mean_coverage": round(float(np.mean([cell.people.coverage for cell in enough])), 4),
        "judge_alone_mean_coverage": round(float(np.mean([cell.judge.coverage for cell in enough])), 4),
        "judge_alone_cells_at_0": sum(cell.judge.coverage == 0 for cell in enough),
        "kappa_mean_coverage": round(float(np.mean(kappas)), 4),
        "useless_judge_width_over_people": round(
            max(cell.corrected.mean_width / cell.people.mean_width for cell in useless), 4
        ),
        "gain_in_labels": {
            judge.name: round(float(np.median([cell.gain for cell in enough if cell.world.judge == judge])), 2)
            for judge in JUDGES
        },
        **(
            {
                "ppi_python_mean_coverage": round(float(np.mean(peers)), 4),
                "ppi_python_lowest_and_highest": [round(min(peers), 4), round(max(peers), 4)],
            }
            if peers
            else {}
        ),
    }


def _promised(coverages: Sequence[float]) -> int:
    """How many cells keep the promise."""
    return sum(PROMISED[0] <= one <= PROMISED[1] for one in coverages)


def _writer(path: Path) -> Callable[[Mapping[str, Floats]], object]:
    return lambda arrays: np.savez(path, **arrays)  # type: ignore[arg-type]


def _peer(folder: Path) -> dict[str, Any]:
    """The package's version and figures; why it could not be run, where it could not."""
    try:
        command, versions = environment(PEER)
        done = subprocess.run(
            [*command, str(folder)],
            capture_output=True,
            text=True,
            timeout=PEER_TIMEOUT_S,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    except (InstallError, subprocess.SubprocessError) as error:
        return {"error": f"could not be run: {error}"}
    if done.returncode:
        return {"error": f"could not be run: {done.stderr[-2_000:]}"}
    answer = json.loads(done.stdout)
    return {"version": versions["ppi-python"], "runs": PEER_RUNS, **answer, "seconds": round(answer["seconds"], 1)}
