from __future__ import annotations

import pytest

from firmware.errors import DecodeError
from firmware.sip.uri import MAX_URI, Uri, as_sips, escape_user, format_host_port


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:example.com", Uri("sip", None, "example.com")),
        ("sip:alice@example.com", Uri("sip", "alice", "example.com")),
        ("SIPS:alice:secret@example.com:5061", Uri("sips", "alice", "example.com", 5061, "secret")),
        ("sip:alice:@example.com", Uri("sip", "alice", "example.com", password="")),
        (
            "sip:+1-212-555-1212:1234@gateway.com;user=phone",
            Uri("sip", "+1-212-555-1212", "gateway.com", None, "1234", (("user", "phone"),)),
        ),
        ("sip:a@h;lr;x=;y=1", Uri("sip", "a", "h", parameters=(("lr", None), ("x", ""), ("y", "1")))),
        (
            "sip:h;method=REGISTER?to=alice%40atlanta.com&p=",
            Uri(
                "sip",
                None,
                "h",
                parameters=(("method", "REGISTER"),),
                headers=(("to", "alice%40atlanta.com"), ("p", "")),
            ),
        ),
        ("sip:alice;day=tuesday@atlanta.com", Uri("sip", "alice;day=tuesday", "atlanta.com")),
        ("sip:a?b/c,d@h", Uri("sip", "a?b/c,d", "h")),
        ("sip:*21#@h", Uri("sip", "*21#", "h")),
        ("sip:[2001:db8::10]:5070", Uri("sip", None, "2001:db8::10", 5070)),
        (
            "sip:user@[::ffff:192.0.2.1];transport=tcp",
            Uri("sip", "user", "::ffff:192.0.2.1", parameters=(("transport", "tcp"),)),
        ),
        ("sip:user@192.0.2.1:0005060", Uri("sip", "user", "192.0.2.1", 5060)),
        ("tel:+1-201-555-0123;ext=1", Uri("tel", opaque="+1-201-555-0123;ext=1")),
        ("soap.beep://192.0.2.103:3002", Uri("soap.beep", opaque="//192.0.2.103:3002")),
    ],
)
def test_parse(text: str, uri: Uri) -> None:
    assert Uri.parse(text) == uri
    assert Uri.parse(str(uri)) == uri


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@example.com",
        "sip:alice:@example.com",
        "sips:%61lice:%20@Example.COM:5061;lr;n%61me=v%61lue?Subject=a%20b&x=",
        "sip:[2001:DB8::1]:5060",
        "mailto:a@b?c",
    ],
)
def test_what_is_read_is_written(text: str) -> None:
    assert str(Uri.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip",
        "sip:",
        "alice@example.com",
        "1sip:a@b",
        "sip:@example.com",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@c",
        "sip: a@c",
        "sip:a@c ",
        "sip:a@c;",
        "sip:a@c;;lr",
        "sip:a@c;=1",
        "sip:a@c?",
        "sip:a@c:",
        "sip:a@c:0",
        "sip:a@c:65536",
        "sip:a@c:-1",
        "sip:a@c:" + "9" * 100,
        "sip:a%4@c",
        "sip:a%zz@c",
        "sip:a@c;p=%",
        "sip:<a@c>",
        'sip:"a"@c',
        "sip:é@c",
        "sip:a\x00@c",
        "sip:a@c\r\nVia: x",
        "sip:a@c/path",
        "sip:a@-c",
        "sip:2001:db8::10",  # RFC 5118 4.2: no brackets
        "sip:a@2001:db8::10",
        "sip:[2001:db8::10",
        "sip:[2001:db8::zz]",
        "sip:[]",
        "sip:[1:2:3]",
        "sip:[fe80::1%eth0]",
        "tel:",
        "tel:+1 201",
        "http://a\nb",
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(DecodeError) as raised:
        Uri.parse(text)
    assert raised.value.status == 400


def test_too_long() -> None:
    longest = "sip:" + "a" * (MAX_URI - 6) + "@h"
    assert str(Uri.parse(longest)) == longest
    with pytest.raises(DecodeError) as raised:
        Uri.parse(longest + "h")
    assert raised.value.status == 414


def test_port_is_ambiguous_without_brackets_around_the_address_alone() -> None:
    # RFC 5118 4.3: the port is part of the address; 4.4: it is not.
    assert Uri.parse("sip:[2001:db8::10:5070]") == Uri("sip", None, "2001:db8::10:5070")
    assert Uri.parse("sip:[2001:db8::10]:5070") == Uri("sip", None, "2001:db8::10", 5070)


def test_three_colons_that_the_old_grammar_made_are_forgiven() -> None:
    # RFC 5118 4.10
    assert Uri.parse("sip:user@[2001:db8:::192.0.2.1]").host == "2001:db8::192.0.2.1"


def test_parameter() -> None:
    uri = Uri.parse("sip:h;Transport=TCP;lr")
    assert uri.parameter("transport") == "TCP"
    assert uri.parameter("lr") == ""
    assert uri.parameter("maddr") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [  # RFC 3261 19.1.4
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a%3bb@h", "sip:a%3Bb@h"),
        ("tel:+1", "TEL:+1"),
    ],
)
def test_equivalent(one: str, other: str) -> None:
    assert Uri.parse(one).equivalent(Uri.parse(other))
    assert Uri.parse(other).equivalent(Uri.parse(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [  # RFC 3261 19.1.4
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"),
        ("sip:a@h", "sip:h"),
        ("sip:a@h", "sip:a:@h"),
        ("sip:a@h;user=phone", "sip:a@h"),
        ("sip:a@h;maddr=1.2.3.4", "sip:a@h"),
        ("sip:a@h;ttl=1", "sip:a@h"),
        ("sip:a;b@h", "sip:a%3Bb@h"),
        ("tel:+1", "tel:+2"),
    ],
)
def test_not_equivalent(one: str, other: str) -> None:
    assert not Uri.parse(one).equivalent(Uri.parse(other))
    assert not Uri.parse(other).equivalent(Uri.parse(one))


@pytest.mark.parametrize("name", ["alice", "*#06#", "Mr. J (Bob) Müller", "50% off@home:x", "a;b/c?d", "\x00\udcff"])
def test_any_name_can_be_a_user(name: str) -> None:
    uri = Uri.parse(f"sip:{escape_user(name)}@example.com")
    assert uri.unescaped_user == name.replace("\x00", "\ufffd").replace("\udcff", "\ufffd")


def test_user_that_is_not_utf_8_is_fit_for_people() -> None:
    assert Uri.parse("sip:%ff%C3%A9@h").unescaped_user == "\ufffdé"
    assert Uri.parse("sip:h").unescaped_user == ""


def test_format_host_port() -> None:
    assert format_host_port("::1", 5060) == "[::1]:5060"
    assert format_host_port("::1", None) == "[::1]"
    assert format_host_port("h", 5060) == "h:5060"


def test_the_sips_uri_of_a_resource() -> None:
    assert str(as_sips(Uri.parse("sip:room@host:5061;Transport=tls;lr?a=b"))) == "sips:room@host:5061;lr?a=b"
