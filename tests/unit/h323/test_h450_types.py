"""H.450's types: every operation comes back, and names what H.450 names."""

import random

import pytest
from asn1_values import random_value
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.h323.h450_types import ERRORS, OPERATIONS, SCHEMA, SUPPLEMENTARY_SERVICE


def test_transfer() -> None:
    operation = OPERATIONS["callTransferInitiate"]
    argument = {"callIdentity": "", "reroutingNumber": {"destinationAddress": [("h323-ID", "bob")]}}
    invoke = {"invokeId": 513, "opcode": ("local", operation.code), "argument": operation.argument.encode(argument)}
    value = {
        "interpretationApdu": ("rejectAnyUnrecognizedInvokePdu", None),
        "serviceApdu": ("rosApdus", [("invoke", invoke)]),
    }
    encoded = SUPPLEMENTARY_SERVICE.encode(value)
    assert SUPPLEMENTARY_SERVICE.decode(encoded) == value
    assert operation.argument.decode(invoke["argument"]) == argument
    assert invoke["argument"].hex() == "000140020062006f0062"  # no octet after an empty callIdentity: X.691 10.9.3.3
    assert encoded.hex() == "28011002010001090a000140020062006f0062"


@pytest.mark.parametrize("name", SCHEMA.names)
@settings(max_examples=15)
@given(rng=st.randoms(use_true_random=False))
def test_any_value_comes_back(name: str, rng: random.Random) -> None:
    value = random_value(SCHEMA[name], rng)
    assert SCHEMA[name].decode(SCHEMA[name].encode(value)) == value


def test_operations_and_errors_are_named_once() -> None:
    assert len({operation.code for operation in OPERATIONS.values()}) == len(OPERATIONS)
    assert len(set(ERRORS.values())) == len(ERRORS)
