"""ICE against Chromium, the agent that most far ends have: either of us chooses, directly and by coturn's relay."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from interop.chromium import Page, browser
from interop.coturn import Coturn
from interop.ice_end import IceEnd, until
from interop.ports import own_address

from firmware.call.ice import Candidate, CandidateType, Credentials
from firmware.ice.event import ConsentLost
from firmware.ice.turn_server import TurnServer

FLAGS = ("--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns")
"""It would leave out the loopback, and write names in place of its addresses."""
CONNECTED = "['connected', 'completed'].includes(pc.iceConnectionState)"

MAKE = """
globalThis.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require', iceTransportPolicy: %s,
                                       iceServers: %s});
globalThis.gathered = new Promise(done => pc.onicegatheringstatechange = () => {
    if (pc.iceGatheringState === 'complete') done();
});
true
"""
OFFER = """(async () => {
    pc.addTransceiver('audio', {direction: 'recvonly'});
    await pc.setLocalDescription(await pc.createOffer());
    await gathered;
    return pc.localDescription.sdp;
})()"""
ANSWER = """(async () => {
    await pc.setRemoteDescription({type: 'offer', sdp: %s});
    await pc.setLocalDescription(await pc.createAnswer());
    await gathered;
    return pc.localDescription.sdp;
})()"""
TAKE = "pc.setRemoteDescription({type: 'answer', sdp: %s})"


def read(sdp: str) -> tuple[Credentials, tuple[Candidate, ...]]:
    """Give what Chromium says."""
    fragment, password = (re.search(rf"a=ice-{name}:(\S+)", sdp) for name in ("ufrag", "pwd"))
    assert fragment is not None
    assert password is not None
    lines = re.findall(r"a=candidate:(\S+) 1 udp (\d+) (\S+) (\d+) typ (\S+)", sdp)
    return Credentials(fragment[1], password[1]), tuple(
        Candidate(foundation, 1, int(priority), (host, int(port)), CandidateType(kind))
        for foundation, priority, host, port, kind in lines
    )


def write(end: IceEnd, *, offer: bool) -> str:
    """Give what we say; it begins the handshake, which comes to nothing."""
    lines = [
        *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111"),
        *("c=IN IP4 0.0.0.0", "a=rtcp-mux", "a=mid:0", "a=sendonly", "a=rtpmap:111 opus/48000/2"),
        *(f"a=ice-ufrag:{end.credentials.fragment}", f"a=ice-pwd:{end.credentials.password}"),
        *("a=fingerprint:sha-256 " + ":".join(["AB"] * 32), f"a=setup:{'actpass' if offer else 'passive'}"),
    ]
    for each in end.gathering.candidates:
        related = f" raddr {each.related[0]} rport {each.related[1]}" if each.related is not None else ""
        where = f"{each.address[0]} {each.address[1]} typ {each.type.value}{related}"
        lines.append(f"a=candidate:{each.foundation} 1 UDP {each.priority} {where}")
    return "\r\n".join(lines) + "\r\n"


async def connect(page: Page, end: IceEnd, *, controlling: bool) -> None:
    if controlling:
        said = await page.value(ANSWER % json.dumps(write(end, offer=True)))
    else:
        said = await page.value(OFFER)
        await page.value(TAKE % json.dumps(write(end, offer=False)))
    theirs, remote = read(said)
    assert remote, said
    end.start(theirs, remote, controlling=controlling)
    await page.until(CONNECTED, 20.0)
    await until(lambda: bool(end.selected()))
    await until(lambda: any(data[:1] == b"\x16" for _, data, _ in end.heard))  # its handshake (RFC 7983)


@pytest.mark.parametrize("controlling", [True, False])
def test_directly(program: Callable[[str], str], tmp_path: Path, controlling: bool) -> None:
    async def main() -> None:
        async with browser(program("chromium"), tmp_path / "browser", FLAGS) as page, IceEnd(own_address()) as end:
            await page.value(MAKE % ("'all'", "[]"))
            await connect(page, end, controlling=controlling)
            assert end.agent is not None
            assert end.agent.controlling is controlling
            await asyncio.sleep(7)  # consent of both is asked for and given
            assert ConsentLost(1) not in end.events
            assert await page.value(CONNECTED)
            await page.value("pc.close()")

    asyncio.run(main())


@pytest.mark.parametrize("whose", ["theirs", "both"])
@pytest.mark.parametrize("controlling", [True, False])
def test_by_a_relay(program: Callable[[str], str], tmp_path: Path, controlling: bool, whose: str) -> None:
    """Whose relay it is can reach the world by it only.  (Its own addresses are no loopback's: ours alone can't be.)"""

    async def main(server: Coturn) -> None:
        user = TurnServer(server.server, server.user, server.password)
        theirs = {"urls": f"turn:{server.address}:3478", "username": server.user, "credential": server.password}
        async with (
            browser(program("chromium"), tmp_path / "browser", FLAGS) as page,
            IceEnd(own_address(), turn=user if whose == "both" else None) as end,
        ):
            end.only = server.server if whose == "both" else None
            await page.value(MAKE % ("'relay'", json.dumps([theirs])))
            await connect(page, end, controlling=controlling)
            chosen = end.selected()[1]
            assert chosen.remote.type in (CandidateType.RELAYED, CandidateType.PEER_REFLEXIVE)
            assert chosen.remote.address[0] == server.address
            await page.value("pc.close()")

    with Coturn(program("turnserver"), tmp_path / "coturn") as server:
        asyncio.run(main(server))
