"""`board.pi.cec`: sizes and places are those of <linux/cec.h>."""

from __future__ import annotations

from ctypes import Structure, sizeof

import pytest

from board.pi import cec

SIZES = {cec.Capabilities: 76, cec.LogicalAddresses: 92, cec.Message: 56, cec.Event: 80, cec.ConnectorInfo: 68}


@pytest.mark.parametrize(("kind", "size"), SIZES.items())
def test_sizes_are_the_kernels(kind: type[Structure], size: int) -> None:
    assert sizeof(kind) == size


@pytest.mark.parametrize(
    ("kind", "field", "offset"),
    [
        (cec.LogicalAddresses, "vendor_id", 8),
        (cec.LogicalAddresses, "osd_name", 16),
        (cec.LogicalAddresses, "features", 43),
        (cec.Message, "msg", 32),
        (cec.Message, "tx_status", 50),
        (cec.Event, "u", 16),
        (cec.ConnectorInfo, "connector_id", 8),
    ],
)
def test_fields_lie_where_the_kernel_has_them(kind: type[Structure], field: str, offset: int) -> None:
    assert getattr(kind, field).offset == offset


def test_requests_are_the_kernels() -> None:
    assert cec.ADAP_G_CAPS == 0xC04C6100
    assert cec.ADAP_G_PHYS_ADDR == 0x80026101
    assert cec.ADAP_S_LOG_ADDRS == 0xC05C6104
    assert cec.TRANSMIT == 0xC0386105
    assert cec.DQEVENT == 0xC0506107
    assert cec.S_MODE == 0x40046109
    assert cec.ADAP_G_CONNECTOR_INFO == 0x8044610A
