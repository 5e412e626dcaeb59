"""A replayer as the collector's settings say."""

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.kafka_ranges import KafkaRanges
from spanwise_collector.ingest.price_file import parse_price_file
from spanwise_collector.ingest.runner import IngestRunner
from spanwise_collector.ingest.settings import IngestSettings
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.normalise.masking import Masker
from spanwise_collector.replay.replayer import Replayer
from spanwise_collector.replay.spec import ReplaySpec
from spanwise_collector.settings import Settings
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database
from spanwise_schemas.masking import Masks


def make_replayer(
    settings: Settings,
    ingest: IngestSettings,
    *,
    live: Database,
    amender: Amender,
    runner: IngestRunner,
    prices: PriceBook,
) -> Replayer:
    """What makes tables anew.

    Args:
        settings: of the collector.
        ingest: what ingest needs of them.
        live: the store in use.
        amender: of the store in use.
        runner: stands still for a swap.
        prices: the collector's price list.
    """

    def transformer(spec: ReplaySpec) -> Transformer:
        patterns = settings.mask_patterns if spec.mask_patterns is None else spec.mask_patterns
        keys = settings.mask_keys if spec.mask_keys is None else spec.mask_keys
        masks = Masks.of(patterns, keys)
        return Transformer(
            prices=prices if spec.prices is None else PriceBook(parse_price_file(spec.prices)),
            retention_days=settings.retention_days,
            masker=None if masks is None else Masker(masks),
        )

    return Replayer(
        dsn=settings.clickhouse,
        live=live,
        amender=amender,
        ingest=runner,
        transformer=transformer,
        log=lambda: KafkaRanges(ingest.kafka),
        code_version=ingest.code_version,
        window=ingest.duplicate_window,
    )
