"""The Reason header field (RFC 3326 2)."""

from __future__ import annotations

import pytest

from firmware.sip.reason import read_reason, write_reason


def test_writing() -> None:
    assert write_reason(None, "x") == ""
    assert write_reason(488) == "SIP;cause=488"
    assert write_reason(408, 'Not "here"') == 'SIP;cause=408;text="Not \\"here\\""'


@pytest.mark.parametrize(
    ("value", "protocol", "said"),
    [
        ('SIP ;cause=200 ;text="Call completed elsewhere"', "SIP", (200, "Call completed elsewhere")),
        ('Q.850 ;cause=16 ;text="Terminated"', "Q.850", (16, "Terminated")),
        ('Q.850 ;cause=16 ;text="Terminated"', "SIP", None),
        ("Q.850;cause=17, SIP;cause=486", "SIP", (486, "")),
        ("q.850;Cause=34", "Q.850", (34, "")),
        ("SIP", "SIP", None),
        ("SIP;cause=", "SIP", None),
        ("SIP;cause=x", "SIP", None),
        ("SIP;cause=99999", "SIP", None),
        ("SIP;cause=\N{ARABIC-INDIC DIGIT ONE}", "SIP", None),
        (";", "SIP", None),
        ("", "SIP", None),
        ("\x00;;, SIP;cause=480", "SIP", (480, "")),
    ],
)
def test_reading(value: str, protocol: str, said: tuple[int, str] | None) -> None:
    """The examples of RFC 3326 2 and 3, and nonsense."""
    assert read_reason(value, protocol) == said


def test_what_is_written_is_read() -> None:
    assert read_reason(write_reason(603, "No, thanks; really"), "SIP") == (603, "No, thanks; really")
