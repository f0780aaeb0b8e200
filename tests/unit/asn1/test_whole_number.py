"""Whole numbers and lengths in their several forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.asn1.bits import Reader, Writer
from firmware.asn1.whole_number import (
    FRAGMENT,
    MAX_NUMBER_OCTETS,
    constrained_reader,
    constrained_writer,
    fragments,
    read_octets,
    read_semi_constrained,
    read_small,
    read_unconstrained,
    write_octets,
    write_semi_constrained,
    write_small,
    write_unconstrained,
)
from firmware.errors import DecodeError

EDGES = (1, 2, 3, 128, 254, 255, 256, 257, 65535, 65536, 65537, 1 << 24, (1 << 24) + 1, 1 << 32, (1 << 32) + 1, 1 << 64)


@given(st.sampled_from(EDGES), st.integers(-(1 << 40), 1 << 40), st.data(), st.integers(0, 7))
def test_constrained(size: int, lower: int, data: st.DataObject, before: int) -> None:
    upper = lower + size - 1
    number = data.draw(st.integers(lower, upper))
    writer = Writer()
    writer.bits(0, before)
    constrained_writer(lower, upper)(writer, number)
    writer.bits(1, 1)
    reader = Reader(writer.finish())
    reader.bits(before)
    assert constrained_reader(lower, upper)(reader) == number
    assert reader.bits(1) == 1


@pytest.mark.parametrize(
    ("lower", "upper", "number", "encoded"),
    [
        (5, 5, 5, "00"),  # 10.5.4
        (0, 7, 5, "a0"),  # 10.5.7.1
        (3, 257, 257, "fe"),
        (0, 255, 255, "ff"),  # 10.5.7.2
        (1, 65536, 1, "0000"),  # 10.5.7.3
        (0, 65535, 258, "0102"),
        (0, 65536, 65536, "80010000"),  # 10.5.7.4: the length 1..3 in two bits, then the octets
        (0, 4294967295, 5, "0005"),
        (1, 4294967295, 4294967295, "c0fffffffe"),
    ],
)
def test_constrained_forms(lower: int, upper: int, number: int, encoded: str) -> None:
    writer = Writer()
    constrained_writer(lower, upper)(writer, number)
    assert writer.finish().hex() == encoded
    assert constrained_reader(lower, upper)(Reader(bytes.fromhex(encoded))) == number


@pytest.mark.parametrize(
    ("lower", "upper", "encoded"),
    [(0, 5, "e0"), (1, 300, "ffff"), (0, 70000, "80ffffff"), (0, 4294967294, "c0ffffffff")],
)
def test_constrained_number_outside(lower: int, upper: int, encoded: str) -> None:
    with pytest.raises(DecodeError, match="is not in"):
        constrained_reader(lower, upper)(Reader(bytes.fromhex(encoded)))
    for number in (lower - 1, upper + 1):
        with pytest.raises(ValueError, match="is not in"):
            constrained_writer(lower, upper)(Writer(), number)


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, "0100"), (127, "017f"), (128, "020080"), (-1, "01ff"), (-128, "0180"), (-129, "02ff7f"), (65536, "03010000")],
)
def test_unconstrained_forms(number: int, encoded: str) -> None:
    writer = Writer()
    write_unconstrained(writer, number)
    assert writer.finish().hex() == encoded
    assert read_unconstrained(Reader(bytes.fromhex(encoded))) == number


@given(st.integers())
def test_unconstrained(number: int) -> None:
    writer = Writer()
    write_unconstrained(writer, number)
    assert read_unconstrained(Reader(writer.finish())) == number


@given(st.integers(-300, 300), st.integers(0))
def test_semi_constrained(lower: int, above: int) -> None:
    writer = Writer()
    write_semi_constrained(writer, lower + above, lower)
    assert read_semi_constrained(Reader(writer.finish()), lower) == lower + above
    with pytest.raises(ValueError, match="less than"):
        write_semi_constrained(Writer(), lower - 1, lower)


@pytest.mark.parametrize("encoded", ["00", "8101" + "00" * (MAX_NUMBER_OCTETS + 1)])
def test_number_of_too_few_or_too_many_octets(encoded: str) -> None:
    for read in (read_unconstrained, lambda reader: read_semi_constrained(reader, 0)):
        with pytest.raises(DecodeError, match="a number of"):
            read(Reader(bytes.fromhex(encoded)))


@pytest.mark.parametrize(("number", "encoded"), [(0, "00"), (63, "7e"), (64, "800140"), (300, "8002012c")])
def test_small(number: int, encoded: str) -> None:
    writer = Writer()
    write_small(writer, number)
    assert writer.finish().hex() == encoded
    assert read_small(Reader(bytes.fromhex(encoded))) == number


@pytest.mark.parametrize(
    ("length", "lengths"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8080"),
        (16383, "bfff"),
        (FRAGMENT, "c100"),
        (FRAGMENT + 5, "c105"),
        (4 * FRAGMENT, "c400"),
        (4 * FRAGMENT + 2 * FRAGMENT + 130, "c4c28082"),
    ],
)
def test_fragments(length: int, lengths: str) -> None:
    assert b"".join(encoded for _, _, encoded in fragments(length)).hex() == lengths
    data = bytes(index % 251 for index in range(length))
    writer = Writer()
    writer.bits(1, 1)
    write_octets(writer, data)
    reader = Reader(writer.finish())
    reader.bits(1)
    assert read_octets(reader) == data
    assert reader.position == reader.end


@pytest.mark.parametrize("encoded", ["c0", "c5", "ff"])
def test_fragment_of_no_known_size(encoded: str) -> None:
    with pytest.raises(DecodeError, match="a fragment of"):
        read_octets(Reader(bytes.fromhex(encoded) + bytes(100)))


def test_fragments_without_end() -> None:
    with pytest.raises(DecodeError, match="octets are wanted"):
        read_octets(Reader((b"\xc1" + bytes(FRAGMENT)) * 3 + b"\xc1"))
