from __future__ import annotations

import pytest
from offers import AUDIO, OURS, sdp

from firmware.errors import FirmwareError
from firmware.sansio import Address, Flow
from firmware.signaling import sip_family
from firmware.signaling.sip_family import other_family

FLOW = Flow("udp", (OURS, 5060), ("192.0.2.9", 5060))
BOTH = ((("udp", ("0.0.0.0", 5060))), ("udp", ("::", 5060)))


@pytest.fixture(autouse=True)
def _routes(monkeypatch: pytest.MonkeyPatch) -> None:
    def ours(remote: Address) -> str:
        if not remote[0].startswith("2001:db8::"):
            raise FirmwareError("no way")
        return "2001:db8::77"

    monkeypatch.setattr(sip_family, "source_address", ours)


@pytest.mark.parametrize(
    ("listeners", "host"),
    [
        (BOTH, "2001:db8::77"),
        ((("udp", ("2001:db8::77", 5060)), ("tcp", ("2001:db8::66", 5060))), "2001:db8::77"),
        ((("udp", ("2001:db8::66", 5060)),), "2001:db8::66"),
        ((("udp", (OURS, 5060)),), None),
    ],
)
def test_we_answer_by_the_version_of_the_media(listeners: tuple[tuple[str, Address], ...], host: str | None) -> None:
    found = other_family(sdp(AUDIO, host="2001:db8::1"), FLOW, listeners)
    assert (found.local[0] if found is not None else None) == host
    assert found is None or (found.remote, found.transport) == (FLOW.remote, FLOW.transport)


@pytest.mark.parametrize("host", ["192.0.2.2", "::", "ff02::1", "fe80::1%eth0", "fe80::1", "a.example.com", "0.0.0.0"])
def test_whoever_is_of_no_use_there_is_of_none_here(host: str) -> None:
    assert other_family(sdp(AUDIO, host=host), FLOW, BOTH) is None


def test_the_first_line_in_use_counts() -> None:
    refused = AUDIO.replace("5000", "0") + "c=IN IP4 192.0.2.2\n"
    assert other_family(sdp(refused, AUDIO, host="2001:db8::1"), FLOW, BOTH) is not None
    assert other_family(sdp(AUDIO + "c=IN IP4 192.0.2.2\n", AUDIO, host="2001:db8::1"), FLOW, BOTH) is None


def test_what_is_no_description_is_none() -> None:
    assert other_family(b"words", FLOW, BOTH) is None
