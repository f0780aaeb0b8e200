"""All behaviours of far ends, by H.323: H.245 tunnelled and not, with and without fast connect, encrypted or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from behaviours import BEHAVIOURS, run
from h323_bench import H323Bench
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
