"""The RAS client: one endpoint's side of registration, admission and status (H.225.0 clause 7, H.323 clause 7.2, 8).

It is a core of its own (`firmware.sansio.Core`) on UDP; a terminal may be its owner and pass its UDP flows to it.  With
a transport other than UDP it needs one: what it sends goes inside call signalling then (`h460_tunnel`).
Start with `start`, which never gives up until `stop`.  For each call: `admit`, then make or answer it when Admitted
comes, and `disengage` when it is over.  Collect actions and events after each command.

::

    messages    ras_transport     encode, decode; h235 h235_baseline h235_password: who sent it
      |         ras_transaction   our requests, repeated until answered
      |         ras_request       the gatekeeper's requests, answered
      v
    procedures  ras_discovery  ras_registration  ras_grant  ras_alternate     which gatekeeper, and its terms
      |         ras_call  ras_admission  ras_information                      calls
      |         ras_feature                                                   of H.460, told in all of them
      v
    events      ras_event; the tables of all reasons in ras_reason
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.h323.ras_admission import Admissions
from firmware.h323.ras_alias import encode_aliases
from firmware.h323.ras_information import Information
from firmware.h323.ras_registration import Registration
from firmware.h323.ras_request import Requests
from firmware.h323.ras_transaction import Transactions, is_answer
from firmware.h323.ras_transport import Transport

if TYPE_CHECKING:
    import random
    from collections import Counter

    from firmware.h323.address import Alias
    from firmware.h323.ras_alternate import Gatekeeper
    from firmware.h323.ras_call import Admission, CallInformation
    from firmware.h323.ras_event import Event
    from firmware.h323.ras_settings import Settings
    from firmware.sansio import Action, Address, Flow

MAX_STRANGERS: Final = 20
"""Datagrams in a second that are decoded though nobody asked for them."""


class RasClient:
    """One registration and its calls.  *epoch* is the Unix time at the moment 0 of the clock that ``now`` is read from.

    ValueError: an alias of the settings can't be one, or a gatekeeper is to be searched over IPv6 or by connections.
    """

    def __init__(self, settings: Settings, rng: random.Random, epoch: float = 0.0) -> None:
        encode_aliases(settings.identity.aliases)
        if settings.gatekeeper is None and ":" in settings.ras_address[0]:
            raise ValueError("no multicast group of gatekeepers is known for IPv6: name the gatekeeper")
        if settings.gatekeeper is None and settings.transport != "udp":
            raise ValueError("gatekeepers are searched for by UDP only: name the gatekeeper")
        self._events: list[Event] = []
        self._transport = Transport(settings, rng, epoch)
        self._transactions = Transactions(self._transport, rng)
        self._registration = Registration(
            settings, self._transport, self._transactions, rng, self._events.append, self._registration_changed
        )
        self._admissions = Admissions(settings, self._transactions, self._registration, self._events.append)
        self._registration.is_busy = lambda: bool(len(self._admissions))
        self._information = Information(
            settings, self._transport, self._transactions, self._registration, self._admissions
        )
        self._requests = Requests(self._transport, self._registration, self._admissions, self._information)
        self._strangers = (0, 0)

    # Commands

    def start(self, now: float) -> None:
        """Register, and stay registered; a wait between two attempts ends."""
        self._registration.start(now)

    def stop(self, now: float) -> None:
        """Unregister; calls that are not admitted yet are refused.  Unregistered ("stopped") comes when it is done."""
        self._registration.stop(now)

    def admit(self, call: CallInformation, now: float) -> Admission:
        """Ask for a call; Admitted or Refused follows.

        LocalProtocolError: `Settings.max_calls` are admitted.  ValueError: an alias can't be one.
        """
        return self._admissions.admit(call, now)

    def disengage(self, admission: Admission, now: float, *, cause: int | None = None) -> None:
        """Tell that the call is over, or not wanted any more, for a Q.850 cause; a second time does nothing."""
        self._admissions.disengage(admission, now, cause=cause)

    def change_bandwidth(self, admission: Admission, bandwidth: int, now: float) -> None:
        """Ask for another bandwidth, bit/s; BandwidthChanged follows.  LocalProtocolError: not now."""
        self._admissions.change_bandwidth(admission, bandwidth, now)

    def set_epoch(self, epoch: float) -> None:
        """Take that the system's time was set: Unix time at the moment 0 of our clock."""
        self._transport.epoch = epoch

    # State

    @property
    def registered(self) -> bool:
        """Whether calls can be admitted now."""
        return self._registration.registered

    @property
    def endpoint_identifier(self) -> str:
        """Our name at the gatekeeper, which a Setup to it carries; "" while we have none."""
        return self._registration.endpoint_identifier

    @property
    def gatekeeper(self) -> Gatekeeper | None:
        """The one that we are registered with, or try."""
        return self._registration.gatekeeper

    @property
    def call_signal_address(self) -> Address | None:
        """The gatekeeper's, from which it calls us where it routes calls; None if it gave none."""
        return self._registration.grant.call_signal_address

    @property
    def aliases(self) -> tuple[Alias, ...]:
        """Our names, as the gatekeeper has them."""
        return self._registration.grant.aliases

    @property
    def dropped(self) -> Counter[str]:
        """How many messages were passed over, by reason."""
        return self._transport.dropped

    def needs(self, flow: Flow) -> bool:
        """Whether there is something to say or to hear by this flow, where RAS goes by connections."""
        registration = self._registration
        at_it = registration.at(flow) and (registration.registered or registration.trying)
        return at_it or self._transactions.expects(flow)

    # The contract of a core

    def flow_opened(self, flow: Flow, now: float) -> None:
        """Nothing: RAS has no streams of its own."""

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Take that datagrams don't reach this address, or that the connection is gone which carried RAS."""
        if not flow.reliable:
            self._transactions.unreachable(flow, now)
            return
        lost = self._transactions.sent_by(flow)
        if self._registration.at(flow):
            self._registration.disconnected(now)
        self._transactions.fail(lost, now)

    def receive_data(self, flow: Flow, data: bytes, now: float) -> None:
        """Take a datagram, or a message that call signalling carried."""
        if not self._transactions.expects(flow) and not self._registration.at(flow) and self._flooded(now):
            self._transport.dropped["too many"] += 1
            return
        received = self._transport.open(flow, data, now)
        if received is None:
            return
        if is_answer(received.name):
            taken = self._transactions.receive(received, now)
        else:
            taken = self._requests.receive(received, data, now)
        if not taken:
            self._transport.dropped["not for us"] += 1

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._transactions.handle_timer(now)
        self._registration.handle_timer(now)
        self._admissions.handle_timer(now)
        self._information.handle_timer(now)

    def timer(self) -> float | None:
        """When handle_timer is wanted, or None."""
        parts = (self._transactions, self._registration, self._admissions, self._information)
        return min((at for part in parts if (at := part.timer()) is not None), default=None)

    def actions(self) -> list[Action]:
        """Give what is to be sent, and forget it."""
        return self._transport.actions()

    def events(self) -> list[Event]:
        """Give what happened, in order, and forget it."""
        events = list(self._events)
        self._events.clear()
        return events

    def _flooded(self, now: float) -> bool:
        """Count a datagram of a stranger; whether there were too many in this second to look at one more."""
        second, count = self._strangers
        count = count + 1 if second == int(now) else 1
        self._strangers = (int(now), count)
        return count > MAX_STRANGERS

    def _registration_changed(self, now: float) -> None:
        self._admissions.registration_changed(now)
