"""OTLP/gRPC. The only module that knows grpcio.

The services are registered by name with handlers that get bytes: grpcio would parse a request on the event loop and
answer a broken one with INTERNAL, and could not leave out one broken span. Decompression is switched off in it, too:
it knows no limit for what comes out. The handlers are of the streaming kind, which is the same on the wire, so that
the key is checked before the message is read.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import unquote

import grpc
import grpc.aio

from spanwise_collector.receive.access import Doorkeeper
from spanwise_collector.receive.admission import Admission
from spanwise_collector.receive.answers import failure_status, success_message
from spanwise_collector.receive.body import too_large
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.inflate import encoding_by_content
from spanwise_collector.receive.intake import Body, Intake
from spanwise_collector.receive.limits import ReceiveLimits
from spanwise_collector.receive.meters import Meters
from spanwise_collector.receive.signals import Signal

_STATUS_DETAILS: Final = "grpc-status-details-bin"
_FRAME_BYTES: Final = 1_024
"""grpcio itself refuses a message that is larger by this, with a sentence of its own."""
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
log = logging.getLogger(__name__)


class GrpcReceiver:
    """Answers export requests over gRPC. Lives on the event loop that starts it."""

    def __init__(
        self,
        *,
        signals: Sequence[Signal],
        intake: Intake,
        doorkeeper: Doorkeeper,
        admission: Admission,
        limits: ReceiveLimits,
        meters: Meters,
    ) -> None:
        self._signals = signals
        self._intake = intake
        self._doorkeeper = doorkeeper
        self._admission = admission
        self._limits = limits
        self._meters = meters
        self._server: Any = None
        # How large a message is, is known only once it is there: so many of the largest are received at a time.
        self._reading = asyncio.Semaphore(max(1, limits.in_flight_bytes // limits.body_bytes))

    async def start(self, host: str, port: int) -> int:
        """Listen.

        Args:
            host: address of this machine.
            port: TCP port; 0 takes a free one.

        Returns:
            The port.

        Raises:
            RuntimeError: the address cannot be used.
        """
        self._server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 0),  # a second collector on the same port must fail, not share it
                ("grpc.per_message_decompression", 0),
                ("grpc.max_receive_message_length", self._limits.body_bytes + _FRAME_BYTES),
                ("grpc.max_metadata_size", 16_384),
            ]
        )
        for signal in self._signals:
            method = grpc.stream_unary_rpc_method_handler(self._handler(signal))
            handler = grpc.method_handlers_generic_handler(signal.service, {"Export": method})
            self._server.add_generic_rpc_handlers((handler,))
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        bound = int(self._server.add_insecure_port(address))
        await self._server.start()
        return bound

    async def stop(self, grace_s: float) -> None:
        """Stop listening; calls in flight have `grace_s` seconds to end."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(grace_s)

    def _handler(self, signal: Signal) -> Callable[[AsyncIterator[bytes], Any], Awaitable[bytes]]:
        async def export(_messages: AsyncIterator[bytes], context: Any) -> bytes:
            try:
                answer = await self._answer(signal, context)
            except NotTakenError as error:
                failure = error
            except Exception:
                log.exception("An OTLP/gRPC request failed")
                failure = NotTakenError(Reason.FAULT, "This is a fault of the collector; its log has the reason.")
            else:
                self._meters.answered("grpc", signal, "OK")
                return answer
            code = _CODES[failure.reason.value.grpc]
            self._meters.answered("grpc", signal, code.name)
            details = failure_status(failure).SerializeToString()
            return await context.abort(code, failure.detail, ((_STATUS_DETAILS, details),))  # type: ignore[no-any-return]

        return export

    async def _answer(self, signal: Signal, context: Any) -> bytes:
        headers = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        access = self._doorkeeper.admit(headers, peer_address(context.peer()))
        with self._admission.request() as lease:
            data = await self._read(context)
            lease.grow(len(data))
            self._meters.arrived("grpc", len(data))
            body = Body(data, encoding_by_content(data), "protobuf")
            return success_message(signal, await self._intake.take(signal, body, access, lease))

    async def _read(self, context: Any) -> bytes:
        try:
            async with asyncio.timeout(self._limits.body_seconds), self._reading:
                message = await context.read()
        except TimeoutError:
            raise NotTakenError(
                Reason.TOO_SLOW,
                f"The request did not arrive within {self._limits.body_seconds:g} s (SPANWISE_OTLP_BODY_SECONDS).",
            ) from None
        if not isinstance(message, bytes):
            raise NotTakenError(Reason.BAD_BODY, "The call has no message.")
        if len(message) > self._limits.body_bytes:
            raise too_large(self._limits.body_bytes)
        return message


def peer_address(peer: str) -> str:
    """The address in gRPC's name of a peer, `ipv4:127.0.0.1:4711` or `ipv6:%5B::1%5D:4711`; empty for others."""
    family, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]") if family in ("ipv4", "ipv6") else ""
