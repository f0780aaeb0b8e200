"""`board.pi.volume`: from percent to a control's setting."""

import pytest

from board.pi.volume import CardVolume, hundredths


@pytest.mark.parametrize(
    ("percent", "setting"), [(100, 0), (50, -1204), (10, -4000), (1, -4500), (0, -4500), (-3, -4500)]
)
def test_half_the_way_is_12_decibel_less(percent: int, setting: int) -> None:
    assert hundredths(percent, -4500, 0) == setting


class Control:
    """A mixer's control, which may be gone."""

    def __init__(self) -> None:
        self.told: list[tuple[int, dict[str, int]]] = []
        self.gone = False

    def setvolume(self, volume: int, **units: int) -> None:
        if self.gone:
            raise OSError("no such device")
        self.told.append((volume, units))

    def close(self) -> None:
        if self.gone:
            raise OSError("no such device")


def test_a_control_with_decibels() -> None:
    control = Control()
    volume = CardVolume(control, (-4500, 600), 2, OSError)
    volume.set_volume(100)
    volume.set_volume(50)
    assert control.told == [(600, {"units": 2}), (-604, {"units": 2})]


def test_a_control_without() -> None:
    control = Control()
    volume = CardVolume(control, None, 2, OSError)
    for percent in (-1, 50, 200):
        volume.set_volume(percent)
    assert control.told == [(0, {}), (50, {}), (100, {})]
    assert volume.apply(b"ab") == b"ab"


def test_a_control_that_is_gone_is_no_error() -> None:
    control = Control()
    control.gone = True
    volume = CardVolume(control, None, 2, OSError)
    volume.set_volume(10)
    volume.close()
