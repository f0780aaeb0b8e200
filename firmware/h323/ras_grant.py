"""What a gatekeeper gives with a registration: our name, how long it holds, and which calls need no further question.

Rule: a confirm of a lightweight registration changes what it names, and leaves the rest as it was (H.225.0 7.9.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firmware.h323.address import decode_transport
from firmware.h323.ras_alias import read_aliases
from firmware.h323.ras_message import text

if TYPE_CHECKING:
    from firmware.h323.address import Alias
    from firmware.h323.ras_message import Body
    from firmware.sansio import Address

BANDWIDTH_UNIT: Final = 100
"""bit/s; BandWidth counts in these (H.225.0 7.6)."""


@dataclass(frozen=True, slots=True)
class PreGranted:
    """Calls that are admitted before we ask (H.225.0 7.9.2: preGrantedARQ)."""

    make: bool = False
    make_routed: bool = False
    """Ours go to the gatekeeper's call signalling address."""
    answer: bool = False
    answer_routed: bool = False
    """Only those that come from the gatekeeper."""
    report_interval: float | None = None
    """Seconds between two IRRs in such a call."""
    total_bandwidth: int | None = None
    """bit/s, of all calls together; a call beyond it has to be asked for."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One registration's terms."""

    endpoint_identifier: str = ""
    gatekeeper_identifier: str = ""
    aliases: tuple[Alias, ...] = ()
    call_signal_address: Address | None = None
    """The gatekeeper's, for calls that it routes."""
    tls_address: Address | None = None
    """The same by TLS (H.460.22); None: it takes none."""
    time_to_live: float | None = None
    """Seconds; None: it holds for ever."""
    pre_granted: PreGranted = PreGranted()
    acknowledges_reports: bool = False
    """An IRR is answered (willRespondToIRR)."""

    @staticmethod
    def of(body: Body, aliases: tuple[Alias, ...]) -> Grant:
        """Read an RCF; *aliases* are those that we asked for, and hold if it names none."""
        return Grant(aliases=aliases).renewed(body)

    def renewed(self, body: Body) -> Grant:
        """Take what a further RCF says."""
        addresses = [a for a in map(decode_transport, body["callSignalAddress"]) if a is not None]
        return replace(
            self,
            endpoint_identifier=text(body, "endpointIdentifier") or self.endpoint_identifier,
            gatekeeper_identifier=text(body, "gatekeeperIdentifier") or self.gatekeeper_identifier,
            aliases=read_aliases(body.get("terminalAlias", [])) or self.aliases,
            call_signal_address=addresses[0] if addresses else self.call_signal_address,
            time_to_live=body.get("timeToLive", self.time_to_live),
            pre_granted=_pre_granted(body["preGrantedARQ"]) if "preGrantedARQ" in body else self.pre_granted,
            acknowledges_reports=body.get("willRespondToIRR", self.acknowledges_reports),
        )


def _pre_granted(value: Body) -> PreGranted:
    total = value.get("totalBandwidthRestriction")
    return PreGranted(
        make=value["makeCall"],
        make_routed=value["useGKCallSignalAddressToMakeCall"],
        answer=value["answerCall"],
        answer_routed=value["useGKCallSignalAddressToAnswer"],
        report_interval=value.get("irrFrequencyInCall"),
        total_bandwidth=None if total is None else total * BANDWIDTH_UNIT,
    )
