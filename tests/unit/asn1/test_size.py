"""SIZE constraints and the lengths that they make."""

import pytest

from firmware.asn1.bits import Reader, Writer
from firmware.asn1.size import Size, check_read, part_reader, parts_writer
from firmware.asn1.whole_number import FRAGMENT
from firmware.errors import DecodeError


@pytest.mark.parametrize(
    ("size", "length", "encoded"),
    [
        (Size(3, 3), 3, "00"),  # 10.9.4.1 with 10.5.4: nothing
        (Size(0, 7), 5, "a0"),
        (Size(1, 256), 256, "ff"),
        (Size(1, 65535), 2, "0001"),
        (Size(1, 65536), 2, "02"),  # not less than 64K: as if there were no upper bound
        (Size(), 200, "80c8"),
        (Size(2, 2, extensible=True), 2, "00"),
        (Size(2, 2, extensible=True), 3, "8003"),
        (Size(1, 4, extensible=True), 4, "60"),
    ],
)
def test_length(size: Size, length: int, encoded: str) -> None:
    writer = Writer()
    for _, _, before in parts_writer(size)(writer, length):
        writer.octets(before)
    assert writer.finish().hex() == encoded
    assert part_reader(size)(Reader(bytes.fromhex(encoded))) == (length, False)


def test_long_contents_go_in_parts() -> None:
    parts = parts_writer(Size())(Writer(), FRAGMENT + 1)
    assert parts == [(0, FRAGMENT, b"\xc1"), (FRAGMENT, FRAGMENT + 1, b"\x01")]
    assert part_reader(Size())(Reader(b"\xc1")) == (FRAGMENT, True)


@pytest.mark.parametrize(("size", "length"), [(Size(2, 4), 1), (Size(2, 4), 5), (Size(2), 1), (Size(2, 4, True), 1)])
def test_size_that_is_not_allowed(size: Size, length: int) -> None:
    with pytest.raises(ValueError, match=f"a size of {length}, not 2.."):
        parts_writer(size)(Writer(), length)
    with pytest.raises(DecodeError, match=f"a size of {length}, not 2.."):
        check_read(size, length)


@pytest.mark.parametrize(
    ("size", "fixed"), [(Size(3, 3), 3), (Size(3, 4), None), (Size(3, 3, True), None), (Size(3), None)]
)
def test_fixed(size: Size, fixed: int | None) -> None:
    assert size.fixed == fixed
