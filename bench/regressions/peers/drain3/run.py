"""The package drain3 on lists of messages, with its defaults: JSON in, JSON out."""

import json
import sys
import time

from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig


def main() -> None:
    """Read lists of messages, write each message's cluster and the seconds it took for all."""
    clusters: list[list[int]] = []
    seconds = 0.0
    for messages in json.load(sys.stdin):
        miner = TemplateMiner(config=TemplateMinerConfig())
        started = time.perf_counter()
        clusters.append([miner.add_log_message(message)["cluster_id"] for message in messages])
        seconds += time.perf_counter() - started
    json.dump({"clusters": clusters, "seconds": seconds}, sys.stdout)


main()
