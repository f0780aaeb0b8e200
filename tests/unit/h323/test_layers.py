"""What the parts of a terminal share."""

from __future__ import annotations

import random
from typing import cast

from firmware.h323.control_channel import ControlChannel
from firmware.h323.identity import Identity
from firmware.h323.layers import Layers

CHANNELS = [cast(ControlChannel, object()) for _ in range(3)]


def test_a_port_is_given_to_one_call() -> None:
    layers = Layers(Identity((), h245_ports=range(5000, 5002)), random.Random(1))
    ports = [layers.listen(channel) for channel in CHANNELS]
    assert sorted(ports[:2], key=str) == [5000, 5001]
    assert ports[2] is None
    assert layers.counters["no port for H.245"] == 1
    assert ports[0] is not None
    assert layers.ports[ports[0]] is CHANNELS[0]
    layers.close_port(("192.0.2.1", ports[0]))
    layers.close_port(None)
    assert layers.listen(CHANNELS[2]) == ports[0]


def test_guids_are_random_ones_of_rfc_4122() -> None:
    layers = Layers(Identity(()), random.Random(1))
    guids = {layers.guid() for _ in range(200)}
    assert len(guids) == 200
    assert {(len(g), g[6] >> 4, g[8] >> 6) for g in guids} == {(16, 4, 2)}


def test_call_references_have_15_bits_and_are_never_the_global_one() -> None:
    layers = Layers(Identity(()), random.Random(1))
    references = [layers.call_reference() for _ in range(2000)]
    assert min(references) > 0
    assert max(references) < 0x8000
