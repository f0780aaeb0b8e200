"""The call's state table, every cell of it, and what goes with a change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from firmware.call import call as call_module
from firmware.call.call import Call, EndReason, State
from firmware.call.ice import Selected
from firmware.call.media import PCMU, Channel, Crypto, Direction, Format, Handshake, Kind, Suite
from firmware.errors import CallError
from firmware.sansio import Address

CHANNEL = Channel(Kind.AUDIO, Direction.SEND, (Format(0, PCMU),), ("192.0.2.1", 4000))


class Leg:
    """Writes down the commands of a call."""

    def __init__(self) -> None:
        self.commands: list[object] = []

    def alert(self, *, waiting: bool = False) -> None:
        self.commands.append("waiting" if waiting else "alert")

    def accept(self) -> None:
        self.commands.append("accept")

    def release(self, reason: EndReason) -> None:
        self.commands.append(("release", reason))

    def hold(self, on: bool) -> None:
        self.commands.append(("hold", on))

    def send_digit(self, digit: str) -> None:
        self.commands.append(("digit", digit))

    def way_found(self, local: Address, selected: tuple[Selected, ...]) -> None:
        self.commands.append(("way", local, selected))

    def find_way_again(self) -> None:
        self.commands.append("another way")

    def go_on_without(self, kind: Kind) -> None:
        self.commands.append(("without", kind))

    def request_key_frame(self) -> None:
        self.commands.append("key frame")

    def mute(self, on: bool) -> None:
        self.commands.append(("mute", on))

    def transfer(self, address: str) -> None:
        self.commands.append(("transfer", address))

    def transfer_to(self, other: Call) -> None:
        self.commands.append(("transfer", other))

    def follow(self) -> Call:
        return Call(self, State.DIALING, "sip:elsewhere@192.0.2.3")

    def refuse_transfer(self, reason: EndReason) -> None:
        self.commands.append(("refuse transfer", reason))


STEPS: dict[str, Callable[[Call], None]] = {
    "accept": Call.accept,
    "hang up": Call.hang_up,
    "alerting": Call.alerting,
    "connected": Call.connected,
    "established": lambda call: call.established([CHANNEL]),
    "released": lambda call: call.released(EndReason.LOST),
}
S = State
TABLE: dict[State, dict[str, State]] = {
    S.DIALING: {"alerting": S.ALERTING, "connected": S.CONNECTING, "established": S.ACTIVE},
    S.ALERTING: {"alerting": S.ALERTING, "connected": S.CONNECTING, "established": S.ACTIVE},
    S.INCOMING: {"accept": S.CONNECTING},
    S.CONNECTING: {"connected": S.CONNECTING, "established": S.ACTIVE},
    S.ACTIVE: {"established": S.ACTIVE},
    S.ENDING: {"alerting": S.ENDING, "connected": S.ENDING, "established": S.ENDING},
    S.ENDED: {"hang up": S.ENDED, "released": S.ENDED},
}
for state in (S.DIALING, S.ALERTING, S.INCOMING, S.CONNECTING, S.ACTIVE, S.ENDING):
    TABLE[state] |= {"hang up": S.ENDING, "released": S.ENDED}

PATHS: dict[State, tuple[str, ...]] = {
    S.DIALING: (),
    S.ALERTING: ("alerting",),
    S.CONNECTING: ("connected",),
    S.ACTIVE: ("established",),
    S.ENDING: ("hang up",),
    S.ENDED: ("released",),
}


def make(state: State = S.DIALING) -> tuple[Call, Leg]:
    leg = Leg()
    call = Call(leg, S.INCOMING if state is S.INCOMING else S.DIALING, "sip:far@192.0.2.2", "Far")
    for step in PATHS.get(state, ()):
        STEPS[step](call)
    assert call.state is state
    leg.commands.clear()
    return call, leg


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", State)
def test_every_cell_of_the_table(state: State, step: str) -> None:
    call, leg = make(state)
    expected = TABLE[state].get(step)
    if expected is None:
        with pytest.raises(CallError, match=f"is {state.value}: {step} makes no sense now"):
            STEPS[step](call)
        assert call.state is state
        assert leg.commands == []
    else:
        STEPS[step](call)
        assert call.state is expected


def test_the_table_here_is_that_of_the_code() -> None:
    theirs = {state: {step.value: to for step, to in row.items()} for state, row in call_module._TABLE.items()}
    assert theirs == TABLE


@pytest.mark.parametrize("state", State)
def test_each_command_in_each_state(state: State) -> None:
    commands: dict[str, tuple[Callable[[Call], None], object, set[State]]] = {
        "alert": (Call.alert, "alert", {S.INCOMING}),
        "hold": (lambda call: call.hold(True), ("hold", True), {S.ACTIVE}),
        "digit": (lambda call: call.send_digit("5"), ("digit", "5"), {S.ACTIVE}),
        "transfer": (lambda call: call.transfer("sip:c@192.0.2.3"), ("transfer", "sip:c@192.0.2.3"), {S.ACTIVE}),
        "waiting": (lambda call: call.alert(waiting=True), "waiting", {S.INCOMING}),
    }
    for command, written, allowed in commands.values():
        call, leg = make(state)
        if state in allowed:
            command(call)
            assert leg.commands == [written]
        else:
            with pytest.raises(CallError):
                command(call)
            assert leg.commands == []
    call, leg = make(state)
    call.request_key_frame()
    assert leg.commands == (["key frame"] if state is S.ACTIVE else [])


def test_who_called_is_known() -> None:
    assert make(S.INCOMING)[0].incoming
    assert not make(S.DIALING)[0].incoming
    assert make()[0].remote == "sip:far@192.0.2.2"
    assert make()[0].id != make()[0].id


def test_hanging_up_twice_releases_once_and_keeps_the_first_reason() -> None:
    call, leg = make(S.ACTIVE)
    call.hang_up(EndReason.LOST)
    call.hang_up(EndReason.BUSY)
    call.released(EndReason.HUNG_UP, "the wire's words")
    call.released(EndReason.REFUSED, "others")
    assert leg.commands == [("release", EndReason.LOST)]
    assert (call.end_reason, call.end_detail) == (EndReason.LOST, "the wire's words")


def test_every_step_is_told_after_the_fact_and_the_end_once() -> None:
    call, _ = make(S.INCOMING)
    seen: list[tuple[State, int]] = []
    call.on_change = lambda changed: seen.append((changed.state, len(changed.channels)))
    call.accept()
    call.established([CHANNEL])
    call.media_changed([CHANNEL, CHANNEL], held_by_far_end=True)
    assert call.held_by_far_end
    call.released(EndReason.HUNG_UP)
    call.released(EndReason.HUNG_UP)
    assert seen == [(S.CONNECTING, 0), (S.ACTIVE, 1), (S.ACTIVE, 2), (S.ENDED, 0)]


def test_a_listener_may_give_the_next_command() -> None:
    call, leg = make(S.ALERTING)
    call.on_change = lambda changed: changed.hang_up() if changed.state is S.ACTIVE else None
    call.established([CHANNEL])
    assert call.state is S.ENDING
    assert leg.commands == [("release", EndReason.HUNG_UP)]


def test_hold_is_asked_for_once_and_may_be_refused() -> None:
    call, leg = make(S.ACTIVE)
    changes: list[bool] = []
    call.on_change = lambda changed: changes.append(changed.held)
    call.hold(True)
    call.hold(True)
    call.hold_refused(True)
    call.hold(False)
    assert leg.commands == [("hold", True)]
    assert changes == [True, False]


def test_digits_and_key_frames_are_passed_on() -> None:
    call, _ = make(S.ACTIVE)
    call.digit_received("1")  # nobody listens: no error
    call.key_frame_requested()
    heard: list[object] = []
    call.on_digit = lambda _, digit: heard.append(digit)
    call.on_key_frame_request = heard.append
    call.digit_received("#")
    call.key_frame_requested()
    assert heard == ["#", call]


def test_one_line_of_log_per_change_of_state(caplog: pytest.LogCaptureFixture) -> None:
    call, _ = make(S.DIALING)
    with caplog.at_level(logging.INFO):
        call.alerting()
        call.alerting()
        call.established([CHANNEL])
        call.released(EndReason.BUSY, "486 Busy Here")
    assert [record.getMessage() for record in caplog.records] == [
        f"= call {call.id} sip:far@192.0.2.2 alerting",
        f"= call {call.id} sip:far@192.0.2.2 active",
        f"= call {call.id} sip:far@192.0.2.2 ended: {EndReason.BUSY.value} 486 Busy Here",
    ]


def test_reasons_are_sentences() -> None:
    assert all(reason.value[0].isupper() and reason.value.endswith(".") for reason in EndReason)


def test_a_call_is_encrypted_when_all_of_it_is() -> None:
    call = Call(Leg(), State.CONNECTING, "sip:far@example.com")
    secret = replace(CHANNEL, crypto=Crypto(Suite.AES_128_CBC, bytes(16), 104))
    assert not call.encrypted, "where nothing flows nothing is encrypted"
    call.established([secret, replace(secret, direction=Direction.RECEIVE)])
    assert call.encrypted
    call.media_changed([secret, replace(CHANNEL, direction=Direction.RECEIVE)])
    assert not call.encrypted
    call.released(EndReason.LOST)
    assert not call.encrypted


def test_a_call_whose_key_others_may_have_is_not_called_encrypted() -> None:
    call = Call(Leg(), State.CONNECTING, "sip:far@example.com")
    secret = replace(CHANNEL, crypto=Crypto(Suite.AEAD_AES_256_GCM, bytes(32)))
    told = replace(CHANNEL, direction=Direction.RECEIVE, crypto=Crypto(Suite.AEAD_AES_256_GCM, bytes(32), exposed=True))
    assert not call.exposed
    call.established([secret, told])
    assert (call.encrypted, call.exposed) == (False, True)
    call.media_changed([CHANNEL, told])
    assert (call.encrypted, call.exposed) == (False, False), "there is no key at all to some of it"
    call.media_changed([secret])
    assert (call.encrypted, call.exposed) == (True, False)


def test_that_a_key_was_told_makes_it_no_other_key() -> None:
    assert Crypto(Suite.AEAD_AES_256_GCM, bytes(32), exposed=True) == Crypto(Suite.AEAD_AES_256_GCM, bytes(32))


# Transfer


def test_transfer_is_asked_for_once_at_a_time() -> None:
    call, leg = make(S.ACTIVE)
    changes: list[bool] = []
    refusals: list[str] = []
    call.on_change = lambda call: changes.append(call.transferring)
    call.on_transfer_refused = lambda _, detail: refusals.append(detail)
    call.transfer("sip:c@192.0.2.3")
    with pytest.raises(CallError, match="already"):
        call.transfer("sip:d@192.0.2.4")
    call.transfer_refused("no answer")
    assert changes == [True, False]
    assert refusals == ["no answer"]
    other, _ = make(S.ACTIVE)
    call.transfer(other)
    assert leg.commands == [("transfer", "sip:c@192.0.2.3"), ("transfer", other)]


def test_transfer_to_a_call_that_is_not_up() -> None:
    call, leg = make(S.ACTIVE)
    other, _ = make(S.ALERTING)
    with pytest.raises(CallError, match="alerting"):
        call.transfer(other)
    assert leg.commands == []
    assert not call.transferring


def test_a_transfer_that_cannot_be_asked_for_is_not_under_way() -> None:
    call, leg = make(S.ACTIVE)

    def refuse(address: str) -> None:
        raise CallError(f"{address} is no address")

    leg.transfer = refuse  # type: ignore[method-assign]
    with pytest.raises(CallError, match="no address"):
        call.transfer("sip:")
    assert not call.transferring


@pytest.mark.parametrize("state", State)
def test_the_far_end_wants_us_elsewhere(state: State) -> None:
    call, leg = make(state)
    requests: list[str] = []
    call.on_transfer_request = lambda call: requests.append(call.transfer_target)
    call.transfer_requested("sip:c@192.0.2.3")
    if state in (S.ENDING, S.ENDED):
        assert requests == []
        with pytest.raises(CallError, match="not to be passed on"):
            call.follow()
        call.refuse_transfer(EndReason.BUSY)
        assert leg.commands == []
        return
    assert requests == ["sip:c@192.0.2.3"]
    assert call.follow().state is S.DIALING
    call.refuse_transfer(EndReason.BUSY)
    call.refuse_transfer(EndReason.BUSY)
    assert leg.commands == [("refuse transfer", EndReason.BUSY)]
    with pytest.raises(CallError, match="not to be passed on"):
        call.follow()


def test_a_call_that_ended_meanwhile_has_nobody_to_refuse() -> None:
    call, leg = make(S.ACTIVE)
    call.transfer_requested("sip:c@192.0.2.3")
    call.released(EndReason.HUNG_UP)
    call.refuse_transfer(EndReason.BUSY)
    assert leg.commands == []


@pytest.mark.parametrize(
    ("reason", "state", "transferring"),
    [(EndReason.TRANSFERRED, S.ENDING, True), (EndReason.HUNG_UP, S.ENDING, True), (EndReason.LOST, S.ACTIVE, False)],
)
def test_what_becomes_of_the_call_that_was_consulted(reason: EndReason, state: State, transferring: bool) -> None:
    call, _ = make(S.ACTIVE)
    other, _ = make(S.ACTIVE)
    call.transfer(other)
    assert other.transferring
    call.released(reason)
    assert (other.state, other.transferring) == (state, transferring)


def test_a_way_is_told_to_the_leg_as_long_as_there_is_a_call() -> None:
    call, leg = make(State.ACTIVE)
    call.way_found(("192.0.2.1", 4000), ())
    call.released(EndReason.LOST)
    call.way_found(("192.0.2.1", 4000), ())
    assert leg.commands == [("way", ("192.0.2.1", 4000), ())]


def test_a_medium_is_left_out_of_a_call_that_is_up() -> None:
    call, leg = make()
    call.go_on_without(Kind.VIDEO)
    assert leg.commands == []
    call.established([CHANNEL])
    call.go_on_without(Kind.VIDEO)
    assert leg.commands == [("without", Kind.VIDEO)]


def test_what_is_kept_open_only_is_not_encrypted() -> None:
    call, _ = make()
    call.established(
        [replace(CHANNEL, direction=Direction.NEITHER, crypto=Crypto(Suite.AES_CM_128_HMAC_SHA1_80, bytes(16)))]
    )
    assert not call.encrypted


def test_waiting_is_remembered() -> None:
    call, _ = make()
    call.alerting(waiting=True)
    call.alerting()
    assert call.waiting


def test_a_call_whose_keys_are_agreed_on_the_way_is_encrypted_when_they_are() -> None:
    call = Call(Leg(), State.CONNECTING, "sip:far@example.com")
    handshake = Handshake(True, b"certificate", b"secret", (("sha-256", bytes(32)),))
    waits = replace(CHANNEL, handshake=handshake)
    other = replace(waits, local=("192.0.2.1", 4002))
    call.established([waits, other])
    changes: list[bool] = []
    call.on_change = lambda call: changes.append(call.encrypted)
    call.secured(waits.local, handshake)
    assert not call.encrypted
    call.secured(other.local, handshake)
    assert changes == [False, True]
    call.media_changed([])
    call.media_changed([waits, other])
    assert call.encrypted, "hold changes no keys"
    call.media_changed([waits, replace(other, handshake=replace(handshake, begins=False))])
    assert not call.encrypted, "that is another handshake"
    assert len(call._secured) == 1, "what is over is forgotten"
    assert "secret" not in repr(handshake)


def test_what_went_wrong_is_kept_for_the_log() -> None:
    call, _ = make(S.ACTIVE)
    call.hang_up(EndReason.NOT_TRUSTED, "another certificate")
    call.released(EndReason.HUNG_UP, "BYE")
    assert (call.end_reason, call.end_detail) == (EndReason.NOT_TRUSTED, "another certificate")


def test_muting_is_told_until_the_call_is_over() -> None:
    leg = Leg()
    call = Call(leg, State.DIALING, "sip:far@192.0.2.1")
    call.mute(True)
    call.released(EndReason.LOST)
    call.mute(False)
    assert leg.commands == [("mute", True)]


@pytest.mark.parametrize("state", list(State))
def test_another_way_is_looked_for_in_a_call_that_is_up(state: State) -> None:
    call, leg = make(state)
    call.find_way_again()
    assert leg.commands == ["another way"] * (state is State.ACTIVE)
