"""pycrate reads what we write to the same value, and its types are ours."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from asn1_values import random_value
from conformance import pycrate_schema
from conformance.h323_capture import Captured, everything
from conformance.pycrate_oracle import LONGEST, SCHEMAS, difference, oracle, pycrate_fails, require_pycrate

SCHEMA_FOLDER = Path(__file__).parents[2] / "firmware" / "h323" / "schema"
VALUES_OF_A_TYPE = 6

require_pycrate()


def sample(schema: str, name: str, count: int, seed: int) -> int:
    """Compare random values of a type; give how many were compared."""
    kind, declared = SCHEMAS[schema][name], oracle(SCHEMAS[schema], name)
    rng = random.Random(f"{schema}.{name} {seed}")
    compared = 0
    for _ in range(count):
        value = random_value(kind, rng)
        encoded = kind.encode(value)
        if len(encoded) > LONGEST or pycrate_fails(kind, value):
            continue
        declared.from_aper(encoded)
        assert difference(value, declared.get_val(), declared, name) == "", encoded.hex()
        compared += 1
    return compared


@pytest.mark.parametrize("schema", SCHEMAS)
def test_values_of_every_type(schema: str) -> None:
    compared = sum(sample(schema, name, VALUES_OF_A_TYPE, 1) for name in SCHEMAS[schema].names)
    assert compared > VALUES_OF_A_TYPE * len(list(SCHEMAS[schema].names)) * 0.9


@pytest.mark.parametrize(
    ("schema", "name"),
    [("h225", "RasMessage"), ("h225", "H323-UserInformation"), ("h245", "MultimediaSystemControlMessage")],
)
def test_messages(schema: str, name: str) -> None:
    assert sample(schema, name, 200, 2) > 120


@pytest.mark.parametrize("captured", everything(), ids=lambda captured: captured.where)
def test_captured_message(captured: Captured) -> None:
    """What the sender wrote, and what we write of it, is the same to pycrate."""
    schema = next(schema for schema in SCHEMAS.values() if captured.type.name in schema.names)
    declared = oracle(schema, captured.type.name)
    value = captured.type.decode(captured.data)
    for data in (captured.data, captured.type.encode(value)):
        declared.from_aper(data)
        assert difference(value, declared.get_val(), declared) == ""


@pytest.mark.parametrize("schema", SCHEMAS)
def test_schema_has_every_type_and_component(schema: str) -> None:
    """Written by a process of its own: pycrate's modules overwrite each other's types when one loads them all."""
    written = subprocess.run(
        [sys.executable, pycrate_schema.__file__, schema], capture_output=True, text=True, check=True
    )
    assert (SCHEMA_FOLDER / f"{schema}.txt").read_text(encoding="utf-8") == written.stdout
