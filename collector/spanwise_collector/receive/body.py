"""Reading the body of an HTTP request: bounded in size and time."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from starlette.requests import ClientDisconnect

from spanwise_collector.receive.admission import Lease
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.limits import ReceiveLimits


async def read_body(
    stream: AsyncIterator[bytes], headers: Mapping[str, str], limits: ReceiveLimits, lease: Lease
) -> bytes:
    """The whole body as it was sent.

    Args:
        stream: its pieces.
        headers: of the request; a Content-Length beyond the limit is refused before anything is read.
        limits: of size and time.
        lease: pays for the bytes.

    Raises:
        NotTakenError: too large, too slow, cut short, or too much in flight.
    """
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.body_bytes:
        raise too_large(limits.body_bytes)
    pieces = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for piece in stream:
                if len(pieces) + len(piece) > limits.body_bytes:
                    raise too_large(limits.body_bytes)
                lease.grow(len(piece))
                pieces += piece
    except TimeoutError:
        raise NotTakenError(
            Reason.TOO_SLOW,
            f"The body did not arrive within {limits.body_seconds:g} s (SPANWISE_OTLP_BODY_SECONDS). Send smaller "
            "batches or look at the network.",
        ) from None
    except ClientDisconnect:
        raise NotTakenError(Reason.BAD_BODY, "The connection was closed before the body had arrived.") from None
    return bytes(pieces)


def too_large(limit: int) -> NotTakenError:
    """A request that is too large as it travels."""
    return NotTakenError(
        Reason.TOO_LARGE,
        f"The request has more than {limit:,} bytes (SPANWISE_OTLP_BODY_BYTES). Let the exporter compress "
        "(OTEL_EXPORTER_OTLP_COMPRESSION=gzip) or send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE).",
    )
