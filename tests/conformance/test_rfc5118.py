"""The torture messages of RFC 5118 at the parsers and at a user agent."""

from __future__ import annotations

import random

import pytest
from conformance.rfc5118 import MESSAGES, READ, SDP_BOTH, SDP_MAPPED, Torture
from wire import Wire
from wire_transport import MemoryPorts

from firmware.call.media import Capabilities
from firmware.errors import RemoteProtocolError
from firmware.sansio import Flow
from firmware.sdp.session import parse as parse_description
from firmware.signaling.sip_media import SipMedia
from firmware.sip.events import Incoming
from firmware.sip.identity import Identity
from firmware.sip.message import Request, Response, parse
from firmware.sip.user_agent import UserAgent

ROOM = ("2001:db8::10", 5060)
TORTURER = ("2001:db8::9:1", 5060)
BY_NAME = {torture.name: torture for torture in MESSAGES}


def read(name: str) -> Request:
    message = parse(BY_NAME[name].data)
    assert isinstance(message, Request)
    return message


def test_all_12_are_here() -> None:
    assert len(BY_NAME) == len(MESSAGES) == 12


@pytest.mark.parametrize("torture", MESSAGES, ids=lambda torture: torture.name)
def test_outcome(torture: Torture) -> None:
    try:
        message = parse(torture.data)
        message.check()
        status = READ
    except RemoteProtocolError as error:
        status = error.status
    assert status == torture.decodes


@pytest.mark.parametrize("torture", MESSAGES, ids=lambda torture: torture.name)
def test_what_a_user_agent_answers(torture: Torture) -> None:
    wire = Wire()
    agent = UserAgent(Identity("room"), random.Random(1))
    wire.attach(ROOM, agent)
    agent.receive_data(Flow("udp", ROOM, TORTURER), torture.data, wire.now)
    wire.pass_time(0.0)
    incoming = [event for event in wire.events[ROOM] if isinstance(event, Incoming)]
    if torture.answer == 180:
        [event] = incoming
        event.session.ring(wire.now)
        wire.pass_time(0.0)
    else:
        assert incoming == []
    answer = parse(wire.sent[-1][2])
    assert isinstance(answer, Response)
    assert answer.status == torture.answer
    assert wire.sent[-1][1].remote[0] == TORTURER[0], "where it came from, whatever received says"


def test_4_3_and_4_4_where_the_port_is() -> None:
    assert (read("port-ambiguous").uri.host, read("port-ambiguous").uri.port) == ("2001:db8::10:5070", None)
    assert (read("port-unambiguous").uri.host, read("port-unambiguous").uri.port) == ("2001:db8::10", 5070)


def test_4_5_received_with_and_without_brackets() -> None:
    for name in ("via-received-param-with-delim", "via-received-param-no-delim"):
        assert read(name).via.received == "2001:db8::9:255"


def test_4_7_both_families_in_one_list() -> None:
    vias = read("mult-ip-in-header").vias
    assert [(via.host, via.port) for via in vias] == [
        ("2001:db8::9:1", 6050),
        ("192.0.2.1", None),
        ("2001:db8::9:255", None),
    ]
    assert vias[2].received == "192.0.2.200"


@pytest.mark.parametrize(("host", "taken"), [("192.0.2.77", [True, False]), ("2001:db8::77", [False, True])])
def test_4_8_each_stream_has_its_own_family(host: str, taken: list[bool]) -> None:
    """What is not of our family is refused, the rest taken."""
    body = SDP_BOTH.replace("\n", "\r\n").replace("H263-1998/90000", "H264/90000").encode()
    answer = parse_description(SipMedia(Capabilities(), MemoryPorts(), host, 1).answer(body))
    assert [media.port != 0 for media in answer.media] == taken


def test_4_9_an_ipv4_address_in_the_clothes_of_ipv6() -> None:
    assert read("ipv4-mapped-ipv6").via.host == "::ffff:192.0.2.10"
    description = parse_description(SDP_MAPPED.replace("\n", "\r\n").encode())
    assert description.address_of(description.media[0]) == "::ffff:192.0.2.2"


def test_4_10_what_is_written_has_two_colons() -> None:
    assert str(read("ipv6-bug-abnf-3-colons").uri) == "sip:user@[2001:db8::192.0.2.1]"
