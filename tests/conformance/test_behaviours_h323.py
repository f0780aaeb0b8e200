"""All behaviours of far ends, by H.323: H.245 tunnelled and not, with and without fast connect, encrypted or not; and
inside of a connection to a gatekeeper.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from behaviours import BEHAVIOURS, run
from h323_bench import H323Bench, TunnelBench
from parties import Bench

from firmware.call.media import Encryption


@pytest.mark.parametrize("encryption", [Encryption.OFF, Encryption.PREFERRED], ids=["clear", "encrypted"])
@pytest.mark.parametrize("fast_connect", [False, True], ids=["slow", "fast"])
@pytest.mark.parametrize("tunnelling", [True, False], ids=["tunnelled", "separate"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
def test_behaviour(
    behaviour: Callable[[Bench], None], tunnelling: bool, fast_connect: bool, encryption: Encryption
) -> None:
    run(behaviour, H323Bench(tunnelling, fast_connect, encryption=(encryption, encryption)))


@pytest.mark.parametrize("both", [True, False], ids=["both inside", "one inside"])
@pytest.mark.parametrize("fast_connect", [False, True], ids=["slow", "fast"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
def test_behaviour_by_h460_17(behaviour: Callable[[Bench], None], fast_connect: bool, both: bool) -> None:
    encryption = (Encryption.PREFERRED, Encryption.PREFERRED)
    run(behaviour, TunnelBench(True, fast_connect, both=both, encryption=encryption))
