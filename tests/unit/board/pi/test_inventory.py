"""`board.pi.inventory` on a machine that may have anything; tests/hil has one that has everything."""

from pathlib import Path

import pytest

from board.pi import inventory
from board.settings import PiSettings


def test_every_device_is_named_and_none_is_needed() -> None:
    missing = ("camera", "display", "microphone", "speaker", "television")
    settings = PiSettings(**dict.fromkeys(missing, "Nonesuch"))
    found = inventory.inventory(settings)
    assert list(found) == [
        *("machine", "camera", "encoder", "decoder", "display", "microphone", "speaker", "television", "pins")
    ]
    assert all(found[device].startswith("none: ") for device in missing)


def test_what_the_room_has_none_of_is_not_looked_for() -> None:
    found = inventory.inventory(PiSettings(camera="none", display="none", microphone="none", speaker="none"))
    devices = ("camera", "display", "microphone", "speaker", "television")
    assert {found[device] for device in devices} == {"none, as configured"}


def test_the_machine_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "model"
    monkeypatch.setattr(inventory, "MODEL", model)
    assert inventory.inventory(PiSettings())["machine"] == "no Raspberry Pi"
    model.write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    assert inventory.inventory(PiSettings())["machine"] == "Raspberry Pi 4 Model B Rev 1.4"


@pytest.mark.parametrize(
    ("node", "wanted", "said"),
    [
        (None, "auto", "none: libav decodes"),
        (Path("/dev/video10"), "auto", "H.264 in hardware, /dev/video10"),
        (Path("/dev/video10"), "software", "/dev/video10, not used: libav decodes"),
    ],
)
def test_who_decodes(monkeypatch: pytest.MonkeyPatch, node: Path | None, wanted: str, said: str) -> None:
    monkeypatch.setattr(inventory, "find_decoder", lambda: node)
    assert inventory.inventory(PiSettings(decoder=wanted))["decoder"] == said
