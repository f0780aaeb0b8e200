"""The choice of what is sent, by what the far end says; test_h323_channels goes on from it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from wire_transport import MemoryPorts

from firmware.call.call import EndReason
from firmware.call.media import G722, H263, H264_BASELINE, PCMA, PCMU, Capabilities, Encryption, Format, Kind
from firmware.h323 import h245
from firmware.signaling.h323_channel import Sending
from firmware.signaling.h323_crypto import H323Crypto
from firmware.signaling.h323_media import H323Media
from firmware.signaling.h323_selection import H323Selection


def capabilities(*codecs: Any) -> Any:
    said = H323Media(Capabilities(codecs), MemoryPorts(), "192.0.2.2").capability_set()
    message = ("request", ("terminalCapabilitySet", {"sequenceNumber": 1, **said}))
    return h245.MESSAGE.decode(h245.MESSAGE.encode(message))[1][1]


def selection(*theirs: Any, policy: Encryption = Encryption.OFF) -> H323Selection:
    made = H323Selection(Capabilities(), H323Crypto(policy, random.Random(1)))
    made.take(capabilities(*theirs))
    return made


def sending(codec: Any) -> Sending:
    return Sending(codec.kind, Format(96, codec), 0, 0.02)


def chosen(made: H323Selection, kind: Kind) -> str:
    choice = made.choose(kind)
    return choice.codec.name if choice is not None else ""


def test_the_first_of_ours_that_they_receive() -> None:
    made = selection(PCMA, PCMU, H263)
    assert (chosen(made, Kind.AUDIO), chosen(made, Kind.VIDEO)) == ("PCMU", "H263")
    assert made.has_common
    assert not selection().has_common
    assert selection().lack is EndReason.NO_COMMON_MEDIA


def test_a_mode_counts_until_the_next_set() -> None:
    made = selection(G722, PCMU, H264_BASELINE)
    made.take_mode([{"type": ("audioMode", ("g711Ulaw64k", None))}])
    assert chosen(made, Kind.AUDIO) == "PCMU"
    assert made.refuses == {Kind.VIDEO}
    assert not made.allows(sending(G722))
    made.take(capabilities(G722, PCMU))
    assert chosen(made, Kind.AUDIO) == "G722"
    assert made.refuses == set()


@pytest.mark.parametrize("name", ["g711Ulaw64k", "g728"])
def test_a_mode_that_their_own_set_has_not_changes_nothing(name: str) -> None:
    made = selection(G722)
    made.take_mode([{"type": ("audioMode", (name, None))}])
    assert chosen(made, Kind.AUDIO) == "G722"
    assert made.allows(sending(G722))
    assert made.refuses == {Kind.VIDEO}


@pytest.mark.parametrize(
    ("cause", "received", "expected"),
    [
        ("masterSlaveConflict", PCMA, "PCMA"),
        ("masterSlaveConflict", G722, ""),
        ("masterSlaveConflict", None, ""),
        ("dataTypeNotSupported", PCMA, ""),
    ],
)
def test_refused(cause: str, received: Any, expected: str) -> None:
    made = selection(G722, PCMU, PCMA)
    made.refused(sending(G722), cause, received)
    assert (chosen(made, Kind.AUDIO) if Kind.AUDIO not in made.refuses else "") == expected


def test_a_conflict_is_believed_once() -> None:
    made = selection(G722, PCMU, PCMA)
    made.refused(sending(G722), "masterSlaveConflict", PCMA)
    assert made.refuses == set()
    made.refused(sending(PCMA), "masterSlaveConflict", PCMU)
    assert made.refuses == {Kind.AUDIO}


def test_who_wants_it_encrypted_lacks_that() -> None:
    made = selection(G722)
    made.refused(sending(G722), "securityDenied", None)
    assert made.lack is EndReason.NOT_ENCRYPTED
    assert selection(G722, policy=Encryption.REQUIRED).lack is EndReason.NOT_ENCRYPTED
