"""Results on their way to the collector, beside the run: a collector that is slow or away holds nothing up."""

import threading
from typing import Final

from spanwise._experiments_api import Api
from spanwise._experiments_model import ExperimentError
from spanwise_schemas.api_experiments import ItemResult

AT_ONCE: Final = 100
LINGER_S: Final = 1.0
CLOSE_S: Final = 60.0


class Sender:
    """Sends results in batches from a thread of its own. They are also kept by the caller, so nothing is copied.

    Args:
        api: the collector.
        experiment_id: theirs.
    """

    def __init__(self, api: Api, experiment_id: str) -> None:
        self._api = api
        self._experiment_id = experiment_id
        self._waiting: list[ItemResult] = []
        self._changed = threading.Condition()
        self._closing = False
        self._failure = ""
        self._thread = threading.Thread(target=self._work, name="spanwise-experiment-send", daemon=True)
        self._thread.start()

    def add(self, result: ItemResult) -> None:
        """Take a result; returns at once."""
        with self._changed:
            self._waiting.append(result)
            if len(self._waiting) >= AT_ONCE:
                self._changed.notify()

    def close(self, timeout_s: float = CLOSE_S) -> tuple[int, str]:
        """Send what is left.

        Returns:
            How many results could not be sent, and why.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)
        with self._changed:
            return len(self._waiting), self._failure

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or len(self._waiting) >= AT_ONCE, LINGER_S)
                batch, closing = self._waiting[:AT_ONCE], self._closing
            if batch and not self._send(batch) and closing:
                return
            if closing and not batch:
                return

    def _send(self, batch: list[ItemResult]) -> bool:
        body = {"results": [one.model_dump(mode="json") for one in batch]}
        try:
            self._api.post("experiments", self._experiment_id, "results", body=body)
        except ExperimentError as error:
            with self._changed:
                self._failure = str(error)
            return False
        with self._changed:
            del self._waiting[: len(batch)]
            self._failure = ""
        return True
