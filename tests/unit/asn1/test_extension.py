"""Values inside open types, whole and damaged."""

import pytest

from firmware.asn1.bits import Reader, Writer
from firmware.asn1.extension import read_inside, write_inside
from firmware.asn1.scalar import Boolean, Null
from firmware.asn1.string import OctetString
from firmware.errors import DecodeError


@pytest.mark.parametrize("length", [0, 5, 200, 20_000, 70_000])
def test_value_comes_back(length: int) -> None:
    writer = Writer()
    writer.bits(1, 1)
    write_inside(writer, OctetString().writer(), bytes(length))
    writer.bits(1, 1)
    reader = Reader(writer.finish())
    reader.bits(1)
    assert read_inside(reader, OctetString().reader()) == bytes(length)
    assert reader.bits(1) == 1


def test_what_a_newer_version_put_behind_is_skipped() -> None:
    reader = Reader(bytes.fromhex("0480ffffff7f"))
    assert read_inside(reader, Boolean().reader()) is True
    assert reader.octets(1) == b"\x7f"


def test_null_that_was_sent_as_nothing_is_taken() -> None:
    reader = Reader(bytes.fromhex("007f"))
    assert read_inside(reader, Null().reader()) is None
    assert reader.octets(1) == b"\x7f"


@pytest.mark.parametrize("encoded", ["0205616263646566", "05", "00"])
def test_value_does_not_fit(encoded: str) -> None:
    with pytest.raises((DecodeError, IndexError)):
        read_inside(Reader(bytes.fromhex(encoded)), OctetString().reader())


def test_value_in_fragments_does_not_fit() -> None:
    encoded = b"\xc1" + b"\xbf\xff" + bytes(16382) + b"\x00"
    with pytest.raises(DecodeError, match="wanted"):
        read_inside(Reader(encoded), OctetString().reader())
