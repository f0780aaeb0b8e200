from __future__ import annotations

import pytest

from firmware.errors import DecodeError
from firmware.sip import grammar


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("", []),
        (" \t", []),
        ("a", ["a"]),
        (" a , b\t,c", ["a", "b", "c"]),
        ("a,,b,", ["a", "", "b", ""]),
        ('"a,b" <sip:c,d@h>;e="f,g", h', ['"a,b" <sip:c,d@h>;e="f,g"', "h"]),
        (r'"a\",b", "c\\", d', [r'"a\",b"', r'"c\\"', "d"]),
        ('a, "unterminated, b', ["a", '"unterminated, b']),
        ("a, <unterminated, b", ["a", "<unterminated, b"]),
        ('a, "ends in backslash, \\', ["a", '"ends in backslash, \\']),
        ("a\u00a0,\u3000b", ["a\u00a0", "\u3000b"]),
    ],
)
def test_split_list(value: str, parts: list[str]) -> None:
    assert grammar.split_list(value) == parts


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", ()),
        ("  ", ()),
        (";lr", (("lr", None),)),
        (" ; a = b\t;c ", (("a", "b"), ("c", None))),
        (r';t="x;y=\"z\"";u', (("t", r'"x;y=\"z\""'), ("u", None))),
        (";received=[2001:db8::1]", (("received", "[2001:db8::1]"),)),
        (";received=2001:db8::1", (("received", "2001:db8::1"),)),
        (';x="я"', (("x", '"я"'),)),
    ],
)
def test_parse_parameters(text: str, parameters: grammar.Parameters) -> None:
    assert grammar.parse_parameters(f"skipped{text}", 7, "test") == parameters


@pytest.mark.parametrize(
    "text", [";", ";;a", "a", ";a=", ';a="b', ';a="b"c', ";a b", ";a=b c", ";a,b", ";=b", ";ä=b", ";a=\x01"]
)
def test_malformed_parameters(text: str) -> None:
    with pytest.raises(DecodeError):
        grammar.parse_parameters(text, 0, "test")


def test_parameter() -> None:
    parameters = (("TAG", "one"), ("tag", "two"), ("lr", None), ("text", r'"a \"b\" \\"'))
    assert grammar.parameter(parameters, "tag") == "one"
    assert grammar.parameter(parameters, "lr") == ""
    assert grammar.parameter(parameters, "text") == 'a "b" \\'
    assert grammar.parameter(parameters, "none") is None


def test_with_parameter() -> None:
    parameters = (("rport", None), ("Branch", "x"))
    assert grammar.with_parameter(parameters, "rport", "5060") == (("rport", "5060"), ("Branch", "x"))
    assert grammar.with_parameter(parameters, "branch", "y") == (("rport", None), ("Branch", "y"))
    assert grammar.with_parameter(parameters, "received", "::1") == (*parameters, ("received", "::1"))
    assert grammar.format_parameters(parameters) == ";rport;Branch=x"


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("00", 0), ("0068", 68), ("255", 255), ("0" * 5000 + "7", 7)])
def test_number(text: str, value: int) -> None:
    assert grammar.number(text, 255, "test") == value


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1 ", "256", "1_0", "0x1", "1.0", "٣", "²", "9" * 5000])
def test_not_a_number(text: str) -> None:
    with pytest.raises(DecodeError):
        grammar.number(text, 255, "test")


@pytest.mark.parametrize("text", ["", "plain", 'a "b" \\ c', "\x07\x00", "я"])
def test_quote(text: str) -> None:
    quoted = grammar.quote(text)
    assert grammar.unquote(quoted) == text.replace("\x07", " ").replace("\x00", " ")
    assert grammar.match_quoted(quoted + " rest") == (grammar.unquote(quoted), len(quoted))


def test_quote_lets_no_line_break_through() -> None:
    assert grammar.quote("a\r\nVia: evil") == '"a  Via: evil"'


def test_match_quoted() -> None:
    assert grammar.match_quoted('"') is None
    assert grammar.match_quoted('"a\\"') is None
    assert grammar.match_quoted("a") is None
    assert grammar.match_quoted('"\\\x00"') == ("\x00", 4)


def test_is_token() -> None:
    assert grammar.is_token("INVITE-.!%*_+`'~09")
    assert not any(grammar.is_token(text) for text in ("", "a b", "a:b", "a/b", "ä", "a\n", '"a"', "@"))


@pytest.mark.parametrize("bad", ["\udcff", "\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\u2028"])
def test_printable(bad: str) -> None:
    assert grammar.printable(f"я{bad}!") == "я\ufffd!"


def test_printable_text_stays() -> None:
    assert grammar.printable("Алиса \u00a0 👋🏽 É") == "Алиса \u00a0 👋🏽 É"
