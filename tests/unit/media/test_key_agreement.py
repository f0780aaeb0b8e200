"""The handshakes of a stream: one port or two, keys that are known already, and far ends that begin anew."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from dtls_ends import handshake

from firmware.media.dtls import PATIENCE, STRANGER, Keys
from firmware.media.key_agreement import BEGIN_ANEW, KeyAgreement

CLIENT, SERVER = handshake("one", "other", True), handshake("other", "one", False)


class Pair:
    """Two streams that agree."""

    def __init__(self, mux: bool = True, server_mux: bool | None = None) -> None:
        self.now = time.monotonic()
        self.waiting: list[tuple[str, bytes, bool]] = []
        self.deaf = False
        """The port of RTCP."""
        self.client = self.make("client", mux)
        self.server = self.make("server", mux if server_mux is None else server_mux)

    def make(self, side: str, mux: bool = True, known: Keys | None = None) -> KeyAgreement:
        def send(data: bytes, control: bool) -> None:
            self.waiting.append(("server" if side == "client" else "client", data, control))

        return KeyAgreement(CLIENT if side == "client" else SERVER, mux, send, self.now, known)

    def run(self) -> None:
        while self.waiting:
            to, data, control = self.waiting.pop(0)
            if not (control and self.deaf):
                getattr(self, to).receive(data, control, self.now)


def agreed(pair: Pair) -> None:
    assert pair.client.keys is not None
    assert pair.server.keys is not None
    assert pair.client.keys == tuple(reversed(pair.server.keys))


def test_one_port() -> None:
    pair = Pair()
    pair.run()
    agreed(pair)
    assert pair.client.keys is not None
    assert pair.client.keys.send.control is None


def test_two_ports_have_keys_of_their_own() -> None:
    pair = Pair(mux=False)
    pair.run()
    agreed(pair)
    assert pair.client.keys is not None
    control = pair.client.keys.send.control
    assert control is not None
    assert control.key != pair.client.keys.send.key


def test_without_a_handshake_on_the_port_of_rtcp_the_call_goes_on() -> None:
    pair = Pair(mux=False)
    pair.deaf = True
    pair.run()
    agreed(pair)
    for _ in range(3):
        pair.client.handle_timer(pair.now + PATIENCE + 1)
    assert (pair.client.failure, pair.client.keys and pair.client.keys.send.control) == ("", None)


def test_a_failure() -> None:
    pair = Pair()
    pair.client = KeyAgreement(
        replace(CLIENT, fingerprints=(("sha-256", bytes(32)),)),
        True,
        lambda data, control: pair.waiting.append(("server", data, control)),
        pair.now,
    )
    del pair.waiting[0]
    pair.run()
    assert (pair.client.failure, pair.client.keys) == (STRANGER, None)


def test_known_keys_need_no_handshake() -> None:
    pair = Pair()
    pair.run()
    known = pair.server.keys
    pair.server = pair.make("server", known=known)
    assert (pair.server.keys, pair.waiting, pair.server.timer()) == (known, [], float("inf"))
    pair.client.receive(b"\x16\xfe\xfd" + bytes(30), False, pair.now)
    assert pair.client.keys is not None


@pytest.mark.parametrize("known", [False, True])
def test_a_far_end_that_lost_its_keys_begins_anew(known: bool) -> None:
    pair = Pair()
    pair.run()
    before = pair.server.keys
    if known:
        pair.server = pair.make("server", known=before)
    pair.now += BEGIN_ANEW
    pair.client = pair.make("client")
    pair.run()
    agreed(pair)
    assert pair.server.keys != before


def test_who_begins_anew_and_proves_nothing_changes_nothing() -> None:
    pair = Pair()
    pair.run()
    before = pair.server.keys
    for number in range(20):
        pair.now += BEGIN_ANEW if number % 2 else 0.0
        hello: list[bytes] = []
        KeyAgreement(handshake("third", "other", True), True, lambda data, _, to=hello: to.append(data), pair.now)  # type: ignore[misc]
        answers: list[tuple[str, bytes, bool]] = pair.waiting
        pair.server.receive(hello[0], False, pair.now)
        answers.clear()
    assert (pair.server.keys, pair.server.failure) == (before, "")
    pair.server.handle_timer(pair.now + PATIENCE + 1)
    assert pair.server.keys == before


def test_rtcp_on_a_port_that_nobody_has() -> None:
    pair = Pair()
    pair.client.receive(pair.waiting[0][1], True, pair.now)
    assert pair.client.keys is None
