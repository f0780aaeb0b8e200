"""What tells linear work from a square."""

from __future__ import annotations

import pytest
from linear_time import assert_linear


def test_linear_work_passes() -> None:
    assert_linear(lambda size: sum(range(size)), int, 80_000)


def test_a_square_does_not() -> None:
    with pytest.raises(AssertionError, match="8 times the size"):
        assert_linear(lambda size: [sum(range(size)) for _ in range(size)], int, 800)
