"""One TCP connection with TLS on it: open once both have shown who they are.

A far end that does not get through the handshake in time, or shows what is not accepted, is cut off.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from firmware.net.address import at
from firmware.net.stream import Owner, Stream
from firmware.net.tls_layer import TlsError

if TYPE_CHECKING:
    import asyncio

    from firmware.net.tls_layer import TlsLayer
    from firmware.sansio import Flow

logger = logging.getLogger(__name__)

HANDSHAKE_TIME: Final = 10.0
"""Seconds from the connection to the end of the handshake."""


class TlsStream(Stream):
    """A connection secured by a *layer*."""

    def __init__(self, owner: Owner, layer: TlsLayer, flow: Flow | None = None) -> None:
        super().__init__(owner, flow)
        self.layer: Final = layer

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake, or pass on what this means."""
        transport = self.transport
        if self._closing or transport is None:
            return
        was_open = self.open
        try:
            plain = self.layer.receive(data)
        except TlsError as error:
            self._insecure(transport, error)
            return
        self._flush(transport)
        if self.layer.established and not was_open:
            self._handshake_done()
        if plain and not self._closing:
            self._be_patient(None)
            self._owner.received(self, plain)
        if self.layer.ended and not self._closing:
            self.fail("closed by the far end")
            self.close()

    def _begin(self, transport: asyncio.Transport) -> None:
        self._be_patient(HANDSHAKE_TIME, self._late)
        try:
            self.layer.start()
        except TlsError as error:
            self._insecure(transport, error)
            return
        self._flush(transport)

    def _send(self, transport: asyncio.Transport, data: bytes) -> None:
        try:
            self.layer.send(data)
        except TlsError as error:
            self._insecure(transport, error)
            return
        self._flush(transport)

    def _say_goodbye(self, transport: asyncio.Transport) -> None:
        self.layer.close()
        self._flush(transport)

    def _handshake_done(self) -> None:
        self._be_patient(None)
        if self.flow is not None:
            logger.debug("= tls %s: %s", at(self.flow.remote), self.layer.describe())
        self._ready()

    def _flush(self, transport: asyncio.Transport) -> None:
        data = self.layer.to_send()
        if data:
            transport.write(data)

    def _insecure(self, transport: asyncio.Transport, error: TlsError) -> None:
        """End what can't be secured, but let TLS's own last word leave."""
        self._flush(transport)
        self.fail(str(error))
        self.close()

    def _late(self) -> None:
        self._give_up(f"TLS was not agreed on within {HANDSHAKE_TIME:.0f} s")
