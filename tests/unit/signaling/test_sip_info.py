"""What INFO bodies say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.signaling.sip_info import (
    DTMF,
    DTMF_RELAY,
    PICTURE_FAST_UPDATE,
    digit_body,
    read_digit,
    wants_key_frame,
)


@pytest.mark.parametrize("digit", "0123456789*#ABCD")
def test_a_digit_comes_back(digit: str) -> None:
    for content_type in (DTMF_RELAY, DTMF):
        assert read_digit(content_type, digit_body(content_type, digit)) == digit
    assert read_digit(DTMF, digit.encode()) == digit


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        (DTMF_RELAY, b"Signal=5\r\nDuration=160\r\n", "5"),
        (DTMF_RELAY, b"Signal= 5\r\nDuration= 160\r\n", "5"),
        (DTMF_RELAY, b"Duration=160\nsignal=b", "B"),
        (DTMF_RELAY, b"Signal=10\r\n", "*"),
        (DTMF_RELAY, b"Signal=11\r\n", "#"),
        (DTMF_RELAY, b"Signal=15\r\n", "D"),
        (DTMF_RELAY, b"Signal=16\r\n", None),
        (DTMF_RELAY, b"Signal=99\r\n", None),
        (DTMF_RELAY, b"5", None),
        (DTMF_RELAY, b"", None),
        (DTMF_RELAY, b"Signal=hook\r\n", None),
        (DTMF, b"5\r\n", "5"),
        (DTMF, b"Signal=5\r\nDuration=100", "5"),
        (DTMF, b"12", "A"),
        (DTMF, b"hello", None),
    ],
)
def test_digits_as_peers_write_them(content_type: str, body: bytes, expected: str | None) -> None:
    assert read_digit(content_type, body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (PICTURE_FAST_UPDATE, True),
        (b"<media_control><vc_primitive><to_encoder><picture_fast_update></picture_fast_update>", True),
        (b"<picture_fast_update />", True),
        (b"<picture_fast_updates/>", False),
        (b"<media_control><general_error>picture_fast_update</general_error></media_control>", False),
        (b"", False),
    ],
)
def test_key_frames(body: bytes, expected: bool) -> None:
    assert wants_key_frame(body) is expected


@given(st.binary(max_size=200))
def test_nothing_raises(body: bytes) -> None:
    wants_key_frame(body)
    assert read_digit(DTMF, body) in (None, *"0123456789*#ABCD")
