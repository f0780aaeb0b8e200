"""`board.pi.presence` on what the kernel writes of cards and screens; tests/hil has the devices."""

from pathlib import Path

import pytest

from board.pi import camera_list
from board.pi.presence import Presence
from board.settings import PiSettings
from firmware.errors import DeviceError
from firmware.ports import DEVICES


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """One to which nothing is plugged in."""
    for name in ("dev", "proc", "sys"):
        (tmp_path / name).mkdir()
    return tmp_path


def presence(machine: Path, **settings: str) -> Presence:
    return Presence(PiSettings(**settings), dev=machine / "dev", proc=machine / "proc", sys=machine / "sys")


def plug_card(machine: Path, lines: str) -> None:
    (machine / "proc" / "pcm").write_text(lines)


def plug_screen(machine: Path, connector: str, status: str) -> None:
    (machine / "sys" / connector).mkdir(exist_ok=True)
    (machine / "sys" / connector / "status").write_text(status + "\n")


@pytest.mark.parametrize("device", DEVICES)
def test_nothing_is_there(machine: Path, device: str) -> None:
    with pytest.raises(DeviceError, match=r"there is no camera here|no sound card here|no screen is plugged in"):
        presence(machine).look_for(device)


def test_a_sound_card_comes_and_goes(machine: Path) -> None:
    found = presence(machine)
    plug_card(machine, "01-00: USB Audio : USB Audio : playback 1 : capture 1\n")
    found.look_for("microphone")
    found.look_for("speaker")
    plug_card(machine, "01-00: USB Audio : USB Audio : capture 1\n")
    found.look_for("microphone")
    with pytest.raises(DeviceError, match="no sound card"):
        found.look_for("speaker")
    with pytest.raises(DeviceError, match="no sound card 'Jabra'"):
        presence(machine, microphone="Jabra").look_for("microphone")


def test_a_screen_comes_and_goes(machine: Path) -> None:
    found = presence(machine)
    plug_screen(machine, "card1-HDMI-A-1", "disconnected")
    plug_screen(machine, "card1-HDMI-A-2", "connected")
    found.look_for("display")
    presence(machine, display="HDMI-A-2").look_for("display")
    with pytest.raises(DeviceError, match="no screen is plugged in at HDMI-A-1"):
        presence(machine, display="HDMI-A-1").look_for("display")
    plug_screen(machine, "card1-HDMI-A-2", "disconnected")
    with pytest.raises(DeviceError, match="no screen is plugged in at HDMI-A-1, HDMI-A-2"):
        found.look_for("display")


def test_a_camera_that_is_there_is_not_woken_again_and_again(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    woken = []
    monkeypatch.setattr(camera_list, "look_for_camera", lambda wanted, dev: woken.append(wanted))
    found = presence(machine, camera="C920")
    (machine / "dev" / "video0").touch()
    for _ in range(5):
        found.look_for("camera")
    assert woken == ["C920"]
    (machine / "dev" / "video0").rename(machine / "dev" / "video2")
    found.look_for("camera")
    assert len(woken) == 2


def test_a_camera_is_looked_for_until_it_is_there(machine: Path) -> None:
    (machine / "dev" / "video0").touch()  # what is no camera, or can't be opened yet
    found = presence(machine)
    for _ in range(2):
        with pytest.raises(DeviceError, match="there is no camera here"):
            found.look_for("camera")
