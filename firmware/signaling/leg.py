"""What the legs of all protocols have in common: a session and its media, from the first attempt to the end.

Rule: ports are given back after the call was reported released, so that nobody sends to sockets that are another's.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from firmware.errors import CallError, LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.call.call import Call, EndReason
    from firmware.call.ice import Selected
    from firmware.call.media import Kind
    from firmware.sansio import Address, Flow
    from firmware.signaling.endpoint import Transport

logger = logging.getLogger(__name__)

KEY_FRAME_INTERVAL: Final = 0.5
"""Seconds between two key-frame requests by signalling at least; a picture needs about that long to come."""


class Media(Protocol):
    """What a call has agreed and reserved."""

    def close(self) -> None:
        """Give back all ports."""


S = TypeVar("S")
M = TypeVar("M", bound=Media)


class BaseLeg(Generic[S, M]):
    """A leg's session and media, once there are any.  Its maker sets `call` right after.

    *make_media* gives the media side for a flow of signalling; *on_gone* is called once when nothing more will happen.
    """

    call: Call

    def __init__(self, transport: Transport, make_media: Callable[[Flow], M], on_gone: Callable[[], None]) -> None:
        self._transport = transport
        self._make_media = make_media
        self._on_gone = on_gone
        self._session: S | None = None
        self._media: M | None = None
        self._key_frame_asked = float("-inf")
        self._gone = False

    def abandon(self) -> None:
        """Forget the call, whatever the far end still has to say."""
        self._finish()

    # Commands of a Leg that not every protocol has here

    def mute(self, on: bool) -> None:
        """Do nothing: there is no word for it."""

    def transfer(self, address: str) -> None:
        """Raise CallError: this kind of call can't be passed on."""
        raise CallError(f"calls like that with {self.call.remote} can't be passed on to {address}")

    def transfer_to(self, other: Call) -> None:
        """Raise CallError: this kind of call can't be passed on."""
        raise CallError(f"calls like that with {self.call.remote} can't be passed on to {other.remote}")

    def follow(self) -> Call:
        """Raise CallError: nobody asks for it."""
        raise CallError("nobody asked for this call to be passed on")

    def refuse_transfer(self, reason: EndReason) -> None:
        """Do nothing: nobody asks for it."""

    def way_found(self, local: Address, selected: tuple[Selected, ...]) -> None:
        """Do nothing: nobody has to be told."""

    def find_way_again(self) -> None:
        """Do nothing: nobody looks for ways."""

    def go_on_without(self, kind: Kind) -> None:
        """Do nothing: no medium has to find a way."""

    # What they share

    def _command(self, command: Callable[..., object], *arguments: object) -> None:
        """Give the session a command; one that came too late is no error: the event that says so is on its way."""
        try:
            command(*arguments)
        except LocalProtocolError as error:
            logger.debug("= call %s: %s", self.call.id, error)
        self._transport.run()

    def _require(self) -> tuple[S, M]:
        if self._session is None or self._media is None:
            raise CallError("the call has not begun yet")
        return self._session, self._media

    def _may_ask_for_key_frame(self) -> bool:
        """Whether the last request is long enough ago; this is one more then."""
        now = self._transport.now()
        if now - self._key_frame_asked < KEY_FRAME_INTERVAL:
            return False
        self._key_frame_asked = now
        return True

    def _drop_attempt(self) -> None:
        if self._media is not None:
            self._media.close()
        self._session = self._media = None

    def _finish(self) -> None:
        if not self._gone:
            self._gone = True
            # Call and leg know each other: what they hold would wait for the garbage collector with them.
            self._drop_attempt()
            on_gone, self._on_gone = self._on_gone, _ignore
            on_gone()


def _ignore() -> None:
    """Stand in for who was told already."""
