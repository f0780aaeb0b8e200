"""A SIP user agent over UDP and TCP: the core that stands on the layers of RFC 3261 section 5."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from firmware.sip.events import Event
from firmware.sip.identity import Identity
from firmware.sip.invite import InviteSession

if TYPE_CHECKING:
    import random

    from firmware.sansio import Action, Flow
    from firmware.sip.header import NameAddr
    from firmware.sip.uri import Uri


class UserAgent:
    """A sansio Core that makes and takes calls.

    The flow that ``invite`` and ``options`` ask for is where the request goes (RFC 3263 is the caller's): transport,
    our own address as the far end reaches it (it stands in Via and Contact), and the far end's address.
    """

    capabilities: bytes | None
    """The session description that answers OPTIONS (RFC 3261 11.2), settable."""
    counters: Counter[str]
    """What was dropped or refused, by kind."""

    def __init__(self, identity: Identity, rng: random.Random) -> None: ...

    @property
    def sessions(self) -> tuple[InviteSession, ...]:
        """The calls that have not ended."""

    def invite(
        self, flow: Flow, target: Uri, offer: bytes | None, now: float, *, from_: NameAddr | None = None
    ) -> InviteSession:
        """Call *target*: Progress, then Accepted or Ended follow.  None as *offer* asks the far end for one.

        LocalProtocolError: the limit of sessions or transactions is reached.
        """

    def options(self, flow: Flow, target: Uri, now: float) -> str:
        """Ask what *target* can do; OptionsAnswered follows with the Call-ID that this returns.

        LocalProtocolError: the limit of transactions is reached.
        """

    # sansio.Core: flow_opened, flow_closed, receive_data, handle_timer, timer, actions, events
