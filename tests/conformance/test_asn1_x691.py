"""X.691's own examples, annex A: a personnel record without constraints, with them, and with extensions."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from firmware.asn1 import Schema, Type

LETTERS = '"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-."'


def personnel(name_string: str, initial: str, number: str, date: str) -> Type:
    """Annexes A.1 and A.2: components of the SETs in the order of their tags."""
    return Schema(f"""
PersonnelRecord = {{name Name, number {number}, title visible, dateOfHire {date}, nameOfSpouse Name, children? [Child]}}
Child = {{name Name, dateOfBirth {date}}}
Name = {{givenName {name_string}, initial {initial}, familyName {name_string}}}
""")["PersonnelRecord"]


PLAIN = personnel("visible", "visible", "int", "visible")
CONSTRAINED = personnel(f"visible(1..64, {LETTERS})", f"visible(1, {LETTERS})", "int", 'visible(8, "0123456789")')
EXTENSIBLE = Schema(f"""
PersonnelRecord = {{
    name Name, number int(0..9999, ...), title visible, dateOfHire Date, nameOfSpouse Name,
    children? [Child](2, ...), ...
}}
Child = {{name Name, dateOfBirth Date, ..., sex? enum(male, female, unknown)}}
Name = {{givenName NameString, initial visible(1, {LETTERS}), familyName NameString, ...}}
NameString = visible(1..64, ..., {LETTERS})
Date = visible(8, ..., "0123456789")
""")["PersonnelRecord"]
GROUPS = Schema("""
Ax = {
    a int(250..253), b bool, c <d int, ..., e bool, f ia5>,
    ..., [[g numeric(3), h? bool]], ...,
    i? bmp, j? printable
}
""")["Ax"]


def name(given: str, initial: str, family: str) -> dict[str, str]:
    return {"givenName": given, "initial": initial, "familyName": family}


RECORD: dict[str, Any] = {
    "name": name("John", "P", "Smith"),
    "title": "Director",
    "number": 51,
    "dateOfHire": "19710917",
    "nameOfSpouse": name("Mary", "T", "Smith"),
    "children": [
        {"name": name("Ralph", "T", "Smith"), "dateOfBirth": "19571111"},
        {"name": name("Susan", "B", "Jones"), "dateOfBirth": "19590717"},
    ],
}
RECORD_WITH_SEX = copy.deepcopy(RECORD)
RECORD_WITH_SEX["children"][1]["sex"] = "female"


@pytest.mark.parametrize(
    ("kind", "value", "encoded"),
    [
        pytest.param(
            PLAIN,
            RECORD,
            """80044A6F 686E0150 05536D69 74680133 08446972 6563746F 72083139 37313039 3137044D 61727901
            5405536D 69746802 0552616C 70680154 05536D69 74680831 39353731 31313105 53757361 6E014205
            4A6F6E65 73083139 35393037 3137""",
            id="A.1",
        ),
        pytest.param(
            CONSTRAINED,
            RECORD,
            """864A6F68 6E501053 6D697468 01330844 69726563 746F7219 7109170C 4D617279 5410536D 69746802
            1052616C 70685410 536D6974 68195711 11105375 73616E42 104A6F6E 65731959 0717""",
            id="A.2",
        ),
        pytest.param(
            EXTENSIBLE,
            RECORD_WITH_SEX,
            """40C04A6F 686E5008 536D6974 68000033 08446972 6563746F 72001971 0917034D 61727954 08536D69
            74680100 52616C70 68540853 6D697468 00195711 11820053 7573616E 42084A6F 6E657300 19590717
            010140""",
            id="A.3",
        ),
        pytest.param(
            GROUPS, {"a": 253, "b": True, "c": ("e", True), "g": "123", "h": True}, "9E000180 010291A4", id="A.4"
        ),
    ],
)
def test_annex_a(kind: Type, value: dict[str, Any], encoded: str) -> None:
    assert kind.encode(value) == bytes.fromhex(encoded)
    assert kind.decode(bytes.fromhex(encoded)) == value
