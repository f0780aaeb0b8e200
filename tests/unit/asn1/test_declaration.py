"""Every kind of type reads what it writes, of any value."""

import random

import pytest
from asn1_values import random_value
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.asn1 import Schema
from firmware.asn1.bits import Reader, Writer

KINDS = Schema("""
Bool = bool
Nothing = null
Oid = oid
Int = {a int, b int(3..), c int(-5..300), d int(0..100000), e int(0..7, ...), f int(7)}
Enum = {a enum(p, q, r), b enum(p, ..., q)}
Octets = {a octets, b octets(2), c octets(3), d octets(0..5), e octets(1..3, ...), f open}
Bits = {a bits, b bits(3), c bits(17), d bits(0..9), e bits(1..70000)}
Text = {a ia5(0..5), b bmp(1..3), c numeric(2), d printable, e utf8, f general, g visible(1..2, "abc"), h universal}
List = {a [bool], b [Enum](2), c [[octets](0..3)](1..9), d [int(0..7)](1, ...)}
Choice = <a, b bool, c Int, ..., d, e Enum>
Sequence = {a? bool, b int(0..3) = 2, c? Choice, ..., d? List, [[e Enum, f?, g bool = true]], h? Text}
Tree = recursive {leaf? octets, branches [Tree](0..3)}
""")


@pytest.mark.parametrize("name", KINDS.names)
@settings(max_examples=40)
@given(rng=st.randoms(use_true_random=False))
def test_any_value_comes_back(name: str, rng: random.Random) -> None:
    kind = KINDS[name]
    value = random_value(kind, rng)
    encoded = kind.encode(value)
    assert kind.decode(encoded) == value
    assert kind.decode_all(encoded + encoded) == [value, value]


@pytest.mark.parametrize("name", KINDS.names)
@settings(max_examples=40)
@given(rng=st.randoms(use_true_random=False), before=st.integers(0, 7))
def test_reading_takes_what_was_written(name: str, rng: random.Random, before: int) -> None:
    value = random_value(KINDS[name], rng)
    writer = Writer()
    writer.bits(0, before)
    KINDS[name].writer()(writer, value)
    writer.bits(1, 1)
    reader = Reader(writer.finish())
    reader.bits(before)
    assert KINDS[name].reader()(reader) == value
    assert reader.bits(1) == 1
    assert reader.position > reader.end - 8
