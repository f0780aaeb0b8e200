"""What SIPp can't do: requests and answers repeated, and bytes that are no messages at all."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Iterator

import pytest
from interop.peer import Peer
from interop.sound import tone_share
from interop.unit import Unit
from interop.waiting import until


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer("127.0.0.1") as running:
        yield running


def test_every_request_is_repeated(peer: Peer, answering: Unit) -> None:
    call = peer.call(answering.sip)
    invite = peer.passed[-1][3].decode()
    peer.send(answering.sip, invite)
    first = call.established()
    peer.send(answering.sip, peer.passed[-1][3].decode())  # the ACK
    call.request("BYE")
    peer.send(answering.sip, peer.passed[-1][3].decode())
    assert call.final().startswith("SIP/2.0 200")
    assert call.final().startswith("SIP/2.0 200"), "RFC 3261 17.2.2: the same answer again"
    answering.wait_for_idle()
    assert "m=audio" in first


def test_an_answer_is_repeated(peer: Peer, ringing: Unit) -> None:
    number = ringing.dial(f"sip:peer@{peer.authority}")
    invite = peer.receive()
    assert invite.startswith("INVITE ")
    peer.answer(invite, "180 Ringing", to_tag="a")
    for _ in range(3):  # as if the ACK were lost
        peer.answer(invite, "200 OK", peer.offer, to_tag="a")
        ack = peer.receive()
        assert ack.startswith("ACK "), "RFC 3261 13.2.2.4: one ACK for each 200"
    ringing.command(number, "hang_up")
    bye = peer.receive()
    assert bye.startswith("BYE ")
    peer.answer(bye, "200 OK")


def test_two_far_ends_answer(peer: Peer, ringing: Unit) -> None:
    """A proxy forked our INVITE: the first 200 is the call, the other is acknowledged and ended (RFC 3261 13.2.2.4)."""
    number = ringing.dial(f"sip:peer@{peer.authority}")
    invite = peer.receive()
    peer.answer(invite, "200 OK", peer.offer, to_tag="first")
    assert re.match(r"ACK .*^To: [^\r]*tag=first", peer.receive(), re.DOTALL | re.MULTILINE)
    peer.answer(invite, "200 OK", peer.offer, to_tag="second")
    ack, bye = peer.receive(), peer.receive()
    assert re.match(r"ACK .*^To: [^\r]*tag=second", ack, re.DOTALL | re.MULTILINE)
    assert re.match(r"BYE .*^To: [^\r]*tag=second", bye, re.DOTALL | re.MULTILINE)
    peer.answer(bye, "200 OK")
    ringing.wait_for_call()
    ringing.command(number, "hang_up")
    bye = peer.receive()
    assert "tag=first" in bye
    peer.answer(bye, "200 OK")


def test_who_only_listens_shows_where_he_is(peer: Peer, answering: Unit) -> None:
    """NATs forget a way by which nothing goes out, and relays never learn it (RFC 6263): silence, after a minute."""
    call = peer.call(answering.sip, peer.offer.replace("t=0 0", "t=0 0\r\na=sendonly"))
    assert "a=recvonly" in call.established()
    assert until(lambda: len({source for _, source, _, data in list(peer.passed) if data[1:2] == b"\x7f"}) == 2)
    assert set(peer.rtp_payload_types()) == {127}
    call.end()


def test_sound_after_a_hold(peer: Peer, answering: Unit) -> None:
    """Silence while held, then the same tone on a timeline that went on (baresip 1.0 drops what seems older)."""
    offer = peer.offer.replace("9 0 101", "0 101").replace("a=rtpmap:9 G722/8000\r\n", "")
    call = peer.call(answering.sip, offer)
    call.established()

    def tone_after(seconds: float) -> float:
        begin = time.time()
        time.sleep(seconds)
        return tone_share(peer.received_sound(begin), answering.tone, 8000)

    time.sleep(0.5)
    assert tone_after(1.5) > 0.8
    for direction in ("a=sendonly", "a=inactive"):
        call.request("INVITE", offer.replace("t=0 0", f"t=0 0\r\n{direction}"))
        call.established()
        time.sleep(0.3)
        assert tone_after(1.0) == 0
    call.request("INVITE", offer)
    call.established()
    time.sleep(0.5)
    assert tone_after(1.5) > 0.8
    times = peer.sound_timestamps()
    assert all(0 < later - earlier & 0xFFFFFFFF < 8000 * 10 for earlier, later in itertools.pairwise(times))
    call.end()


def invite_with(peer: Peer, **changes: str) -> str:
    """An INVITE whose header fields are changed, or left out where the change is "-"."""
    fields = {
        "Via": f"SIP/2.0/UDP {peer.authority};branch=z9hG4bK{secrets.token_hex(6)};rport",
        "Max-Forwards": "70",
        "From": "<sip:peer@127.0.0.1>;tag=1",
        "To": "<sip:room@127.0.0.1>",
        "Call-ID": secrets.token_hex(6),
        "CSeq": "1 INVITE",
        "Contact": f"<sip:peer@{peer.authority}>",
    }
    fields.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = [f"{name}: {value}" for name, value in fields.items() if value != "-"]
    return "\r\n".join(["INVITE sip:room@127.0.0.1 SIP/2.0", *lines, "Content-Length: 0", "", ""])


MALFORMED = {
    "no Call-ID": {"Call_ID": "-"},
    "no CSeq": {"CSeq": "-"},
    "no From": {"From": "-"},
    "no To": {"To": "-"},
    "CSeq of another method": {"CSeq": "1 BYE"},
    "CSeq too large": {"CSeq": "99999999999 INVITE"},
    "From unreadable": {"From": "<sip:peer@127.0.0.1;tag=1"},
}


@pytest.mark.parametrize("changes", MALFORMED.values(), ids=MALFORMED)
def test_malformed_request_is_answered(peer: Peer, answering: Unit, changes: dict[str, str]) -> None:
    peer.send(answering.sip, invite_with(peer, **changes))
    assert peer.receive().startswith("SIP/2.0 400 "), "RFC 3261 8.1.1, 16.3, 21.4.1"


def test_garbage_does_not_disturb_a_call(peer: Peer, answering: Unit) -> None:
    call = peer.call(answering.sip)
    call.established()
    answering.wait_for_call()
    noise = [b"", b"\x00", b"\r\n" * 2000, b"INVITE", b"SIP/2.0 \xff\xff", b"A" * 65_000, bytes(range(256)) * 4]
    valid = peer.passed[0][3]
    noise += [valid[:length] for length in range(0, len(valid), 40)]
    noise += [valid.replace(b"Content-Length: ", b"Content-Length: 9999999999"), valid.replace(b"v=0", b"v=9")]
    for data in noise:
        peer.sip.sendto(data, answering.sip)
    streams = {media.getsockname()[1] for media in peer.media}
    for _, source, to, data in [passed for passed in list(peer.passed) if passed[2][1] in streams][:200]:
        here = next(media for media in peer.media if media.getsockname()[1] == to[1])
        for broken in (data[:4], data[:11], b"\xff" * len(data), data[:1] + b"\xc8" + data[2:]):
            here.sendto(broken, source)
    assert [call["state"] for call in answering.state()["calls"]] == ["active"]
    while True:  # the answers to what could be answered
        try:
            peer.receive(0.3)
        except TimeoutError:
            break
    call.end()
    assert "Traceback" not in answering.log()
