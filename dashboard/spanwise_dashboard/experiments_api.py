"""Datasets and experiments in the collector's API."""

from dataclasses import dataclass
from urllib.parse import quote

from spanwise_dashboard.client import Client
from spanwise_schemas.api_datasets import Dataset, DatasetChanged, DatasetDetail, DatasetDraft, DatasetPage, ItemPage
from spanwise_schemas.api_experiments import ComparedItems, ExperimentComparison, ExperimentPage, ItemOrder


@dataclass(frozen=True, slots=True)
class ExperimentsApi:
    """Asks one collector about one project. Every method raises an `ApiError` and nothing else."""

    client: Client
    project: str

    def datasets(self) -> DatasetPage:
        """All datasets, those changed last first."""
        return self.client.get("/api/v1/datasets", DatasetPage, {"project": self.project})

    def dataset(self, name: str) -> DatasetDetail:
        """One dataset with its versions."""
        return self.client.get(f"/api/v1/datasets/{_segment(name)}", DatasetDetail, {"project": self.project})

    def make_dataset(self, name: str, *, by: str) -> Dataset:
        """Makes a dataset where there is none of this name."""
        draft = DatasetDraft(name=name, by=by)
        return self.client.send("POST", "/api/v1/datasets", Dataset, {"project": self.project}, draft)

    def take_corrections(self, name: str, *, queue_id: str, by: str) -> DatasetChanged:
        """Makes what reviewers of a queue corrected items of a dataset."""
        return self.client.send(
            "POST",
            f"/api/v1/datasets/{_segment(name)}/from-corrections",
            DatasetChanged,
            {"project": self.project, "queue_id": queue_id, "note": "from corrections", "by": by},
        )

    def items(self, name: str, *, version: int, text: str, offset: int, limit: int) -> ItemPage:
        """Items of a version (0: the newest) in which a text occurs."""
        return self.client.get(
            f"/api/v1/datasets/{_segment(name)}/items",
            ItemPage,
            {"project": self.project, "version": version or None, "q": text, "offset": offset, "limit": limit},
        )

    def experiments(self, *, dataset: str = "") -> ExperimentPage:
        """Experiments, the newest first."""
        return self.client.get(
            "/api/v1/experiments", ExperimentPage, {"project": self.project, "dataset": dataset, "limit": 200}
        )

    def compare(self, baseline: str, candidate: str) -> ExperimentComparison:
        """Two experiments, metric by metric."""
        return self.client.get(
            "/api/v1/experiments/compare",
            ExperimentComparison,
            {"project": self.project, "baseline": baseline, "candidate": candidate},
        )

    def compare_items(
        self, baseline: str, candidate: str, *, metric: str, order: ItemOrder, offset: int, limit: int
    ) -> ComparedItems:
        """Their items beside each other."""
        return self.client.get(
            "/api/v1/experiments/compare/items",
            ComparedItems,
            {
                "project": self.project,
                "baseline": baseline,
                "candidate": candidate,
                "metric": metric,
                "order": order,
                "offset": offset,
                "limit": limit,
            },
        )


def _segment(name: str) -> str:
    """A name as one part of a path. Names of datasets begin with a letter or a digit, so that none is `..`."""
    return quote(name, safe="")
