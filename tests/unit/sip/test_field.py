from __future__ import annotations

import pytest

from firmware.errors import LocalProtocolError
from firmware.sip.field import FIELDS, Headers, Occurrence, canonical


@pytest.mark.parametrize(
    ("name", "full"),
    [("v", "Via"), ("V", "Via"), ("vIa", "Via"), ("CALL-id", "Call-ID"), ("I", "Call-ID"), ("X-New", "x-new")],
)
def test_canonical(name: str, full: str) -> None:
    assert canonical(name) == full


def test_compact_forms_are_those_of_the_standards() -> None:
    # RFC 3261 7.3.3 and 20, RFC 6665, 3515, 3841, 3892, 4028, 8224
    compact = {short: name for name, short, _ in FIELDS if short}
    assert compact == {
        "a": "Accept-Contact",
        "b": "Referred-By",
        "c": "Content-Type",
        "d": "Request-Disposition",
        "e": "Content-Encoding",
        "f": "From",
        "i": "Call-ID",
        "j": "Reject-Contact",
        "k": "Supported",
        "l": "Content-Length",
        "m": "Contact",
        "o": "Event",
        "r": "Refer-To",
        "s": "Subject",
        "t": "To",
        "u": "Allow-Events",
        "v": "Via",
        "x": "Session-Expires",
        "y": "Identity",
    }


def test_authentication_is_repeated_but_never_split() -> None:
    # RFC 3261 7.3.1
    repeated = {name for name, _, occurrence in FIELDS if occurrence is Occurrence.REPEATED}
    assert repeated == {"WWW-Authenticate", "Authorization", "Proxy-Authenticate", "Proxy-Authorization"}
    headers = Headers([("WWW-Authenticate", 'Digest realm="a", nonce="b"'), ("WWW-Authenticate", "Other x=1, y=2")])
    assert headers.all("WWW-Authenticate") == ['Digest realm="a", nonce="b"', "Other x=1, y=2"]
    assert headers.duplicates() == []


def test_a_name_is_the_same_in_every_form() -> None:
    headers = Headers([("v", "one, two"), ("VIA", "three"), ("X-New", "a, b")])
    assert headers.all("Via") == ["one", "two", "three"]
    assert headers.lines("via") == ["one, two", "three"]
    assert headers.get("v") == "one, two"
    assert headers.get("x-NEW") == "a, b"
    assert headers.all("X-New") == ["a, b"], "how to split an unknown field, nobody knows"
    assert "vIA" in headers
    assert "x-new" in headers
    assert "To" not in headers
    assert headers.get("To") is None
    assert headers.all("To") == headers.lines("To") == []
    assert list(headers) == [("Via", "one, two"), ("Via", "three"), ("X-New", "a, b")]
    assert len(headers) == 3


def test_order() -> None:
    headers = Headers()
    headers.add("To", "a")
    headers.add("Via", "second")
    headers.prepend("v", "first")
    headers.set("To", "b")
    headers.set("From", "c")
    assert list(headers) == [("Via", "first"), ("To", "b"), ("Via", "second"), ("From", "c")]
    assert headers.all("Via") == ["first", "second"]
    headers.set("VIA", "only")
    assert list(headers) == [("Via", "only"), ("To", "b"), ("From", "c")]
    assert headers.all("Via") == ["only"]
    headers.remove("f")
    headers.remove("f")
    assert list(headers) == [("Via", "only"), ("To", "b")]
    assert "From" not in headers


def test_revision_tells_of_every_change() -> None:
    headers = Headers()
    revisions = [headers.revision]
    for change in (
        lambda: headers.add("To", "a"),
        lambda: headers.prepend("Via", "b"),
        lambda: headers.set("To", "c"),
        lambda: headers.remove("To"),
        lambda: headers.add_parsed("From", "d"),
    ):
        change()
        revisions.append(headers.revision)
    assert len(set(revisions)) == len(revisions)


@pytest.mark.parametrize("name", ["", "a b", "a:", "ä", "a\r\n"])
def test_bad_name(name: str) -> None:
    headers = Headers()
    assert not headers.add_parsed(name, "x")
    assert len(headers) == 0
    with pytest.raises(LocalProtocolError):
        headers.add(name, "x")


@pytest.mark.parametrize("value", ["a\r\nVia: x", "a\nb", "a\r"])
def test_no_line_break_gets_into_a_value(value: str) -> None:
    headers = Headers([("To", "a")])
    for change in (headers.add, headers.prepend, headers.set):
        with pytest.raises(LocalProtocolError):
            change("To", value)
    assert list(headers) == [("To", "a")]


def test_received_name_may_have_space_before_its_colon() -> None:
    headers = Headers()
    assert headers.add_parsed("v \t", "x")
    assert headers.add_parsed("X-New  ", "y")
    assert list(headers) == [("Via", "x"), ("X-New", "y")]


def test_duplicates() -> None:
    headers = Headers([("Via", "a"), ("Via", "b"), ("To", "a"), ("t", "b"), ("X-A", "1"), ("X-A", "2")])
    assert headers.duplicates() == ["To"]


def test_copy_stands_alone() -> None:
    headers = Headers([("To", "a")])
    copy = headers.copy()
    assert copy == headers
    copy.add("Via", "b")
    assert copy != headers
    assert "Via" not in headers


def test_repr_shows_the_fields() -> None:
    assert repr(Headers([("t", "a")])) == "Headers([('To', 'a')])"
