"""A Setup that comes in: whether it becomes a call (H.225.0 7.3.10, H.323 8.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.h323 import q931, user_information
from firmware.h323.address import decode_aliases
from firmware.h323.call_message import release_stray
from firmware.h323.cause import Cause
from firmware.h323.events import Incoming
from firmware.h323.q931 import MessageType
from firmware.h323.reception import Received, note_party, receive_control
from firmware.h323.session import Session

if TYPE_CHECKING:
    from firmware.h323.h460_tunnel import Tunnel
    from firmware.h323.layers import Layers
    from firmware.h323.q931 import Message
    from firmware.h323.streams import Stream
    from firmware.h323.user_information import UserInformation

_GOALS: Final = ("create", "join", "invite")
"""Values of conferenceGoal that mean a call."""


def receive_first(layers: Layers, stream: Stream, payload: bytes, now: float) -> None:
    """Take the first message on an accepted stream: a call begins, or the stream is closed."""
    try:
        message = q931.decode(payload)
    except DecodeError:
        layers.counters["malformed message"] += 1
        layers.streams.close(stream)
        return
    if message.type == MessageType.SETUP:
        if not receive_setup(layers, stream, message, now):
            layers.streams.close(stream)
        return
    layers.counters["message without a call"] += 1
    if message.type != MessageType.RELEASE_COMPLETE:
        # Q.931 5.8.3.2 a)
        _refuse(layers, stream, message, Cause.INVALID_CALL_REFERENCE, "undefinedReason")
    layers.streams.close(stream)


def receive_setup(
    layers: Layers, stream: Stream, message: Message, now: float, *, tunnel: Tunnel | None = None
) -> bool:
    """Take a Setup, on a connection of its own or by a gatekeeper's *tunnel*; False: it is refused."""
    try:
        contents = user_information.decode(message.user_information)
    except DecodeError:
        layers.counters["malformed Setup"] += 1
        _refuse(layers, stream, message, Cause.INVALID_ELEMENT_CONTENTS, "undefinedReason")
        return False
    refusal = _objection(layers, stream, contents, shared=tunnel is not None)
    if refusal is not None:
        layers.counters[f"refused: {refusal[1]}"] += 1
        _refuse(layers, stream, message, *refusal)
        return False
    _begin(layers, stream, message, contents, now, tunnel)
    return True


def _objection(layers: Layers, stream: Stream, contents: UserInformation, *, shared: bool) -> tuple[Cause, str] | None:
    """Give why this is no call for us, as cause and ReleaseCompleteReason.

    Of a *shared* connection, who is behind it can't be told by its far end.
    """
    if contents.name != "setup":
        return Cause.MANDATORY_ELEMENT_MISSING, "undefinedReason"
    if contents.body["conferenceGoal"][0] not in _GOALS:
        return Cause.NORMAL_UNSPECIFIED, "undefinedReason"
    host = stream.flow.remote[0]
    waiting = sum(not s.outgoing and not s.signaling.answered and s.flow.remote[0] == host for s in layers.sessions)
    crowded = waiting >= layers.identity.max_waiting_per_host and not shared
    if len(layers.sessions) >= layers.identity.max_sessions or crowded:
        # H.225.0 7.3.9: inConf is "called party busy".
        return Cause.USER_BUSY, "inConf"
    return None


def _begin(
    layers: Layers, stream: Stream, message: Message, contents: UserInformation, now: float, tunnel: Tunnel | None
) -> None:
    conference = contents.body["conferenceID"]
    session = Session(
        layers,
        stream,
        message.call_reference,
        # H.225.0 7.3: a terminal of version 1 tells calls apart by their conference.
        contents.call_identifier or conference,
        conference,
        outgoing=False,
        tunnelling=layers.identity.tunnelling,
        tunnel=tunnel,
    )
    layers.sessions.append(session)
    if tunnel is None:
        layers.streams.claim(stream, session)
    session.signaling.received(MessageType.SETUP, now)
    note_party(session, Received(message, contents), "sourceInfo", "sourceAddress")
    session.tokens = contents.tokens
    session.channel.far_end_tunnels(contents.tunnelling)
    session.channel.far_end_listens(contents.h245_address)
    proposals = contents.fast_start
    if proposals:
        session.fast_connect.propose(parallel="parallelH245Control" in contents.body)
    receive_control(session, contents, now)
    session.proceed(now)
    session.services.receive(contents.services, now)
    if session.ended:
        return
    called = decode_aliases(contents.body.get("destinationAddress"))
    layers.gate.answer(Incoming(session, proposals), called, now)
    session.h245.pump(now)


def _refuse(layers: Layers, stream: Stream, message: Message, cause: Cause, why: str) -> None:
    layers.streams.send(stream, release_stray(message, cause, why))
