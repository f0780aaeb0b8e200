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
PIECES += [b"Content-Type: multipart/mixed;boundary=b\r\n", b"Content-Length: 0\r\n", b"t: <sip:x>\r\n"]

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
]
STATES: list[Callable[[Line], InviteSession]] = [Line.dial, Line.established, Line.incoming, Line.taken]


def material(line: Line, session: InviteSession) -> list[bytes]:
    """Good messages that fit the call's state, and some that don't."""
    messages: list[Any] = [request(method, body=b"x") for method in ("INVITE", "CANCEL", "ACK", "BYE")]
    if session.state is not State.INCOMING:
        methods = ("INVITE", "ACK", "BYE", "INFO", "OPTIONS", "CANCEL", "UPDATE")
        messages += [line.in_dialog(method, cseq=cseq, body=b"offer") for method in methods for cseq in range(3)]
    statuses = (100, 180, 200, 302, 408, 481, 491)
    messages += [response(each, status) for each in line.peer.requests for status in statuses]
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
