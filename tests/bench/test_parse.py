"""What the pure cores take for one message or packet."""

from __future__ import annotations

import timeit

from bench.conftest import Figure
from interop.peer import Peer, PeerCall

from firmware.rtp.packet import Packet
from firmware.sip.message import parse

RTP = bytes.fromhex("80e00001000000010000000a") + bytes(1188)


def test_parse(figures: list[Figure]) -> None:
    with Peer("127.0.0.1") as peer:
        PeerCall(peer, ("127.0.0.1", 9)).request("INVITE", peer.offer)
        invite = peer.passed[-1][3]

    def read_invite() -> None:
        request = parse(invite)
        assert all((request.via, request.from_, request.to, request.cseq, request.call_id))

    figures += [
        Figure("SIP INVITE with SDP, parsed with its routing header fields", microseconds(read_invite)),
        Figure("SIP INVITE written", microseconds(parse(invite).encode)),
        Figure("RTP packet of 1200 bytes parsed", microseconds(lambda: Packet.decode(RTP))),
    ]


def microseconds(what: object) -> str:
    timer = timeit.Timer("what()", globals={"what": what})
    number, _ = timer.autorange()
    return f"{min(timer.repeat(5, number)) / number * 1e6:.1f} µs"
