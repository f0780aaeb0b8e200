"""Damaged messages in every state of a call, while the people at our end press buttons at random.

Whatever comes, ``receive_data`` raises nothing, each session ends once, and nothing is left in memory.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import Any

import pytest
from sip_peer import Line, flow, request, response

from firmware.errors import LocalProtocolError
from firmware.sansio import Send
from firmware.sip.events import Ended
from firmware.sip.invite import InviteSession, State
from firmware.sip.uri import Uri

PIECES = [b"\r\n", b";", b",", b"<", b">", b'"', b"\x00", b"\xff", b":", b"@", b" ", b"tag=", b";lr", b"sip:", b"tel:"]
PIECES += [
    b"99999999999",
    b"\r\n\r\n",
    b"[::1]",
    b"%41",
    b"branch=",
    b"CANCEL",
    b"BYE",
    b"ACK",
    b"INVITE",
    b"200",
    b"491",
]
PIECES += [
    b"Route: <sip:a>\r\n",
    b"Require: x\r\n",
    b"Contact: *\r\n",
    b"Expires: 0\r\n",
    b"Record-Route: <sip:1.2.3.4>\r\n",
]
PIECES += [
    b"Require: 100rel\r\n",
    b"Require: 100rel\r\nRSeq: 1\r\n",
    b"RSeq: 2\r\n",
    b"RAck: 1 1 INVITE\r\n",
    b"Supported: timer\r\nSession-Expires: 90\r\n",
    b"Session-Expires: 0;refresher=uas\r\n",
    b"Min-SE: 4000\r\n",
    b"Refer-To: <sip:c@10.0.0.3>\r\n",
    b"Refer-Sub: false\r\n",
    b"Event: refer\r\n",
    b"Subscription-State: terminated\r\n",
    b"Content-Type: message/sipfrag\r\n",
    b"SIP/2.0 200 OK\r\n",
    b"Replaces: a;to-tag=b;from-tag=c\r\n",
    b"Reason: SIP;cause=200\r\n",
    b"Allow: UPDATE\r\n",
]
PIECES += [b"Content-Type: multipart/mixed;boundary=b\r\n", b"Content-Length: 0\r\n", b"t: <sip:x>\r\n"]

TARGET = Uri.parse("sip:third@10.0.0.3")
COMMANDS: list[Callable[[InviteSession, float], None]] = [
    lambda session, now: session.ring(now),
    lambda session, now: session.accept(b"answer", now),
    lambda session, now: session.reject(486, now),
    lambda session, now: session.acknowledge(b"answer", now),
    lambda session, now: session.end(now),
    lambda session, now: session.reinvite(None, now),
    lambda session, now: session.reinvite(b"offer", now),
    lambda session, now: session.answer(b"answer", now),
    lambda session, now: session.refuse_offer(488, now),
    lambda session, now: session.info("application/dtmf", b"5", now),
    lambda session, now: session.ring(now, 183, b"early"),
    lambda session, now: session.accept(None, now),
    lambda session, now: session.answer_early(b"answer", now),
    lambda session, now: session.update(b"offer", now),
    lambda session, now: session.update(None, now),
    lambda session, now: session.referral.refer(TARGET, now),
    lambda session, now: session.referral.accept(now),
    lambda session, now: session.referral.refuse(603, now),
    lambda session, now: session.referral.notify(200, now),
]
FIELDS: dict[str, dict[str, str]] = {
    "PRACK": {"RAck": "1 1 INVITE"},
    "REFER": {"Refer_To": "<sip:c@10.0.0.3>"},
    "NOTIFY": {"Event": "refer", "Subscription_State": "active", "Content_Type": "message/sipfrag"},
    "UPDATE": {"Supported": "timer", "Session_Expires": "90"},
}
STATES: list[Callable[[Line], InviteSession]] = [Line.dial, Line.established, Line.incoming, Line.taken]


def sure(line: Line) -> InviteSession:
    """A call of a peer that wants to be sure that it rings."""
    session = line.incoming(Require="100rel")
    session.ring(line.now)
    return session


def referred(line: Line) -> InviteSession:
    """A call in which both sides have referred the other to somebody."""
    session = line.established()
    session.referral.refer(TARGET, line.now)
    line.send(line.in_dialog("REFER", Refer_To="<sip:c@10.0.0.3>"))
    return session


STATES += [sure, referred]


def material(line: Line, session: InviteSession) -> list[bytes]:
    """Good messages that fit the call's state, and some that don't."""
    messages: list[Any] = [request(method, body=b"x") for method in ("INVITE", "CANCEL", "ACK", "BYE")]
    if session.state is not State.INCOMING:
        methods = ("INVITE", "ACK", "BYE", "INFO", "OPTIONS", "CANCEL", "UPDATE", "PRACK", "REFER", "NOTIFY")
        messages += [
            line.in_dialog(method, cseq=cseq, body=b"offer", **FIELDS.get(method, {}))
            for method in methods
            for cseq in range(3)
        ]
    statuses = (100, 180, 200, 302, 408, 422, 481, 491)
    messages += [response(each, status) for each in line.peer.requests for status in statuses]
    reliable = {"Require": "100rel", "RSeq": "1"}
    messages += [response(each, 183, body=b"x", **reliable) for each in line.peer.requests if each.method == "INVITE"]
    return [message.encode() for message in messages]


def damaged(rng: random.Random, pool: list[bytes]) -> bytes:
    data = bytearray(rng.choice(pool))
    for _ in range(rng.choice([0, 0, 1, 1, 2, 4, 8])):
        position = rng.randrange(len(data) + 1)
        match rng.randrange(4):
            case 0:
                data[position : position + 1] = bytes([rng.randrange(256)])
            case 1:
                del data[position : position + rng.randrange(30)]
            case 2:
                data[position:position] = rng.choice(PIECES)
            case _:
                other = rng.choice(pool)
                start = rng.randrange(len(other))
                data[position:position] = other[start : start + rng.randrange(80)]
    return bytes(data)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("seed", range(5))
def test_damaged_messages(seed: int, state: Callable[[Line], InviteSession]) -> None:
    rng = random.Random(seed)
    for _ in range(6):
        line = Line()
        pool = material(line, state(line))
        agent, seen = line.agent, list(line.events)
        for _ in range(100):
            agent.receive_data(flow(), damaged(rng, pool), line.now)
            pool += [action.data for action in agent.actions() if isinstance(action, Send)]
            del pool[:-200]
            for event in agent.events():
                seen.append(event)
                with contextlib.suppress(LocalProtocolError):
                    rng.choice(COMMANDS)(event.session, line.now)
            if rng.random() < 0.2:
                line.wire.now += rng.random() * 3
                agent.handle_timer(line.now)
        for session in agent.sessions:
            session.end(line.now)
        line.wire.cores = {address: core for address, core in line.wire.cores.items() if core is agent}
        line.settle(1000)
        assert not any(agent.sizes.values())
        ended = [event.session for event in [*seen, *line.events] if isinstance(event, Ended)]
        assert len(set(map(id, ended))) == len(ended)
