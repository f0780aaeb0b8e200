"""How H.245 messages travel."""

from __future__ import annotations

import random

import pytest

from firmware.h323.control_channel import MAX_CONNECTIONS, MAX_WAITING, ControlChannel
from firmware.h323.identity import Identity
from firmware.h323.layers import Layers
from firmware.h323.tpkt import encode
from firmware.sansio import Address, Close, Flow, Open, Send

HERE, THERE = "192.0.2.10", "192.0.2.20"


class Call:
    def __init__(self) -> None:
        self.routed = False
        self.opened = 0
        self.lost = 0
        self.received: list[bytes] = []

    def control_opened(self, now: float) -> None:
        self.opened += 1

    def control_received(self, octets: bytes, now: float) -> None:
        self.received.append(octets)

    def control_lost(self, now: float) -> None:
        self.lost += 1


class Setting:
    def __init__(
        self, *, tunnelling: bool = True, peer: str = THERE, max_streams: int = 64, transport: str = "tcp"
    ) -> None:
        identity = Identity((), h245_ports=range(5000, 5004), max_streams=max_streams)
        self.layers = Layers(identity, random.Random(1))
        self.call = Call()
        stream = self.layers.streams.reserve(Flow(transport, (HERE, 1720), (peer, 1720)))
        self.channel = ControlChannel(self.layers, self.call, stream, tunnelling=tunnelling)

    def did(self) -> list[object]:
        actions = list(self.layers.streams.actions)
        self.layers.streams.actions.clear()
        return actions

    def theirs(self, host: str = THERE) -> Flow:
        own = self.channel.listen()
        assert own
        return Flow("tcp", own, (host, 40_000))


def sends(actions: list[object]) -> list[tuple[Flow, bytes]]:
    return [(action.flow, action.data) for action in actions if isinstance(action, Send)]


@pytest.mark.parametrize("tunnelling", [True, False])
def test_by_tls_there_is_the_tunnel_only(tunnelling: bool) -> None:
    """Whatever the settings or the far end want: a connection would be in the clear."""
    setting = Setting(tunnelling=tunnelling, transport="tls")
    channel = setting.channel
    channel.far_end_listens((THERE, 5000))
    assert channel.listen() is None
    assert not channel.connect()
    channel.far_end_tunnels(True)
    assert channel.tunnels
    channel.send([b"message"])
    assert channel.take() == [b"message"]
    assert setting.did() == []


@pytest.mark.parametrize(
    ("ours", "theirs", "flag", "tunnels"),
    [
        (True, None, True, False),
        (True, True, True, True),
        (True, False, False, False),
        (False, True, False, False),
        (False, None, False, False),
    ],
)
def test_tunnelling_needs_both(ours: bool, theirs: bool | None, flag: bool, tunnels: bool) -> None:
    channel = Setting(tunnelling=ours).channel
    channel.far_end_tunnels(theirs)
    channel.far_end_tunnels(None)
    assert (channel.offers_tunnelling, channel.tunnels) == (flag, tunnels)


def test_what_waits_is_tunnelled_once() -> None:
    channel = Setting().channel
    channel.send([b"1"])
    assert channel.take() == []
    channel.far_end_tunnels(True)
    channel.send([b"2"])
    channel.put_back([b"0"])
    assert channel.take() == [b"0", b"1", b"2"]
    assert channel.take() == []


def test_connection_takes_what_waits() -> None:
    setting = Setting(tunnelling=False)
    setting.channel.send([b"1"])
    assert not setting.channel.connect()
    setting.channel.far_end_listens((THERE, 30_000))
    assert setting.channel.connect()
    assert setting.channel.connect()
    setting.channel.send([b"2"])
    opened, *sent = setting.did()
    assert isinstance(opened, Open)
    assert (opened.flow.local, opened.flow.remote) == ((HERE, 1720), (THERE, 30_000))
    assert sends(sent) == [(opened.flow, encode(b"1")), (opened.flow, encode(b"2"))]


def test_connection_ends_the_tunnel_for_good() -> None:
    setting = Setting()
    setting.channel.far_end_tunnels(True)
    setting.channel.far_end_listens((THERE, 30_000))
    setting.channel.connect()
    assert not setting.channel.tunnels
    assert not setting.channel.offers_tunnelling
    assert setting.channel.takes_tunnelled


def test_accepted_connection() -> None:
    setting = Setting(tunnelling=False)
    setting.channel.send([b"1"])
    flow = setting.theirs()
    stream = setting.channel.accept(flow, 0.0)
    assert stream
    assert stream.owner is setting.channel
    assert setting.call.opened == 1
    assert sends(setting.did()) == [(flow, encode(b"1"))]
    setting.channel.stream_received(b"x", 0.0)
    assert setting.call.received == [b"x"]


def test_second_connection_is_not_the_calls() -> None:
    setting = Setting()
    assert setting.channel.accept(setting.theirs(), 0.0)
    assert setting.channel.accept(setting.theirs(), 0.0) is None


def test_connection_of_another_host_needs_a_gatekeeper() -> None:
    setting = Setting()
    assert setting.channel.accept(setting.theirs("203.0.113.5"), 0.0) is None
    setting.call.routed = True
    assert setting.channel.accept(setting.theirs("203.0.113.5"), 0.0)


@pytest.mark.parametrize(
    ("address", "peer", "reachable"),
    [
        (("203.0.113.5", 1), THERE, True),
        (("127.0.0.1", 8080), THERE, False),
        ((HERE, 8080), THERE, False),
        ((HERE, 8080), HERE, True),
        (("::1", 8080), THERE, False),
        (("2001:db8::1", 1), THERE, False),
        (("127.0.0.1", 1), "127.0.0.2", True),
        (("::1", 1), "2001:db8::1", False),
        (("2001:db8::5", 1), "2001:db8::1", True),
    ],
)
def test_no_far_end_sends_us_to_our_own_services(address: Address, peer: str, reachable: bool) -> None:
    setting = Setting(peer=peer)
    setting.channel.far_end_listens(address)
    assert setting.channel.connect() is reachable


# Both sides at once


def both(far: Address, *, theirs_first: bool, peer: str = THERE) -> tuple[Setting, Flow, Flow]:
    setting = Setting(tunnelling=False, peer=peer)
    flow = setting.theirs(peer)
    setting.channel.far_end_listens(far)
    if theirs_first:
        assert setting.channel.accept(flow, 0.0)
        assert setting.channel.connect()
        return setting, flow, flow
    setting.channel.send([b"1"])
    assert setting.channel.connect()
    opened, sent = setting.did()
    assert isinstance(opened, Open)
    assert isinstance(sent, Send)
    assert setting.channel.accept(flow, 0.0)
    return setting, opened.flow, flow


def test_smaller_address_closes_what_it_opened_and_says_it_again() -> None:
    # H.323 8.2.3: ours, 192.0.2.10, is smaller than 192.0.2.20.
    setting, ours, theirs = both((THERE, 9), theirs_first=False)
    setting.channel.send([b"2"])
    assert setting.did() == [Close(ours), Send(theirs, encode(b"1")), Send(theirs, encode(b"2"))]


def test_larger_address_keeps_what_it_opened() -> None:
    setting, ours, _ = both(("192.0.2.9", 9), theirs_first=False)
    setting.channel.send([b"2"])
    assert setting.did() == [Send(ours, encode(b"2"))]


def test_port_decides_between_equal_hosts() -> None:
    for port, closes in ((1, False), (65_535, True)):
        setting, ours, _ = both((HERE, port), theirs_first=False, peer=HERE)
        assert (Close(ours) in setting.did()) is closes


def test_no_second_connection_beside_theirs() -> None:
    setting, _, _ = both(("192.0.2.9", 9), theirs_first=True)
    assert setting.did() == []


def test_nothing_is_said_twice_to_one_who_has_heard() -> None:
    setting, ours, theirs = both(("192.0.2.9", 9), theirs_first=False)
    setting.channel.stream_received(b"heard", 0.0)
    stream = setting.layers.streams.forget(ours)
    assert stream
    setting.channel.stream_closed(stream, 0.0)
    assert setting.did() == []
    setting.channel.send([b"2"])
    assert setting.did() == [Send(theirs, encode(b"2"))]
    assert setting.call.lost == 0


def test_the_other_takes_over_what_was_not_heard() -> None:
    setting, ours, theirs = both(("192.0.2.9", 9), theirs_first=False)
    stream = setting.layers.streams.forget(ours)
    assert stream
    setting.channel.stream_closed(stream, 0.0)
    assert setting.did() == [Send(theirs, encode(b"1"))]


def test_the_idle_one_may_go() -> None:
    setting, _, theirs = both(("192.0.2.9", 9), theirs_first=False)
    stream = setting.layers.streams.forget(theirs)
    assert stream
    setting.channel.stream_closed(stream, 0.0)
    assert setting.did() == []
    assert setting.call.lost == 0


def test_last_connection_lost() -> None:
    setting = Setting()
    flow = setting.theirs()
    stream = setting.channel.accept(flow, 0.0)
    assert stream
    setting.layers.streams.forget(flow)
    setting.channel.stream_closed(stream, 0.0)
    assert setting.call.lost == 1
    assert not setting.channel.has_connection


# Bounds


def test_what_waits_is_bounded() -> None:
    setting = Setting()
    setting.channel.send([bytes([n]) for n in range(MAX_WAITING + 3)])
    setting.channel.far_end_tunnels(True)
    assert setting.channel.take() == [bytes([n]) for n in range(3, MAX_WAITING + 3)]
    assert setting.layers.counters["H.245 message without a way"] == 3


def test_connections_of_one_call_are_bounded() -> None:
    setting = Setting()
    for port in range(1, MAX_CONNECTIONS + 3):
        setting.channel.far_end_listens((THERE, port))
        setting.channel.connect()
        for action in setting.did():
            if isinstance(action, Open):
                stream = setting.layers.streams.forget(action.flow)
                assert stream
                setting.channel.stream_closed(stream, 0.0)
    assert setting.call.lost == MAX_CONNECTIONS
    assert not setting.channel.connect()


def test_no_room_for_a_connection() -> None:
    setting = Setting(max_streams=0)
    setting.channel.far_end_listens((THERE, 1))
    assert not setting.channel.connect()
    assert setting.channel.accept(setting.theirs(), 0.0) is None


def test_close_gives_everything_back() -> None:
    setting, ours, theirs = both(("192.0.2.9", 9), theirs_first=False)
    setting.channel.close()
    assert set(setting.did()) == {Close(ours), Close(theirs)}
    assert (len(setting.layers.streams), len(setting.layers.ports)) == (0, 0)
    setting.channel.close()
    assert setting.did() == []
