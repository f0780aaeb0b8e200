"""`board.gain`: loudness."""

from array import array

import pytest

from board.gain import Gain

BLOCK = array("h", [0, 1, -1, 20_000, -20_000, 32_767, -32_768]).tobytes()


def test_at_first_nothing_is_changed() -> None:
    assert Gain().apply(BLOCK) is BLOCK


@pytest.mark.parametrize(("percent", "part"), [(100, 1.0), (50, 0.25), (10, 0.01), (0, 0.0), (-5, 0.0), (1000, 1.0)])
def test_half_the_way_is_a_quarter_of_the_amplitude(percent: int, part: float) -> None:
    gain = Gain()
    gain.set_volume(percent)
    loud, soft = array("h", BLOCK), array("h", gain.apply(BLOCK))
    assert all(abs(b - a * part) <= 1 for a, b in zip(loud, soft, strict=True))
