"""Fields of bits, boundaries of octets, and the limits of a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.asn1.bits import MAX_ELEMENTS, MAX_OCTETS, Reader, Writer, bit_field
from firmware.errors import DecodeError

fields = st.lists(
    st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, (1 << n) - 1), st.just(n))), max_size=60
)


@given(fields)
def test_fields_come_back(written: list[tuple[int, int]]) -> None:
    writer = Writer()
    for value, count in written:
        writer.bits(value, count)
    reader = Reader(writer.finish())
    assert [(reader.bits(count), count) for _, count in written] == written
    assert reader.end - reader.position < 8 or not written or reader.end == 8


@given(st.integers(0, 17), st.integers(0, 23), st.binary(min_size=6, max_size=6))
def test_field_of_fixed_width_is_read_like_any(count: int, position: int, data: bytes) -> None:
    one, other = Reader(data), Reader(data)
    one.position = other.position = position
    assert bit_field(count)(one) == other.bits(count)
    assert one.position == other.position


def test_octets_are_aligned() -> None:
    writer = Writer()
    writer.bits(0b101, 3)
    writer.octets(b"ab")
    writer.bits(1, 1)
    assert writer.finish() == b"\xa0ab\x80"
    reader = Reader(b"\xa0ab\x80")
    assert (reader.bits(3), reader.octets(2), reader.bits(1)) == (5, b"ab", 1)


def test_no_octets_are_not_aligned() -> None:
    writer = Writer()
    writer.bits(1, 1)
    writer.octets(b"")
    writer.bits(1, 1)
    assert writer.finish() == b"\xc0"
    reader = Reader(b"\xc0")
    assert (reader.bits(1), reader.octets(0), reader.bits(1)) == (1, b"", 1)


def test_nothing_is_one_octet() -> None:
    assert Writer().finish() == b"\0"


def test_an_encoding_inside_of_another_begins_and_ends_with_whole_octets() -> None:
    writer = Writer()
    writer.bits(1, 1)
    start = writer.begin()
    writer.bits(0b11, 2)
    writer.octets(b"a")
    inside = writer.begin()
    assert writer.finish(inside) == b"\0"
    writer.bits(1, 1)
    assert writer.finish(start) == b"\xc0a\x80"
    writer.bits(1, 1)
    assert writer.finish() == b"\x80\x80"


def test_long_runs_of_bits_stay_whole() -> None:
    writer = Writer()
    for index in range(5000):
        writer.bits(index & 1, 1)
    assert writer.finish() == b"\x55" * 625


@pytest.mark.parametrize("read", [lambda reader: reader.bits(17), lambda reader: reader.octets(3)])
def test_message_that_ends_early(read: object) -> None:
    assert callable(read)
    with pytest.raises(DecodeError, match="3 octets are wanted, 2 are there"):
        read(Reader(b"ab"))


def test_small_field_behind_the_end_is_zeros_then_an_error() -> None:
    reader = Reader(b"\xff")
    read = bit_field(8)
    assert [read(reader) for _ in range(2)] == [255, 0]
    assert reader.position > reader.end
    with pytest.raises(IndexError):
        read(reader)


def test_limits() -> None:
    reader = Reader(bytes(MAX_OCTETS))
    with pytest.raises(DecodeError, match="octets are more than"):
        Reader(bytes(MAX_OCTETS + 1))
    reader.count_elements(MAX_ELEMENTS)
    with pytest.raises(DecodeError, match="elements"):
        reader.count_elements(1)
