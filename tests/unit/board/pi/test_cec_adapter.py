"""`board.pi.cec_adapter` without an adapter; with one it is tested by tests/hil/test_television.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from board.cec.message import NO_ADDRESS
from board.pi import cec, cec_adapter
from board.pi.cec_adapter import (
    CecAdapter,
    CecAdapters,
    adapter_name,
    connector,
    connector_name,
    osd_name,
    physical_address,
    playback_claim,
)
from firmware.errors import DeviceError


def test_a_machine_without_an_adapter_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="there is no CEC adapter here"):
        CecAdapters("", "Aalto", dev=tmp_path).best()
    (tmp_path / "cec0").touch()
    with pytest.raises(DeviceError, match="there is no CEC adapter 'vc4-hdmi-1' here"):
        CecAdapters("vc4-hdmi-1", "Aalto", dev=tmp_path).best()


def test_without_a_television_the_first_adapter_is_taken(tmp_path: Path) -> None:
    for name in ("cec1", "cec0", "cecil"):
        (tmp_path / name).touch()
    assert CecAdapters("", "Aalto", dev=tmp_path).best() == str(tmp_path / "cec0")
    node = str(tmp_path / "cec1")
    assert CecAdapters(node, "Aalto", dev=tmp_path).best() == node


def test_what_is_no_adapter_is_told(tmp_path: Path) -> None:
    (tmp_path / "cec0").touch()
    node = str(tmp_path / "cec0")
    assert adapter_name(node) == ""
    assert physical_address(node) == NO_ADDRESS
    with pytest.raises(DeviceError, match="cec0 refuses request 0"):
        CecAdapter(node, "Aalto")
    with pytest.raises(DeviceError, match="can't be opened: No such file"):
        CecAdapters("", "Aalto", dev=tmp_path).open(str(tmp_path / "cec7"))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Aalto", b"Aalto"),
        ("Sitzungszimmer Süd 3", b"Sitzungszimmer"),
        ("Café Müller", b"Cafe Muller"),
        ("会議室", b"Visavis"),
    ],
)
def test_the_name_is_written_as_televisions_can(name: str, written: bytes) -> None:
    assert osd_name(name) == written


def test_a_playback_device_is_claimed() -> None:
    claim = playback_claim("Aalto")
    assert (claim.num_log_addrs, claim.log_addr_type[0], claim.osd_name) == (1, cec.LOG_ADDR_TYPE_PLAYBACK, b"Aalto")


def test_the_television_is_the_one_that_is_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cec0", "cec1"):
        (tmp_path / name).touch()
    places = {str(tmp_path / "cec0"): "HDMI-A-1", str(tmp_path / "cec1"): "HDMI-A-2"}
    monkeypatch.setattr(cec_adapter, "connector", places.__getitem__)
    assert CecAdapters("", "Aalto", "HDMI-A-2", tmp_path).best() == str(tmp_path / "cec1")
    with pytest.raises(DeviceError, match="there is no CEC adapter 'DSI-1' here"):
        CecAdapters("", "Aalto", "DSI-1", tmp_path).best()
    places[str(tmp_path / "cec0")] = ""
    assert CecAdapters("", "Aalto", "DSI-1", tmp_path).best() == str(tmp_path / "cec0")


def test_a_connector_is_named_by_its_number(tmp_path: Path) -> None:
    for name, number in (("card1-HDMI-A-1", 32), ("card1-HDMI-A-2", 41), ("card0-HDMI-A-1", 41)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "connector_id").write_text(f"{number}\n")
    assert connector_name(1, 41, tmp_path) == "HDMI-A-2"
    assert connector_name(1, 99, tmp_path) == ""
    assert connector(str(tmp_path / "none"), tmp_path) == ""
