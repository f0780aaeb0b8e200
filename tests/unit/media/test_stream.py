"""A stream on real sockets, against a far end of bare ones."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest
from dtls_ends import fingerprint, handshake
from ice_ends import agreed, host
from media_parts import Peer

from firmware.call.ice import Ice, Selected
from firmware.call.media import (
    H264_BASELINE,
    PCMU,
    TELEPHONE_EVENT,
    Channel,
    Crypto,
    Direction,
    Feedback,
    Format,
    Handshake,
    Kind,
    Suite,
)
from firmware.media import stream as module
from firmware.media.dtls import STRANGER, Keys
from firmware.media.network import Network
from firmware.media.stream import MANY_REFUSED, Stream
from firmware.rtp import rtcp
from firmware.rtp.h235 import PayloadCipher
from firmware.rtp.packet import Packet
from firmware.rtp.srtp import Receiver, Sender
from firmware.sansio import Address

CLIENT, SERVER = handshake("one", "other", True), handshake("other", "one", False)
FORMATS = {Kind.AUDIO: (Format(0, PCMU), Format(101, TELEPHONE_EVENT)), Kind.VIDEO: (Format(97, H264_BASELINE),)}


class Sink:
    def __init__(self) -> None:
        self.packets: list[Packet] = []

    def receive(self, packet: Packet, now: float) -> None:
        self.packets.append(packet)

    def timer(self) -> float:
        return float("inf")

    def handle_timer(self, now: float) -> None:
        raise AssertionError


def channels(stream: Stream, peer: Peer, **more) -> tuple[Channel, Channel]:
    local = stream.sockets[0].getsockname()
    send, receive = (
        Channel(stream.kind, direction, FORMATS[stream.kind], local, peer.address, **more)
        for direction in (Direction.SEND, Direction.RECEIVE)
    )
    return send, receive


@pytest.fixture
def started(make_stream, network: Network, peer: Peer):
    def start(kind: Kind = Kind.AUDIO, **more) -> Stream:
        stream = make_stream(kind, FORMATS[kind][0].codec.clock_rate)
        stream.sink = Sink()
        stream.use(*channels(stream, peer, **more))
        network.call(lambda: network.add(stream, stream.sockets))
        return stream

    return start


def send_packets(peer: Peer, stream: Stream, count: int = 5, ssrc: int = 7, payload_type: int = 0) -> None:
    for number in range(count):
        packet = Packet(payload_type, False, number, number * 160, ssrc, b"sound")
        peer.rtp.sendto(packet.encode(), stream.sockets[0].getsockname())


def test_packets_go_out_from_the_port_on_which_they_come_in(started, peer: Peer) -> None:
    stream = started()
    stream.send(b"one", 1_000, True, 0)
    stream.send(b"two", 1_160, False, 0)
    data, source = peer.rtp.recvfrom(2048)
    first, second = Packet.decode(data), peer.packet()
    assert source == stream.sockets[0].getsockname()  # RFC 4961
    assert (first.payload, first.marker, first.payload_type) == (b"one", True, 0)
    assert second.sequence == first.sequence + 1 & 0xFFFF
    assert second.timestamp - first.timestamp & 0xFFFFFFFF == 160
    assert first.ssrc == second.ssrc


def test_packets_come_in(started, peer: Peer, eventually) -> None:
    stream = started()
    send_packets(peer, stream)
    eventually(lambda: len(stream.sink.packets) == 5)
    assert stream.statistics(time.monotonic()).received.packets == 5
    assert stream.last_received is not None


def test_who_sends_nothing_keeps_the_way_open(
    started, network: Network, peer: Peer, eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEEP_OPEN_DELAY", 0.05)
    monkeypatch.setattr(module, "KEEP_OPEN_TIME", 0.05)
    stream = started()
    _, receive = channels(stream, peer)
    network.call(lambda: stream.use(None, receive))
    kept = [peer.packet() for _ in range(3)]
    assert {(packet.payload_type, packet.payload) for packet in kept} == {(127, b"")}
    assert peer.source == stream.sockets[0].getsockname()
    assert stream.statistics(time.monotonic()).sent.packets == 0
    network.call(lambda: secured_to_receive(stream, peer))
    theirs = Receiver(SRTP)
    eventually(lambda: theirs.unprotect(peer.rtp.recv(2048)) is not None)


def secured_to_receive(stream: Stream, peer: Peer) -> None:
    _, receive = channels(stream, peer)
    stream.use(None, replace(receive, crypto=FAR_SRTP, return_crypto=SRTP))


def test_who_sends_keeps_no_way_open(started, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_OPEN_DELAY", 0.05)
    monkeypatch.setattr(module, "KEEP_OPEN_TIME", 0.05)
    started()
    peer.rtp.settimeout(0.3)
    with pytest.raises(TimeoutError):
        peer.packet()


def test_a_stranger_is_not_heard_while_the_far_end_speaks(started, peer: Peer, eventually) -> None:
    stream = started()
    send_packets(peer, stream, 3)
    eventually(lambda: len(stream.sink.packets) == 3)
    stranger = Peer("127.0.0.9")
    send_packets(stranger, stream, 50, ssrc=8)
    send_packets(peer, stream, 1)
    eventually(lambda: len(stream.sink.packets) == 4)
    assert {packet.ssrc for packet in stream.sink.packets} == {7}
    stranger.close()


@pytest.mark.parametrize("mux", [False, True])
def test_reports_are_exchanged(started, peer: Peer, eventually, mux: bool) -> None:
    stream = started(rtcp_mux=mux)
    stream.send(b"one", 0, True, 0)
    send_packets(peer, stream)
    eventually(lambda: len(stream.sink.packets) == 5)
    sock = peer.rtp if mux else peer.rtcp
    ours: list[rtcp.Message] = []
    while not any(isinstance(message, rtcp.SenderReport) and message.reports for message in ours):
        data = sock.recv(2048)
        if not mux or 192 <= data[1] <= 223:  # RFC 5761 4
            ours += rtcp.decode(data)
    assert any(isinstance(message, rtcp.SourceDescription) and message.cname == "test" for message in ours)


def test_a_key_frame_is_asked_for_both_ways(started, peer: Peer, eventually, network: Network) -> None:
    stream = started(Kind.VIDEO, feedback=frozenset({Feedback.PLI}))
    asked: list[int] = []
    stream.on_key_frame_requested = lambda: asked.append(1)
    stream.send(b"\x41picture", 0, True, 97)
    ssrc = peer.packet().ssrc
    control = stream.sockets[1].getsockname()
    peer.rtcp.sendto(rtcp.compound((rtcp.ReceiverReport(7, ()), rtcp.PictureLoss(7, ssrc))), control)
    eventually(lambda: asked)
    send_packets(peer, stream, payload_type=97)
    eventually(lambda: len(stream.sink.packets) == 5)
    assert network.call(lambda: stream.request_key_frame(time.monotonic())) is False
    while not any(isinstance(message, rtcp.PictureLoss) for message in rtcp.decode(peer.rtcp.recv(2048))):
        pass


def test_without_feedback_signalling_has_to_ask(started, peer: Peer, eventually, network: Network) -> None:
    stream = started(Kind.VIDEO)
    send_packets(peer, stream, payload_type=97)
    eventually(lambda: stream.sink.packets)
    assert network.call(lambda: stream.request_key_frame(time.monotonic())) is True
    assert network.call(lambda: stream.request_key_frame(time.monotonic())) is False  # not again at once


def test_a_missing_packet_is_sent_again(started, peer: Peer, eventually) -> None:
    stream = started(Kind.VIDEO, feedback=frozenset({Feedback.NACK}))
    for number in range(3):
        stream.send(b"\x41%d" % number, number, True, 97)
    packets = [peer.packet() for _ in range(3)]
    nack = rtcp.Nack(7, packets[1].ssrc, (packets[1].sequence,))
    peer.rtcp.sendto(rtcp.compound((rtcp.ReceiverReport(7, ()), nack)), stream.sockets[1].getsockname())
    again = peer.packet()
    assert (again.sequence, again.payload) == (packets[1].sequence, packets[1].payload)


def test_goodbye(started, peer: Peer, network: Network) -> None:
    stream = started()
    stream.send(b"one", 0, True, 0)
    network.call(lambda: network.remove(stream))
    network.call(lambda: stream.close(time.monotonic()))
    while not any(isinstance(message, rtcp.Goodbye) for message in rtcp.decode(peer.rtcp.recv(2048))):
        pass
    assert stream.sockets[0].fileno() == -1
    stream.send(b"two", 160, False, 0)  # an encoder that comes a moment late


CRYPTO = Crypto(Suite.AES_128_CBC, b"sixteen octets!!", 104)


def test_an_encrypted_stream_sends_no_payload_in_the_clear(started, peer: Peer) -> None:
    stream = started(crypto=CRYPTO)
    stream.send(b"sound" * 32, 1_000, True, 0)
    data, _ = peer.rtp.recvfrom(2048)
    assert b"sound" not in data
    assert data[1] & 0x7F == CRYPTO.payload_type
    clear = PayloadCipher(CRYPTO.key, 104, 0).decrypt(data)
    assert clear is not None
    assert Packet.decode(clear).payload == b"sound" * 32


def test_an_encrypted_stream_hears_what_is_encrypted_and_nothing_else(started, peer: Peer, eventually) -> None:
    stream = started(crypto=CRYPTO)
    cipher = PayloadCipher(CRYPTO.key, 104, 0)
    to = stream.sockets[0].getsockname()
    send_packets(peer, stream, 3)  # in the clear
    for number in range(5):
        packet = Packet(0, False, 100 + number, 160 * number, 7, b"sound%d" % number).encode()
        for data in (cipher.encrypt(packet), cipher.encrypt(packet)[:9], b"\x80\x68", b""):
            peer.rtp.sendto(data, to)
    eventually(lambda: len(stream.sink.packets) == 5)
    assert [packet.payload for packet in stream.sink.packets] == [b"sound%d" % number for number in range(5)]
    assert {packet.payload_type for packet in stream.sink.packets} == {0}


def test_a_packet_that_is_sent_again_is_encrypted_again(started, peer: Peer) -> None:
    stream = started(Kind.VIDEO, feedback=frozenset({Feedback.NACK}), crypto=CRYPTO)
    stream.send(b"picture" * 9, 0, True, 97)
    first = peer.rtp.recv(2048)
    sequence, ssrc = int.from_bytes(first[2:4], "big"), int.from_bytes(first[8:12], "big")
    nack = rtcp.compound((rtcp.ReceiverReport(7, ()), rtcp.Nack(7, ssrc, (sequence,))))
    peer.rtcp.sendto(nack, stream.sockets[1].getsockname())
    assert peer.rtp.recv(2048) == first


SRTP = Crypto(Suite.AES_CM_128_HMAC_SHA1_80, b"k" * 16, salt=b"s" * 14)
FAR_SRTP = Crypto(Suite.AEAD_AES_256_GCM, b"f" * 32, salt=b"s" * 12)


def secured(stream: Stream, peer: Peer, **more) -> None:
    send, receive = channels(stream, peer, **more)
    send = replace(send, crypto=SRTP, return_crypto=FAR_SRTP)
    stream.use(send, replace(receive, crypto=FAR_SRTP, return_crypto=SRTP))


@pytest.mark.parametrize("mux", [False, True])
def test_srtp_and_srtcp(started, network: Network, peer: Peer, eventually, mux: bool) -> None:
    stream = started()
    network.call(lambda: secured(stream, peer, rtcp_mux=mux))
    theirs, ours = Receiver(SRTP), Sender(FAR_SRTP)
    stream.send(b"sound" * 32, 1_000, True, 0)
    clear = theirs.unprotect(peer.rtp.recv(2048))
    assert clear is not None
    assert Packet.decode(clear).payload == b"sound" * 32
    to, control_to = (sock.getsockname() for sock in stream.sockets)
    for number in range(5):
        packet = Packet(0, False, 100 + number, 160 * number, 7, b"sound%d" % number).encode()
        for data in (packet, ours.protect(packet)[:-1], ours.protect(packet), ours.protect(packet)):
            peer.rtp.sendto(data, to)
    eventually(lambda: len(stream.sink.packets) == 5)
    report = rtcp.compound((rtcp.ReceiverReport(7), rtcp.SourceDescription(7, "x"), rtcp.Goodbye((7,))))
    sock, target = (peer.rtp, to) if mux else (peer.rtcp, control_to)
    source = stream._session._source
    sock.sendto(report, target)
    sock.sendto(ours.protect_control(report), target)
    eventually(lambda: source.ended)
    assert len(stream.sink.packets) == 5
    assert stream._protection.refused == 5 * 3 + (not mux) + mux

    def report_came() -> bool:
        data = sock.recv(2048)
        clear = theirs.unprotect_control(data) if data[1] >= 192 else None
        return clear is not None and isinstance(rtcp.decode(clear)[-1], rtcp.SourceDescription)

    eventually(report_came)


def test_it_is_said_when_the_key_is_another(
    started, network: Network, peer: Peer, eventually, caplog: pytest.LogCaptureFixture
) -> None:
    stream = started()
    network.call(lambda: secured(stream, peer))
    send_packets(peer, stream, 3 * MANY_REFUSED)
    eventually(lambda: stream._protection.refused == 3 * MANY_REFUSED)
    assert [record.message for record in caplog.records] == ["100 packets of audio had not the key that was agreed"]


def test_who_has_the_key_may_be_elsewhere(started, network: Network, peer: Peer, eventually) -> None:
    stream = started()
    send, receive = channels(stream, peer)
    crypto = {"crypto": SRTP, "return_crypto": SRTP, "remote": ("198.51.100.1", 9)}
    network.call(lambda: stream.use(replace(send, **crypto), replace(receive, **crypto)))
    ours = Sender(SRTP)
    send_packets(peer, stream, 3)
    for number in range(3):
        packet = Packet(0, False, number, 160 * number, 7, b"sound").encode()
        peer.rtp.sendto(ours.protect(packet), stream.sockets[0].getsockname())
    eventually(lambda: len(stream.sink.packets) == 3)
    stream.send(b"sound", 0, True, 0)
    assert Receiver(SRTP).unprotect(peer.rtp.recv(2048)) is not None


class Agreed:
    """What a stream tells of its handshake."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.keys: list[Keys] = []
        self.reasons: list[str] = []
        stream.on_keys = lambda _, keys: self.keys.append(keys)
        stream.on_no_keys = self.reasons.append
        self.ways: list[tuple[Selected, ...]] = []
        stream.on_way = lambda _, selected: self.ways.append(selected)


@pytest.fixture
def two(make_stream, network: Network):
    """Two streams that talk with each other; what they say is encrypted once they have agreed on keys."""

    def start(
        one: Handshake | None, other: Handshake | None, mux: bool = True, *, ice: bool = False
    ) -> tuple[Agreed, Agreed]:
        ends = tuple(Agreed(make_stream()) for _ in range(2))
        ways = agreed(ends[0].stream.sockets, ends[1].stream.sockets, 1 if mux else 2) if ice else (None, None)
        for end, far, own, way in zip(ends, reversed(ends), (one, other), ways, strict=True):
            stream = end.stream
            stream.sink = Sink()
            local, remote = stream.sockets[0].getsockname(), far.stream.sockets[0].getsockname()
            more = {"handshake": own, "rtcp_mux": mux, "ice": way}
            if ice:  # where signalling said, there is nobody
                remote = ("127.0.0.1", 9)
            both = [
                Channel(Kind.AUDIO, way, FORMATS[Kind.AUDIO], local, remote, **more)
                for way in (Direction.SEND, Direction.RECEIVE)
            ]
            network.call(lambda s=stream, b=both: (network.add(s, s.sockets), s.use(*b)))
        return ends

    return start


@pytest.mark.parametrize("ice", [False, True])
@pytest.mark.parametrize("mux", [True, False])
def test_keys_are_agreed_where_packets_go(two, eventually, mux: bool, ice: bool) -> None:
    one, other = two(CLIENT, SERVER, mux, ice=ice)
    one.stream.send(b"too early", 0, False, 0)
    eventually(lambda: one.keys and other.keys and (mux or (one.keys[-1].send.control and other.keys[-1].send.control)))
    assert one.keys[-1] == tuple(reversed(other.keys[-1]))
    for number in range(20):
        one.stream.send(b"sound", number * 160, False, 0)
        other.stream.send(b"sound", number * 160, False, 0)
    for end in (one, other):
        eventually(lambda e=end: len(e.stream.sink.packets) == 20)
        assert {packet.payload for packet in end.stream.sink.packets} == {b"sound"}
        assert end.stream._protection.refused == 0
        assert not end.reasons
    for end in (one, other):
        eventually(lambda e=end: e.stream._session._source.sender_report is not None)


def test_packets_take_the_way_that_is_found(two, network: Network, peer: Peer, eventually) -> None:
    one, other = two(None, None, ice=True)
    eventually(lambda: one.ways and other.ways)
    assert (one.stream.way, len(one.ways[-1])) == ("direct", 1)
    send_packets(peer, other.stream)  # a stranger, whom signalling's word would have let in
    one.stream.send(b"sound", 0, False, 0)
    eventually(lambda: other.stream.sink.packets)
    time.sleep(0.1)
    assert [packet.payload for packet in other.stream.sink.packets] == [b"sound"]
    # On hold nothing flows, but the way is kept; without ICE it goes where signalling says again.
    send, receive = one.stream._channels
    idle = replace(receive, direction=Direction.NEITHER)
    network.call(lambda: one.stream.use(None, None, idle))
    assert one.stream.way == "direct"
    plain = [replace(channel, ice=None, remote=peer.address) for channel in (send, receive)]
    network.call(lambda: one.stream.use(*plain))
    assert one.stream.way == ""
    one.stream.send(b"plain", 0, False, 0)
    assert peer.packet().payload == b"plain"


@pytest.mark.parametrize("mux", [True, False])
def test_who_moves_keeps_session_and_keys(two, network: Network, eventually, mux: bool) -> None:
    one, other = two(CLIENT, SERVER, mux, ice=True)
    eventually(lambda: one.keys and other.keys and (mux or (one.keys[-1].send.control and other.keys[-1].send.control)))
    agreements = len(one.keys), len(other.keys)
    one.stream.send(b"before", 0, False, 0)
    eventually(lambda: other.stream.sink.packets)
    former = one.stream.sockets
    fresh = tuple(socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for sock in fresh:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)

    def go_on(end: Agreed, way: Ice, **changes: object) -> None:
        end.stream.use(*(replace(channel, ice=way, **changes) for channel in end.stream._channels))

    def move() -> None:
        network.remove(one.stream)
        one.stream.move(fresh)
        network.add(one.stream, fresh)

    ways = agreed(fresh, other.stream.sockets, 1 if mux else 2, seed=6)
    network.call(move)
    one.ways.clear()
    network.call(lambda: go_on(one, ways[0], local=fresh[0].getsockname()))
    network.call(lambda: go_on(other, ways[1]))
    assert all(sock.fileno() < 0 for sock in former)
    eventually(lambda: one.ways)
    for end, far in ((one, other), (other, one)):
        end.stream.send(b"after", 160, False, 0)
        eventually(lambda f=far: f.stream.sink.packets and f.stream.sink.packets[-1].payload == b"after")
    assert len({packet.ssrc for packet in other.stream.sink.packets}) == 1
    assert (len(one.keys), len(other.keys)) == agreements
    assert one.stream._protection.refused == other.stream._protection.refused == 0


def test_packets_may_take_another_address_of_ours(make_stream, network: Network, eventually) -> None:
    """The far end is at an address that only the second of ours can pair with."""
    other = tuple(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(2))
    far_sockets = tuple(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(2))
    for pair in (other, far_sockets):
        pair[0].bind(("::1", 0))
        pair[1].bind(("::1", pair[0].getsockname()[1] + 1))
        for sock in pair:
            sock.setblocking(False)
    ends = Agreed(make_stream()), Agreed(make_stream())
    one, far = ends[0].stream, ends[1].stream
    base = other[0].getsockname()[:2]

    def move() -> None:
        one.move(one.sockets, {base: other})
        far.move(far_sockets)

    network.call(move)
    first = agreed(*(tuple(map(Named, pair)) for pair in (other, far_sockets)))
    ways = replace(first[0], local=(host(1, one.sockets[0].getsockname()), *first[0].local)), first[1]
    for end, way in zip(ends, ways, strict=True):
        stream = end.stream
        stream.sink = Sink()
        both = [
            Channel(Kind.AUDIO, direction, FORMATS[Kind.AUDIO], way.local[0].address, ("127.0.0.1", 9), ice=way)
            for direction in (Direction.SEND, Direction.RECEIVE)
        ]
        network.call(lambda s=stream, b=both: (network.add(s, s.all_sockets), s.use(*b)))
    eventually(lambda: ends[0].ways and ends[1].ways)
    assert ends[0].ways[-1][0].local.address == base
    one.send(b"sound", 0, False, 0)
    far.send(b"sound", 0, False, 0)
    for stream in (one, far):
        eventually(lambda s=stream: s.sink.packets)


class Named:
    """A socket whose name is an address alone, of IPv6 too."""

    def __init__(self, sock: socket.socket) -> None:
        self._name = sock.getsockname()[:2]

    def getsockname(self) -> Address:
        return self._name


def test_a_stranger_gets_no_keys(two, eventually) -> None:
    one, other = two(CLIENT, replace(SERVER, fingerprints=(fingerprint("third"),)))
    eventually(lambda: other.reasons)
    assert other.reasons == [STRANGER]
    assert not other.keys
    other.stream.send(b"sound", 0, False, 0)
    one.stream.send(b"sound", 0, False, 0)
    time.sleep(0.2)
    assert one.stream.sink.packets == other.stream.sink.packets == []


def test_the_same_handshake_again_changes_nothing(two, network: Network, eventually) -> None:
    one, other = two(CLIENT, SERVER)
    eventually(lambda: one.keys and other.keys)
    for end in (one, other):
        channels = end.stream._channels
        network.call(lambda e=end, c=channels: e.stream.use(replace(c[0], bitrate=1), None))
        network.call(lambda e=end, c=channels: e.stream.use(*c))
    one.stream.send(b"sound", 0, False, 0)
    eventually(lambda: len(other.stream.sink.packets) == 1)
    assert (len(one.keys), len(other.keys)) == (1, 1)


def test_another_far_end_is_asked_for_keys_where_it_is(two, make_stream, network: Network, eventually) -> None:
    one, other = two(CLIENT, SERVER)
    eventually(lambda: one.keys and other.keys)
    third = Agreed(make_stream())
    third.stream.sink = Sink()
    local, far = one.stream.sockets[0].getsockname(), third.stream.sockets[0].getsockname()
    ways = (Direction.SEND, Direction.RECEIVE)

    def use(stream: Stream, here: Address, there: Address, own: Handshake) -> None:
        more = {"handshake": own, "rtcp_mux": True}
        stream.use(*(Channel(Kind.AUDIO, way, FORMATS[Kind.AUDIO], here, there, **more) for way in ways))

    network.call(lambda: (network.add(third.stream, third.stream.sockets), network.remove(other.stream)))
    network.call(lambda: use(third.stream, far, local, handshake("third", "one", False)))
    network.call(lambda: use(one.stream, local, far, handshake("one", "third", True)))
    eventually(lambda: third.keys and len(one.keys) == 2)
    assert one.keys[-1] == tuple(reversed(third.keys[-1]))


def test_a_stream_may_go_on_with_keys_that_another_agreed(two, make_stream, network: Network, eventually) -> None:
    one, other = two(CLIENT, SERVER)
    eventually(lambda: one.keys and other.keys)
    [keys], channels = one.keys, one.stream._channels
    heir = Agreed(make_stream())
    heir.stream.sink = Sink()
    local, port = heir.stream.sockets[0].getsockname(), other.stream.sockets[0].getsockname()
    send = replace(channels[0], local=local, remote=port, crypto=keys.send, return_crypto=keys.receive)
    receive = replace(channels[1], local=local, remote=port, crypto=keys.receive, return_crypto=keys.send)
    network.call(lambda: (network.add(heir.stream, heir.stream.sockets), heir.stream.use(send, receive)))
    heir.stream.send(b"sound", 0, False, 0)
    eventually(lambda: len(other.stream.sink.packets) == 1)
    assert not heir.keys


def test_a_limit_of_the_bitrate(started, peer: Peer, eventually) -> None:
    stream = started(Kind.VIDEO, feedback=frozenset({Feedback.TMMBR}))
    limits: list[int] = []
    stream.on_bitrate_limited = limits.append
    stream.send(b"picture", 0, True, 97)
    ssrc = int.from_bytes(peer.rtp.recv(2048)[8:12], "big")
    request = rtcp.MaxBitrate(7, (rtcp.Limit(ssrc, 310_000, 40),))
    peer.rtcp.sendto(rtcp.compound((rtcp.ReceiverReport(7), request)), stream.sockets[1].getsockname())
    eventually(lambda: limits == [300_000])
    assert stream.bitrate_limit == 300_000

    def acknowledged() -> bool:
        answers = [m for m in rtcp.decode(peer.rtcp.recv(2048)) if isinstance(m, rtcp.MaxBitrateNotification)]
        return answers == [rtcp.MaxBitrateNotification(ssrc, (rtcp.Limit(7, 310_000, 40),))]

    eventually(acknowledged)


def test_less_is_asked_of_who_sends_too_much(started, network: Network, peer: Peer, eventually) -> None:
    stream = started(Kind.VIDEO, feedback=frozenset({Feedback.TMMBR}))
    send_packets(peer, stream, payload_type=97)
    eventually(lambda: len(stream.sink.packets) == 5)
    network.call(lambda: stream.request_bitrate(2_000_000, 0.0, 1_000_000, time.monotonic()))

    def asked() -> bool:
        return any(isinstance(m, rtcp.MaxBitrate) for m in rtcp.decode(peer.rtcp.recv(2048)))

    eventually(asked)


def test_what_is_lost_goes_again_in_a_stream_of_its_own(started, network: Network, peer: Peer) -> None:
    stream = started(Kind.VIDEO, feedback=frozenset({Feedback.NACK}))
    send, receive = channels(stream, peer, feedback=frozenset({Feedback.NACK}))
    network.call(lambda: stream.use(replace(send, retransmission=99), replace(receive, retransmission=98)))
    stream.send(b"picture" * 9, 0, True, 97)
    first = Packet.decode(peer.rtp.recv(2048))
    nack = rtcp.compound((rtcp.ReceiverReport(7), rtcp.Nack(7, first.ssrc, (first.sequence,))))
    peer.rtcp.sendto(nack, stream.sockets[1].getsockname())
    again = Packet.decode(peer.rtp.recv(2048))
    assert (again.payload_type, again.payload) == (99, first.sequence.to_bytes(2, "big") + first.payload)
    assert again.ssrc != first.ssrc
