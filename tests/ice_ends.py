"""What two ends have agreed of ICE that have nothing but their sockets."""

from __future__ import annotations

import random
import socket

from firmware.call.ice import Candidate, CandidateType, Ice
from firmware.ice.candidate import foundation, priority
from firmware.ice.credentials import make_credentials
from firmware.sansio import Address

Sockets = tuple[socket.socket, socket.socket]


def host(component: int, address: Address) -> Candidate:
    kind = CandidateType.HOST
    return Candidate(foundation(kind, address[0]), component, priority(kind, component), address, kind)


def agreed(sockets: Sockets, others: Sockets, components: int = 2, seed: int = 5) -> tuple[Ice, Ice]:
    """Give what each knows; with one component, RTCP shares the port of RTP; another *seed* is a restart."""
    rng = random.Random(seed)
    names = make_credentials(rng), make_credentials(rng)
    ours, theirs = (
        tuple(host(number, sock.getsockname()) for number, sock in enumerate(pair, 1)) for pair in (sockets, others)
    )
    known = theirs[:components], ours[:components]
    return Ice(True, *names, ours, known[0]), Ice(False, *reversed(names), theirs, known[1])
