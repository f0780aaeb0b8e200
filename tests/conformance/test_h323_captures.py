"""Every message of real calls: it decodes completely, and we write it as its sender did."""

from __future__ import annotations

from collections import Counter

import pytest
from conformance.h323_capture import Captured, everything

from firmware.asn1 import sequence
from firmware.asn1.bits import Reader, Writer

ALL = everything()


def test_what_was_captured() -> None:
    assert Counter(captured.type.name for captured in ALL) == {
        "RasMessage": 30,
        "H323-UserInformation": 140,
        "MultimediaSystemControlMessage": 185,
        "OpenLogicalChannel": 57,
    }


@pytest.mark.parametrize("captured", ALL, ids=lambda captured: captured.where)
def test_message(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender says how many extension additions it knows; told that number, we write the same octets."""
    counts: list[int] = []
    read_count, write_presence = sequence._additions_count, sequence._write_presence

    def note_count(reader: Reader) -> int:
        counts.append(read_count(reader))
        return counts[-1]

    def write_as_many(writer: Writer, count: int, presence: int) -> None:
        known = counts.pop(0)
        strange = max(count - known, 0)
        assert not presence & (1 << strange) - 1, "an addition that the sender said it does not know"
        write_presence(writer, known, presence >> strange << max(known - count, 0))

    with monkeypatch.context() as patch:
        patch.setattr(sequence, "_additions_count", note_count)
        values = captured.type.decode_all(captured.data)
    assert len(values) == 1
    encoded = captured.type.encode(values[0])
    assert captured.type.decode(encoded) == values[0]
    monkeypatch.setattr(sequence, "_write_presence", write_as_many)
    assert captured.type.encode(values[0]) == captured.data
    assert not counts
