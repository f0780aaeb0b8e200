"""The language in which types are declared."""

import pytest

from firmware.asn1.character import CharacterString, OctetText
from firmware.asn1.choice import Choice
from firmware.asn1.declaration import Declaration
from firmware.asn1.notation import Parser, definitions
from firmware.asn1.scalar import Boolean, Enumerated, Integer, Null, ObjectIdentifier
from firmware.asn1.sequence import Component, Sequence
from firmware.asn1.sequence_of import SequenceOf
from firmware.asn1.size import Size
from firmware.asn1.string import BitString, OctetString, OpenType

OTHER = Integer(1, 2)


def refer(name: str) -> Declaration:
    return {"Other": OTHER, "h235.Other-Type": Null()}[name]


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("bool", Boolean()),
        ("null", Null()),
        ("oid", ObjectIdentifier()),
        ("open", OpenType()),
        ("int", Integer()),
        ("int(-5..7)", Integer(-5, 7)),
        ("int(5)", Integer(5, 5)),
        ("int(1..)", Integer(1, None)),
        ("int(0..7, ...)", Integer(0, 7, extensible=True)),
        ("octets", OctetString()),
        ("octets(4)", OctetString(Size(4, 4))),
        ("bits(1..32)", BitString(Size(1, 32))),
        ("octets(2, ...)", OctetString(Size(2, 2, extensible=True))),
        ("ia5", CharacterString("ia5")),
        ('ia5(1..4, "0#*,")', CharacterString("ia5", Size(1, 4), "0#*,")),
        ('ia5("ab")', CharacterString("ia5", alphabet="ab")),
        ('bmp(1..4, ..., "ab")', CharacterString("bmp", Size(1, 4, extensible=True), "ab")),
        ("utf8", OctetText("utf8")),
        ("[bool](1..256)", SequenceOf(Boolean(), Size(1, 256))),
        ("[[bool]]", SequenceOf(SequenceOf(Boolean()))),
        ("enum(a, b-c, ..., d)", Enumerated(("a", "b-c"), ("d",))),
        ("<a, b bool>", Choice((("a", Null()), ("b", Boolean())))),
        ("<a, ...>", Choice((("a", Null()),), ())),
        ("<a, ..., b Other>", Choice((("a", Null()),), (("b", OTHER),))),
        ("Other", OTHER),
        ("h235.Other-Type", Null()),
        ("{}", Sequence(())),
        ("{a bool, b? Other}", Sequence((Component("a", Boolean()), Component("b", OTHER, optional=True)))),
        ("{a int = -3}", Sequence((Component("a", Integer(), True, -3),))),
        (
            '{a ia5 = "x", b bool = false}',
            Sequence((Component("a", CharacterString("ia5"), True, "x"), Component("b", Boolean(), True, False))),
        ),
        (
            "{a, ..., b?, [[c, d [null]]]}",
            Sequence(
                (Component("a", Null()),),
                (Component("b", Null(), True), (Component("c", Null()), Component("d", SequenceOf(Null())))),
            ),
        ),
        ("{a, ..., b, ..., c}", Sequence((Component("a", Null()), Component("c", Null())), (Component("b", Null()),))),
        ("bool # a comment, with } and <", Boolean()),
        ("{\n    a bool,  # why\n    b\n}", Sequence((Component("a", Boolean()), Component("b", Null())))),
    ],
)
def test_types(text: str, declared: Declaration) -> None:
    assert Parser(text, refer).definition() == (declared, False)


def test_recursive() -> None:
    assert Parser("recursive bool", refer).definition() == (Boolean(), True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "what",
        "{a bool",
        "{a bool b bool}",
        "<a bool",
        "[bool",
        "int(",
        "int(1",
        "octets(a)",
        "enum(a b)",
        "bool bool",
        "{a % b}",
        "{[[a]]}",
        "ia5(1, 2)",
    ],
)
def test_no_type(text: str) -> None:
    with pytest.raises(ValueError, match=r"wanted|no type|no part|behind|invalid literal"):
        Parser(text, refer).definition()


def test_definitions() -> None:
    text = "# first\nA = {\n    b B  # = not this\n}\n\nB-c = int(0..7)\nD =bool\n"
    assert [(name, body.split("#")[0].strip()) for name, body in definitions(text).items()] == [
        ("A", "{\n    b B"),
        ("B-c", "int(0..7)"),
        ("D", "bool"),
    ]
