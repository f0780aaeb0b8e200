"""INFO as a message; test_invite.py has it in a call."""

from __future__ import annotations

import pytest
from sip_peer import flow, request

from firmware.sip.dialog import Dialog
from firmware.sip.info import info_request, read_info
from firmware.sip.refusal import Refusal

TYPES = ("application/dtmf-relay", "application/dtmf")


def test_what_is_written_is_read() -> None:
    dialog = Dialog.of_callee(request("INVITE"), "ours", flow())
    info = info_request(dialog, "application/dtmf-relay", b"Signal=1")
    assert info.method == info.cseq.method == "INFO"
    assert read_info(info, TYPES) == ("application/dtmf-relay", b"Signal=1")


def test_the_type_is_compared_without_case_and_parameters() -> None:
    assert read_info(request("INFO", body=b"1", Content_Type="Application/DTMF;a=b"), TYPES) == (
        "application/dtmf",
        b"1",
    )


def test_an_empty_info_says_nothing() -> None:
    assert read_info(request("INFO"), TYPES) is None


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"Content_Type": "text/plain"}, 415, ("Accept", "application/dtmf-relay, application/dtmf")),
        ({"Content_Type": None}, 415, ("Accept", "application/dtmf-relay, application/dtmf")),
        ({"Info_Package": "x"}, 469, ("Recv-Info", "")),
    ],
)
def test_what_is_refused(fields: dict[str, str | None], status: int, field: tuple[str, str]) -> None:
    with pytest.raises(Refusal) as refusal:
        read_info(request("INFO", body=b"1", **fields), TYPES)
    assert (refusal.value.status, refusal.value.field) == (status, field)
