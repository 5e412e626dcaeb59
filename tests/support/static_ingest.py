"""An ingest in this process that reads one topic alone, in small batches."""

from typing import Any

from spanwise_collector.ingest.settings import IngestSettings, KafkaConnection


def static_settings(bootstrap: str, topic: str, **more: Any) -> IngestSettings:
    """Settings of an ingest without a group; rejects go to `<topic>-rejects`.

    Args:
        bootstrap: the broker.
        topic: the one to read.
        more: fields of `IngestSettings` that are to be otherwise.
    """
    options: dict[str, Any] = {
        "kafka": KafkaConnection(bootstrap=bootstrap),
        "code_version": "7.7",
        "assignment": "static",
        "topics": (topic,),
        "rejects_topic": f"{topic}-rejects",
        "topic_replication": 1,
        "batch_seconds": 0.1,
        "check_seconds": 0.2,
    }
    return IngestSettings(**options | more)
