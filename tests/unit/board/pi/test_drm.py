"""`board.pi.drm`: the kernel's layout; tests/hil has the card."""

from ctypes import Structure, sizeof
from pathlib import Path

import pytest

from board.pi import drm
from firmware.errors import DeviceError


@pytest.mark.parametrize(
    ("structure", "size"),
    [
        (drm.Mode, 68),
        (drm._Resources, 64),
        (drm._GetConnector, 80),
        (drm._GetEncoder, 20),
        (drm._PlaneResources, 16),
        (drm._GetPlane, 32),
        (drm._ObjectProperties, 32),
        (drm._GetProperty, 64),
        (drm._CreateBlob, 16),
        (drm.CreateDumb, 32),
        (drm.MapDumb, 16),
        (drm.NewFrameBuffer, 104),
        (drm._Atomic, 56),
    ],
)
def test_sizes_are_the_kernels(structure: type[Structure], size: int) -> None:
    assert sizeof(structure) == size


def test_what_is_no_card_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="card0 can't be opened"):
        drm.Card(tmp_path / "card0")
    with pytest.raises(DeviceError, match="/dev/null refuses request 0xd"):
        drm.Card(Path("/dev/null"))
