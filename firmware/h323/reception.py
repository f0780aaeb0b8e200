"""What the messages of call signalling do to a call, by type (H.225.0 7.3, 7.4; H.323 8).

Rule: a message counts for what can be read of it.  One that makes no sense in the call's state may still carry H.245.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.h323 import identity, information_element, q931, user_information
from firmware.h323.address import decode_aliases, decode_transport
from firmware.h323.call_message import release_stray
from firmware.h323.cause import CAUSES, Cause
from firmware.h323.events import Alerting, Connected, Digit, FastStart, Forwarded
from firmware.h323.q931 import Element, Message, MessageType

if TYPE_CHECKING:
    from firmware.h323.session import Session
    from firmware.h323.user_information import UserInformation

_KEYS: Final = frozenset("0123456789*#")


@dataclass(frozen=True, slots=True)
class Received:
    """A message and what its User-user element carries."""

    message: Message
    contents: UserInformation


def receive(session: Session, payload: bytes, now: float) -> None:
    """Take the next message on the connection of a call."""
    streams = session.layers.streams
    try:
        message = q931.decode(payload)
    except DecodeError:
        if streams.blame(session.stream):
            session.finish(Cause.PROTOCOL_ERROR, now, detail="too many malformed messages")
        return
    if message.call_reference == session.call_reference:
        receive_message(session, message, now)
    else:
        _receive_stray(session, message)


def receive_message(session: Session, message: Message, now: float) -> None:
    """Take the next message of a call."""
    if session.ended:
        if message.type == MessageType.RELEASE_COMPLETE:
            session.leave()  # both ends did at once
        return
    contents = _contents(session, message)
    session.services.receive(contents.services, now)
    if session.ended:
        return
    handle = _HANDLERS.get(message.type)
    if handle is not None:
        handle(session, Received(message, contents), now)
    elif message.type not in _IGNORED:
        # Q.931 5.8.4: the far end shall know that it was not understood.
        session.layers.counters["unknown message"] += 1
        session.send_status(Cause.MESSAGE_TYPE_NOT_IMPLEMENTED)


def note_party(session: Session, received: Received, endpoint: str, aliases: str) -> None:
    """Keep what a message says of the far end, where it says something."""
    elements, body, before = received.message.elements, received.contents.body, session.remote
    numbers = (elements.get(Element.CONNECTED_NUMBER), elements.get(Element.CALLING_PARTY_NUMBER))
    session.remote = identity.Party(
        decode_aliases(body.get(aliases)) or before.aliases,
        information_element.decode_display(elements.get(Element.DISPLAY)) or before.display_name,
        next((n for n in map(information_element.decode_number, numbers) if n), before.number),
        identity.product(body.get(endpoint)) or before.product,
        decode_transport(body.get("sourceCallSignalAddress")) or before.address,
    )


def receive_control(session: Session, contents: UserInformation, now: float) -> None:
    """Take the H.245 messages that a message carries; who does not tunnel does not look (H.323 8.2.1)."""
    for octets in contents.control if session.channel.takes_tunnelled else ():
        session.h245.control_received(octets, now)


def _contents(session: Session, message: Message) -> UserInformation:
    try:
        return user_information.decode(message.user_information)
    except DecodeError:
        # A ReleaseComplete ends the call whatever it carries; Q.931 5.8.7.1 passes over bad contents in general.
        session.layers.counters["malformed user information"] += 1
        return user_information.NOTHING


def _receive_stray(session: Session, message: Message) -> None:
    """Answer a message of another call, which we have not: one connection carries one (maintainConnection is false)."""
    session.layers.counters["message of another call"] += 1
    if message.type == MessageType.SETUP:
        stray = release_stray(message, Cause.RESOURCE_UNAVAILABLE, "newConnectionNeeded")
    elif message.type == MessageType.RELEASE_COMPLETE or message.call_reference == 0:
        return
    else:
        # Q.931 5.8.3.2 a)
        stray = release_stray(message, Cause.INVALID_CALL_REFERENCE, "undefinedReason")
    session.layers.streams.send(session.stream, stray)


def _answer(session: Session, received: Received, now: float) -> None:
    """Take what the called side says on the way to its Connect."""
    if not session.outgoing:
        return
    note_party(session, received, "destinationInfo", "connectedAddress")
    session.tokens = received.contents.tokens or session.tokens
    changed = session.signaling.received(received.message.type, now)
    connects = changed and received.message.type == MessageType.CONNECT
    _note_transport(session, received.contents, last=connects)
    if changed and received.message.type == MessageType.ALERTING:
        session.layers.events.append(Alerting(session))
    if connects:
        conference = received.contents.body.get("conferenceID")
        session.conference_id = conference if isinstance(conference, bytes) else session.conference_id
        session.layers.events.append(Connected(session))
        session.h245.answered(now)
    receive_control(session, received.contents, now)
    if connects:
        session.h245.say_again()
        session.h245.begin(now)
    elif received.contents.control or (session.channel.far_address and not session.channel.tunnels):
        _begin_early(session, now)


def _begin_early(session: Session, now: float) -> None:
    if not session.fast_connect.pending:
        session.h245.begin(now)


def _note_transport(session: Session, contents: UserInformation, *, last: bool) -> None:
    """Keep what a message says about ways for H.245, and its answer to our fast connect proposals."""
    if last or not session.signaling.answered:
        session.channel.far_end_tunnels(contents.tunnelling)
    session.channel.far_end_listens(contents.h245_address)
    channels = session.fast_connect.read_answer(contents, last=last) if session.outgoing else None
    if channels is not None:
        session.layers.events.append(FastStart(session, channels))


def _facility(session: Session, received: Received, now: float) -> None:
    """Take a Facility (H.225.0 7.4.1)."""
    _note_transport(session, received.contents, last=False)
    receive_control(session, received.contents, now)
    if received.contents.reason in _FORWARDING and session.outgoing and not session.signaling.answered:
        _forward(session, received.contents, now)
    elif received.contents.reason == "startH245":
        _start_h245(session, now, at_their_address=received.contents.h245_address is not None)
    elif received.contents.control:
        _begin_early(session, now)


def _start_h245(session: Session, now: float, *, at_their_address: bool) -> None:
    # H.323 8.2.3: the far end wants a connection, also in place of the tunnel; without an address it wants ours.
    if at_their_address:
        session.channel.connect()
    elif not session.channel.tunnels and not session.channel.has_connection:
        session.h245.ask()
    session.h245.begin(now)


def _forward(session: Session, contents: UserInformation, now: float) -> None:
    address = decode_transport(contents.body.get("alternativeAddress"))
    aliases = decode_aliases(contents.body.get("alternativeAliasAddress"))
    if address is not None or aliases:
        session.layers.events.append(Forwarded(session, address, aliases))
    session.finish(
        CAUSES["facilityCallDeflection"],
        now,
        by_far_end=True,
        reason="facilityCallDeflection",
        detail=f"Facility {contents.reason}",
    )


def _information(session: Session, received: Received, now: float) -> None:
    _note_transport(session, received.contents, last=False)
    receive_control(session, received.contents, now)
    keys = information_element.decode_keypad(received.message.elements.get(Element.KEYPAD_FACILITY))
    session.layers.events.extend(Digit(session, key) for key in keys if key in _KEYS)


def _notify(session: Session, received: Received, now: float) -> None:
    note_party(session, received, "destinationInfo", "connectedAddress")
    receive_control(session, received.contents, now)


def _status_inquiry(session: Session, received: Received, now: float) -> None:
    receive_control(session, received.contents, now)
    session.send_status(Cause.RESPONSE_TO_STATUS_ENQUIRY)


def _status(session: Session, received: Received, now: float) -> None:
    receive_control(session, received.contents, now)
    state = information_element.decode_call_state(received.message.elements.get(Element.CALL_STATE))
    if state == 0:
        # Q.931 5.8.11: the far end has no such call.
        cause = information_element.decode_cause(received.message.elements.get(Element.CAUSE))
        session.finish(cause, now, by_far_end=True, silent=True, detail="the far end has no such call")


def _release_complete(session: Session, received: Received, now: float) -> None:
    receive_control(session, received.contents, now)  # endSessionCommand may be inside
    cause = information_element.decode_cause(received.message.elements.get(Element.CAUSE))
    if cause is None:
        cause = CAUSES.get(received.contents.reason)
    detail = received.contents.reason or "ReleaseComplete"
    session.finish(cause, now, by_far_end=True, silent=True, reason=received.contents.reason, detail=detail)


def _disconnect(session: Session, received: Received, now: float) -> None:
    """Take a Disconnect or Release, which H.225.0 does not use (7.1) and some gateways let through."""
    cause = information_element.decode_cause(received.message.elements.get(Element.CAUSE))
    session.finish(cause, now, by_far_end=True, detail="Disconnect or Release")


_Handler = Callable[["Session", Received, float], None]

_HANDLERS: Final[dict[int, _Handler]] = {
    MessageType.ALERTING: _answer,
    MessageType.CALL_PROCEEDING: _answer,
    MessageType.CONNECT: _answer,
    MessageType.PROGRESS: _answer,
    MessageType.SETUP_ACKNOWLEDGE: _answer,
    MessageType.DISCONNECT: _disconnect,
    MessageType.RELEASE: _disconnect,
    MessageType.RELEASE_COMPLETE: _release_complete,
    MessageType.FACILITY: _facility,
    MessageType.INFORMATION: _information,
    MessageType.NOTIFY: _notify,
    MessageType.STATUS: _status,
    MessageType.STATUS_INQUIRY: _status_inquiry,
}
_IGNORED: Final = (MessageType.SETUP, MessageType.CONNECT_ACKNOWLEDGE)
"""Q.931 5.8.3.2 c): a Setup for a call that exists; and an acknowledgement that H.225.0 does without."""
_FORWARDING: Final = ("callForwarded", "routeCallToGatekeeper", "routeCallToMC")
