"""Whom a stream believes, and where it sends."""

from __future__ import annotations

from firmware.media.far_address import SILENCE, FarAddress

PUBLIC = ("198.51.100.7", 5000)
STRANGER = ("203.0.113.66", 5000)


def test_the_signalled_address() -> None:
    far = FarAddress(("2001:4860::8888", 5000))
    assert far.destination == ("2001:4860::8888", 5000)
    assert far.accepts(("2001:4860:0:0::8888", 5000), 0.0)
    assert far.accepts(("2001:4860::8888", 6000), 0.0)  # another port of the same host: still the far end
    assert not far.accepts(("2001:4860::8889", 5000), 0.0)


def test_a_far_end_that_sends_from_another_port_is_sent_to_the_signalled_one() -> None:
    far = FarAddress(("8.8.8.8", 5000))
    far.heard(("8.8.8.8", 6000), 0.0)
    assert far.destination == ("8.8.8.8", 5000)


def test_nobody_takes_the_place_of_a_public_address() -> None:
    far = FarAddress(("8.8.8.8", 5000))
    assert not far.accepts(STRANGER, 0.0)
    assert not far.accepts(STRANGER, 1_000.0)


def test_a_private_address_may_be_behind_a_nat() -> None:
    far = FarAddress(("192.168.1.5", 5000))
    assert far.destination == ("192.168.1.5", 5000)
    assert far.accepts(PUBLIC, 0.0)
    far.heard(PUBLIC, 0.0)
    assert far.destination == PUBLIC
    assert not far.accepts(STRANGER, 1.0)
    assert far.accepts((PUBLIC[0], 7000), 1.0)  # the NAT gave it another port
    assert far.accepts(STRANGER, SILENCE + 1.0)


def test_the_signalled_host_comes_back() -> None:
    far = FarAddress(("192.168.1.5", 5000))
    far.heard(PUBLIC, 0.0)
    assert far.accepts(("192.168.1.5", 5000), 0.1)
    far.heard(("192.168.1.5", 5000), 0.1)
    assert far.destination == ("192.168.1.5", 5000)
    assert not far.accepts(PUBLIC, 0.2)


def test_no_address_was_signalled() -> None:
    far = FarAddress(None)
    assert far.destination is None
    assert far.accepts(PUBLIC, 0.0)
    far.heard(PUBLIC, 0.0)
    assert far.destination == PUBLIC


def test_a_name_is_never_looked_up() -> None:
    assert FarAddress(("host.example", 5000)).destination is None
    assert not FarAddress(("8.8.8.8", 5000)).accepts(("host.example", 5000), 0.0)


def test_who_proves_that_he_has_the_key_is_believed_where_he_is() -> None:
    far = FarAddress(("8.8.8.8", 5000))
    assert far.accepts(PUBLIC, 0.0, proof=True)
    far.heard(PUBLIC, 0.0)
    assert far.destination == PUBLIC
    assert not far.accepts(STRANGER, 1.0, proof=True)
    assert far.accepts(("8.8.8.8", 5000), 1.0)
    far.heard(("8.8.8.8", 5000), 1.0)
    assert far.destination == ("8.8.8.8", 5000)
    assert not far.accepts(PUBLIC, 1.0 + SILENCE)
