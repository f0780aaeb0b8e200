"""H.235.6 between two endpoints: what each policy comes to with each other, keys, and far ends that do it wrong."""

from __future__ import annotations

import logging
import random
from dataclasses import replace
from typing import Any

import pytest
from h323_bench import H323Bench
from parties import ALL, accept, check_agreement, directions, ended, established, settle
from policies import BOTH_CALL, COME_TO_A_CALL, COME_TO_NONE, OFF, PREFERRED, REQUIRED

from firmware.asn1 import Value
from firmware.call.call import Call, EndReason, State
from firmware.call.media import Capabilities, Channel, Direction, Encryption, Kind, Suite
from firmware.h323 import h235_dh, h235_media, h245, q931, tpkt, user_information
from firmware.h323.user_information import UserInformation
from firmware.sansio import Action, Address, Flow
from firmware.signaling import h323, h323_fast_connect
from firmware.signaling.h323_crypto import H323Crypto
from firmware.signaling.h323_media import H323Media, address_value

WAYS = pytest.mark.parametrize(("tunnelling", "fast_connect"), [(True, False), (True, True), (False, False)])


def bench_of(unit: Encryption, far: Encryption, **how: Any) -> H323Bench:
    return H323Bench(encryption=(unit, far), **how)


def keys(call: Call) -> list[bytes]:
    return [channel.crypto.key for channel in call.channels if channel.crypto is not None]


@WAYS
@BOTH_CALL
@COME_TO_A_CALL
def test_policies_that_come_to_a_call(
    unit: Encryption, far: Encryption, encrypted: bool, tunnelling: bool, fast_connect: bool, by_far_end: bool
) -> None:
    bench = bench_of(unit, far, tunnelling=tunnelling, fast_connect=fast_connect)
    ours, theirs = established(bench, by_far_end=by_far_end)
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)
    assert (ours.encrypted, theirs.encrypted) == (encrypted, encrypted)
    assert len(set(keys(ours))) == (4 if encrypted else 0), "each channel has a key of its own"
    ours.hang_up()
    settle(bench)
    assert ended(theirs, EndReason.HUNG_UP)


@WAYS
@BOTH_CALL
@COME_TO_NONE
def test_policies_that_come_to_none(
    unit: Encryption, far: Encryption, tunnelling: bool, fast_connect: bool, by_far_end: bool
) -> None:
    bench = bench_of(unit, far, tunnelling=tunnelling, fast_connect=fast_connect)
    caller, called = (bench.far, bench.unit) if by_far_end else (bench.unit, bench.far)
    called.when_called = accept
    caller.dial(called)
    settle(bench, 5)
    assert ended(caller.call, EndReason.NOT_ENCRYPTED)
    assert all(ended(call, EndReason.NOT_ENCRYPTED) for call in called.calls)
    assert State.ACTIVE not in [
        state for party in (caller, called) for call in party.calls for state in party.states[call]
    ]
    wants_it = (far if by_far_end else unit) is REQUIRED
    assert bool(called.calls) is wants_it, "who must have it does not even ring without"
    bench.check_clean()


def test_both_choose_the_long_key() -> None:
    ours, theirs = established(bench_of(PREFERRED, PREFERRED))
    suites = {channel.crypto.suite for call in (ours, theirs) for channel in call.channels if channel.crypto}
    assert suites == {Suite.AES_256_CBC}


def test_what_goes_over_the_wire_has_no_key_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = bench_of(PREFERRED, PREFERRED)
    carried: list[bytes] = []
    act = bench.wire._act

    def overhear(address: Address, action: Action) -> None:
        carried.append(getattr(action, "data", b""))
        act(address, action)

    monkeypatch.setattr(bench.wire, "_act", overhear)
    ours, _ = established(bench)
    everything = b"".join(carried)
    assert len(everything) > 2000
    assert len(keys(ours)) == 4
    assert not any(key in everything for key in keys(ours))


def test_keys_are_in_no_log_and_no_representation(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bench = bench_of(REQUIRED, REQUIRED)
    ours, theirs = established(bench)
    media = [leg._media for endpoint in (bench.unit_endpoint, bench.far_endpoint) for leg in endpoint._legs.values()]
    shown = caplog.text + repr(ours.channels) + repr([vars(each) for each in media if each is not None])
    for key in keys(ours) + keys(theirs):
        assert repr(key)[2:-1] not in shown
        assert key.hex() not in shown


def test_every_call_has_other_keys() -> None:
    bench = bench_of(PREFERRED, PREFERRED)
    seen: set[bytes] = set()
    for _ in range(3):
        ours, _ = established(bench)
        assert seen.isdisjoint(keys(ours))
        seen.update(keys(ours))
        ours.hang_up()
        settle(bench)


def test_a_call_that_is_taken_off_hold_is_encrypted_again() -> None:
    bench = bench_of(PREFERRED, PREFERRED)
    ours, theirs = established(bench)
    before = keys(ours)
    ours.hold(True)
    settle(bench)
    assert not ours.encrypted
    ours.hold(False)
    settle(bench)
    assert ours.encrypted
    assert theirs.encrypted
    check_agreement(ours, theirs)
    assert set(before).isdisjoint(keys(ours))


def test_digits_go_by_signalling() -> None:
    bench = bench_of(PREFERRED, PREFERRED)
    ours, _ = established(bench)
    assert not any(channel.telephone_event for channel in ours.channels)
    ours.send_digit("5")
    settle(bench)
    assert bench.far.digits == ["5"]


# The weak group


@pytest.mark.parametrize("allowed", [False, True])
def test_the_weak_group_is_used_where_both_allow_it(allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h235_dh, "GROUPS", h235_dh.GROUPS[2:])  # far ends that know no better
    bench = bench_of(PREFERRED, PREFERRED, allow_weak_dh=allowed)
    ours, theirs = established(bench)
    assert ours.encrypted is theirs.encrypted is allowed
    if allowed:
        assert {channel.crypto.suite for channel in ours.channels if channel.crypto} == {Suite.AES_128_CBC}


# Other keys in the midst of a call


def master_and_slave(bench: H323Bench) -> tuple[Any, Any]:
    legs = [next(iter(e._legs.values())) for e in (bench.unit_endpoint, bench.far_endpoint)]
    legs.sort(key=lambda leg: leg._session.control.master is not True)  # type: ignore[union-attr]
    return legs[0], legs[1]


def key_command(number: int, *, from_master: bool) -> Value:
    direction = "masterToSlave" if from_master else "slaveToMaster"
    return {
        "logicalChannelNumber": number,
        "type": ("encryptionUpdateRequest", {}),
        "direction": (direction, None),
    }


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("from_master", [True, False])
def test_the_slave_gets_another_key_when_it_asks(from_master: bool, kind: Kind) -> None:
    bench = bench_of(PREFERRED, PREFERRED)
    ours, theirs = established(bench)
    before = {c: c.crypto for c in (*ours.channels, *theirs.channels)}
    _, slave = master_and_slave(bench)
    numbers = (slave._media.receiving if from_master else slave._media.sending).items()
    number = next(n for n, k in numbers if k is kind)
    for _ in range(3):
        old = set(keys(ours))
        slave._session.control._link.command("miscellaneousCommand", key_command(number, from_master=from_master))
        slave._transport.run()
        settle(bench)
        assert len(old - set(keys(ours))) == 1
        check_agreement(ours, theirs)
        assert ours.encrypted
        assert theirs.encrypted
    changed = [c for c in (*ours.channels, *theirs.channels) if c not in before]
    assert {(c.kind, c.direction) for c in changed} == {(kind, Direction.SEND), (kind, Direction.RECEIVE)}
    assert all(c.crypto is not None and c.crypto.payload_type in (104, 105, 106, 107) for c in changed)


def test_only_the_slave_asks_and_only_the_master_gives() -> None:
    bench = bench_of(PREFERRED, PREFERRED)
    ours, theirs = established(bench)
    before = keys(ours), keys(theirs)
    master, slave = master_and_slave(bench)
    number = next(iter(master._media.sending))
    master._session.control._link.command("miscellaneousCommand", key_command(number, from_master=True))
    sync = {"synchFlag": 106, "h235Key": b"\0"}
    number = next(iter(slave._media.sending))
    slave._session.control.give_key(number, sync, 0.0, ours=True)
    master._session.control.give_key(next(iter(master._media.sending)), sync, 0.0, ours=True)  # makes no sense
    for leg in (master, slave):
        leg._transport.run()
    settle(bench)
    assert (keys(ours), keys(theirs)) == before


# Who is master


class Sure(H323Crypto):
    """Is sure of being the master, or the slave, whatever H.245 says."""

    believes = True

    @property
    def master(self) -> bool:  # type: ignore[override]
        return self.believes

    @master.setter
    def master(self, said: bool) -> None: ...


class Unsure(Sure):
    believes = False


@BOTH_CALL
@pytest.mark.parametrize("kind", [Sure, Unsure])
def test_ends_that_do_not_agree_who_is_master_agree_on_keys_all_the_same(
    kind: type[H323Crypto], by_far_end: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So it is for a moment when it is determined anew, after the empty capability set.
    monkeypatch.setattr(h323, "H323Crypto", kind)
    ours, theirs = established(bench_of(REQUIRED, REQUIRED), by_far_end=by_far_end)
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)


# Far ends that do it wrong


@pytest.fixture
def bench() -> H323Bench:
    return bench_of(PREFERRED, PREFERRED)


def nonsense(*_: object, **__: object) -> Value:
    return {"synchFlag": 104, "h235Key": b"\xff\xff"}


def test_a_master_without_a_key_gets_the_channel_in_the_clear(
    bench: H323Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its own channels are refused, ours are opened again in the clear: the call is up, and the padlock open.
    monkeypatch.setattr(h235_media, "write_sync", nonsense)
    bench.far.when_called = accept
    bench.unit.dial(bench.far)
    settle(bench, 5)
    ours = bench.unit.call
    assert ours.state is State.ACTIVE
    assert not ours.encrypted
    check_agreement(ours, bench.far.call)


def test_the_same_ends_the_call_where_encryption_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h235_media, "write_sync", nonsense)
    bench = bench_of(REQUIRED, REQUIRED)
    bench.far.when_called = accept
    bench.unit.dial(bench.far)
    settle(bench, 5)
    assert ended(bench.unit.call, EndReason.NOT_ENCRYPTED)
    assert ended(bench.far.call, EndReason.NOT_ENCRYPTED)


def test_ends_with_different_secrets_hear_noise_and_nothing_breaks(
    bench: H323Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(h235_dh.Secret, "key", lambda secret, size: bytes([id(secret) % 251]) * size)
    ours, theirs = established(bench)
    assert ours.encrypted, "nothing in H.235.6 tells"
    assert directions(theirs) == ALL


class Without:
    """A far end whose messages lose some of their tokens on the way."""

    def __init__(self, keep: Any) -> None:
        self.keep = keep

    def __call__(self, information: UserInformation) -> tuple[Value, ...]:
        return tuple(t for t in information.body.get("tokens", ()) if self.keep(t))


@pytest.mark.parametrize("policy", [PREFERRED, REQUIRED])
def test_tokens_that_a_gatekeeper_takes_away(policy: Encryption, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserInformation, "tokens", property(Without(lambda token: "dhkey" not in token)))
    bench = bench_of(policy, PREFERRED)
    bench.far.when_called = accept
    bench.unit.dial(bench.far)
    settle(bench, 5)
    if policy is REQUIRED:
        assert ended(bench.unit.call, EndReason.NOT_ENCRYPTED)
        assert ended(bench.far.call, EndReason.NOT_ENCRYPTED)
    else:
        assert bench.unit.call.state is State.ACTIVE
        assert not bench.unit.call.encrypted


def test_a_far_end_that_can_encrypt_nothing_we_send(bench: H323Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h235_media, "read_security", lambda value: ())
    ours, theirs = established(bench)
    assert directions(ours) == directions(theirs) == ALL
    assert not ours.encrypted


class Careless(H323Media):
    """Agrees on keys, and opens channels in the clear all the same."""

    def take_capabilities(self, capabilities: Value) -> None:
        super().take_capabilities(capabilities)
        self.selection._in_clear.update(Kind)


def test_where_it_is_required_what_comes_in_the_clear_is_refused() -> None:
    bench = bench_of(REQUIRED, PREFERRED)
    endpoint = bench.far_endpoint
    crypto = H323Crypto(PREFERRED, random.Random(1))
    endpoint._make_media = lambda flow: Careless(  # type: ignore[method-assign]
        endpoint._capabilities, endpoint._ports, flow.local[0], crypto
    )
    bench.far.when_called = accept
    bench.unit.dial(bench.far)
    settle(bench, 5)
    ours = bench.unit.call
    assert not any(c.direction is Direction.RECEIVE for c in ours.channels)
    assert all(c.crypto is not None for c in ours.channels)


def test_the_far_ends_limits_hold_for_encrypted_pictures_too(bench: H323Bench) -> None:
    bench.far_end_can(replace(Capabilities(), bitrate=512_000))
    ours, _ = established(bench)
    sent: Channel = next(c for c in ours.channels if (c.kind, c.direction) == (Kind.VIDEO, Direction.SEND))
    assert sent.bitrate == 448_000
    assert sent.crypto is not None


# Fast connect


def proposals(bench: H323Bench, name: str) -> list[Value]:
    """The items of fastStart in the messages of this name."""
    found: list[Value] = []
    for _, flow, data in bench.wire.sent:
        for payload in tpkt.PacketReader().receive(data) if flow.transport == "tcp" else ():
            if payload[0] == q931.PROTOCOL_DISCRIMINATOR:
                contents = user_information.decode(q931.decode(payload).user_information)
                found += contents.fast_start if contents.name == name else ()
    return found


def data_type(item: Value) -> str:
    parameters = item.get("reverseLogicalChannelParameters", item["forwardLogicalChannelParameters"])
    return str(parameters["dataType"][0])


def opened(bench: H323Bench) -> list[Value]:
    """The types of the channels that were opened by tunnelled H.245."""
    found: list[Value] = []
    for _, flow, data in bench.wire.sent:
        for payload in tpkt.PacketReader().receive(data) if flow.transport == "tcp" else ():
            contents = user_information.decode(q931.decode(payload).user_information)
            for name, message in [h245.MESSAGE.decode(octets)[1] for octets in contents.control]:
                if name == "openLogicalChannel":
                    inside, _ = h235_media.unwrap(message["forwardLogicalChannelParameters"]["dataType"])
                    found.append(inside[0])
    return found


@BOTH_CALL
@pytest.mark.parametrize("policy", [PREFERRED, REQUIRED])
def test_fast_connect_opens_encrypted_sound(policy: Encryption, by_far_end: bool) -> None:
    bench = bench_of(policy, policy, fast_connect=True)
    ours, theirs = established(bench, by_far_end=by_far_end)
    assert directions(ours) == directions(theirs) == ALL
    check_agreement(ours, theirs)
    assert ours.encrypted
    assert theirs.encrypted
    proposed, chosen = proposals(bench, "setup"), proposals(bench, "connect")
    assert {data_type(item) for item in proposed} == (
        {"h235Media"} if policy is REQUIRED else {"h235Media", "audioData"}
    )
    assert [data_type(item) for item in chosen] == ["h235Media"] * 2
    assert all("encryptionSync" in item for item in chosen)
    assert not any("encryptionSync" in item for item in proposed), "the called side makes the keys"
    assert opened(bench) == ["videoData"] * 2, "sound was open before"
    sound = [channel for channel in ours.channels if channel.kind is Kind.AUDIO]
    assert {channel.crypto.suite for channel in sound if channel.crypto} == {Suite.AES_256_CBC}


def test_fast_connect_with_who_can_t_encrypt_is_in_the_clear_only_where_that_may_be() -> None:
    bench = bench_of(PREFERRED, OFF, fast_connect=True)
    ours, _ = established(bench)
    assert [data_type(item) for item in proposals(bench, "connect")] == ["audioData"] * 2
    assert not ours.encrypted
    bench = bench_of(REQUIRED, OFF, fast_connect=True)
    bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    settle(bench, 5)
    assert ended(ours, EndReason.NOT_ENCRYPTED)


def test_proposals_in_the_clear_are_not_chosen_where_both_can_encrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    # As of a caller that encrypts what H.245 opens, and knows fast connect only as it was before.
    monkeypatch.setattr(H323Crypto, "proposed", ())
    bench = bench_of(PREFERRED, PREFERRED, fast_connect=True)
    ours, _ = established(bench)
    assert proposals(bench, "connect") == []
    assert ours.encrypted


def test_who_chooses_in_the_clear_what_must_be_encrypted_is_not_sent_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def choose(media: H323Media, items: Any) -> list[Value]:
        """Be a far end that strips what it does not understand."""
        chosen = real(media, items)
        for item in chosen:
            item.pop("encryptionSync")
            for name in ("forwardLogicalChannelParameters", "reverseLogicalChannelParameters"):
                if name in item:
                    item[name] = {**item[name], "dataType": h235_media.unwrap(item[name]["dataType"])[0]}
        return chosen

    real = h323_fast_connect.choose
    monkeypatch.setattr(h323_fast_connect, "choose", choose)
    bench = bench_of(REQUIRED, PREFERRED, fast_connect=True)
    bench.far.when_called = accept
    ours = bench.unit.dial(bench.far)
    settle(bench, 5)
    assert proposals(bench, "connect")
    assert all(channel.crypto is not None for channel in ours.channels)


@pytest.mark.parametrize(
    ("sync", "taken"),
    [
        ("right", True),
        (None, False),
        ({"synchFlag": 104, "h235Key": b""}, False),
        ({"synchFlag": 3, "h235Key": b"\1"}, False),
    ],
)
def test_a_choice_without_a_key_that_can_be_read_is_no_channel(sync: Value, taken: bool) -> None:
    bench = bench_of(PREFERRED, PREFERRED)
    media = bench.unit_endpoint._make_media(Flow("tcp", ("192.0.2.1", 1720), ("192.0.2.2", 1720)))
    theirs = H323Crypto(PREFERRED, random.Random(2))
    media.crypto.finish(theirs.answer(media.crypto.offer()))
    if sync == "right":
        sync = theirs.write(theirs.make_key(h235_media.AES_128, Kind.AUDIO))
    item = h323_fast_connect.FastChannel(
        1,
        True,
        h235_media.wrap(("audioData", ("g711Ulaw64k", 20)), h235_media.AES_128),
        {"sessionID": 1, "mediaChannel": address_value(("192.0.2.2", 4000))},
        sync,
    )
    h323_fast_connect.take(media, [item.value()])
    assert bool(media.channels) is taken
    media.close()
