"""`board.pi.dma_heap`: what needs no heap; tests/hil has the rest."""

from pathlib import Path

import pytest

from board.pi import dma_heap
from board.pi.dma_heap import HeapMemory
from firmware.errors import DeviceError


def test_the_requests_are_the_kernels() -> None:
    assert dma_heap._ALLOC == 0xC018_4800
    assert dma_heap._SYNC == 0x4008_6200


def test_no_heap(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="there is no memory for pictures"):
        HeapMemory(4096, tmp_path)


@pytest.mark.parametrize("others", [(), ("system",)])
def test_what_is_no_heap_gives_none(tmp_path: Path, others: tuple[str, ...]) -> None:
    for name in ("linux,cma", *others):
        (tmp_path / name).touch()
    with pytest.raises(DeviceError, match="linux,cma gives no memory"):
        HeapMemory(4096, tmp_path)
