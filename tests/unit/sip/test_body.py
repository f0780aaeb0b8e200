"""Where the session description is."""

from __future__ import annotations

import pytest
from sip_peer import request

from firmware.errors import RemoteProtocolError
from firmware.sip.body import MAX_PARTS, add_description, readable_description, session_description
from firmware.sip.message import Request

SDP = b"v=0\r\ns=-\r\n"


def multipart(*parts: bytes, boundary: str = "b", subtype: str = "mixed", end: bytes = b"--\r\nepilogue") -> Request:
    body = b"preamble"
    for part in parts:
        body += f"\r\n--{boundary}\r\n".encode() + part
    body += f"\r\n--{boundary}".encode() + end
    return request("INVITE", body=body, Content_Type=f'multipart/{subtype};boundary="{boundary}"')


def part(content_type: str, content: bytes, **fields: str) -> bytes:
    lines = [f"Content-Type: {content_type}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def test_a_body_of_its_own() -> None:
    assert session_description(request("INVITE", body=SDP)) == SDP
    assert session_description(request("INVITE", body=SDP, Content_Type="Application/SDP;charset=x")) == SDP
    assert session_description(request("INVITE")) is None
    assert session_description(request("INVITE", Content_Type="text/plain")) is None, "there is no body"
    assert session_description(request("INVITE", body=SDP, Content_Encoding="Identity")) == SDP


def test_a_part_among_others() -> None:
    other = part("application/isup", b"\x00\x01\r\n\r\n--c\r\n")
    for message in (
        multipart(part("application/sdp", SDP)),
        multipart(other, part("application/sdp", SDP, Content_ID="<1>")),
        multipart(part("APPLICATION/SDP", SDP), other),
        multipart(part("application/sdp;\r\n\tx=y", SDP), other),
        multipart(b"\r\nno type", part("application/sdp", SDP)),
        multipart(part("nonsense", b"x"), part("application/sdp", SDP), part("application/sdp", b"second")),
        multipart(part("application/sdp", SDP), end=b""),
        multipart(part("application/sdp", SDP), subtype="alternative", boundary="a b:'()+_,-./=?"),
    ):
        assert session_description(message) == SDP, message.body


def test_a_multipart_in_a_multipart() -> None:
    inner = multipart(part("text/plain", b"x"), part("application/sdp", SDP), boundary="inner").body
    message = multipart(part("multipart/alternative;boundary=inner", inner))
    assert session_description(message) == SDP


def test_depth_and_number_are_bounded() -> None:
    body, kind = SDP, "application/sdp"
    for depth in range(10):
        body = f"--d{depth}\r\nContent-Type: {kind}\r\n\r\n".encode() + body + f"\r\n--d{depth}--".encode()
        kind = f"multipart/mixed;boundary=d{depth}"
    assert readable_description(request("INVITE", body=body, Content_Type=kind)) is None
    parts = [part("text/plain", b"x")] * (MAX_PARTS - 1)
    assert readable_description(multipart(*parts, part("application/sdp", SDP))) == SDP
    assert readable_description(multipart(*parts, parts[0], part("application/sdp", SDP))) is None


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "multipart/mixed"}, 415),
        ({"Content_Type": 'multipart/mixed;boundary=""'}, 415),
        ({"Content_Type": f"multipart/mixed;boundary={'b' * 71}"}, 415),
        ({"Content_Type": "multipart/mixed;boundary=none"}, 415),
        ({"Content_Encoding": "gzip"}, 415),
        ({"Content_Type": None}, 400),
        ({"Content_Type": "x"}, 400),
    ],
)
def test_what_can_not_be_understood(fields: dict[str, str | None], status: int) -> None:
    message = request("INVITE", body=SDP, **fields)
    with pytest.raises(RemoteProtocolError) as error:
        session_description(message)
    assert error.value.status == status
    assert readable_description(message) is None


def test_what_need_not_be_understood_is_not_there() -> None:
    """RFC 3261 20.11."""
    message = request("INVITE", body=b"x", Content_Type="image/png", Content_Disposition="icon;handling=optional")
    assert session_description(message) is None


def test_a_description_is_added_with_its_type() -> None:
    message = request("INVITE")
    add_description(message, None)
    assert message.content_type is None
    add_description(message, SDP)
    assert session_description(message) == SDP
