"""What Asterisk, H323Plus and GnuGk said in real calls, said to our terminal: it must take part to the end.

The captured side speaks at its own pace, whatever we answer; only the call reference is made ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from conformance.h323_transcript import Connection, connections
from h323_terminals import CAPABILITIES, ScriptedBench, proposal

from firmware.h323 import events, q931, tpkt, user_information
from firmware.h323.cause import Cause
from firmware.h323.control import events as control

US = "127.0.0.1"


@dataclass(frozen=True)
class Case:
    """One call of a capture, and what must come of it."""

    capture: str
    number: int = 0
    """Of the connection of call signalling."""
    display_name: str = ""
    proposals: int = 0
    """OpenLogicalChannel structures in its fastStart."""
    channels: int = 0
    """Logical channels that it asks for."""
    capabilities: bool = True
    ends: bool = True
    """Whether this side ends the call, or answers to the end."""

    def __str__(self) -> str:
        return f"{self.capture} {self.number}"


CALLERS = [
    Case("ast1-ast2", 0, "asterisk", proposals=6),
    Case("ast1-ast2-slow", 0, "asterisk", channels=1),
    Case("ast-to-h323p", 0, "asterisk", proposals=6, channels=1),
    Case("ast-to-h323p", 1, "asterisk", channels=1),
    Case("gk-open-routed", 0, "alice", channels=2, ends=False),
    Case("gk-auth-h2351", 1, "alice", channels=2),
    Case("h323p-fast-tun", 0, "alice", proposals=40, capabilities=False),
    Case("h323p-h264-slowtun", 0, "alice", channels=2),
    Case("h323p-slow-notun", 0, "alice", channels=2),
    Case("h323p-slow-tun", 0, "alice", channels=2),
]
CALLED = [
    Case("ast1-ast2", 0, "asterisk2", proposals=2, ends=False),
    Case("ast1-ast2-slow", 0, "asterisk2", channels=1),
    Case("ast-to-h323p", 0, "h323p", channels=1, ends=False),
    Case("ast-to-h323p", 1, "h323p", channels=1),
    Case("gk-open-routed", 0, "bob", channels=2),
    Case("gk-auth-h2351", 1, "bob", channels=2),
    Case("h323p-fast-tun", 0, "bob", proposals=3, capabilities=False),
    Case("h323p-h264-slowtun", 0, "bob", channels=2),
    Case("h323p-slow-notun", 0, "bob", channels=2),
    Case("h323p-slow-tun", 0, "bob", channels=2),
]


def transcript(case: Case) -> tuple[Connection, Connection | None]:
    """Give the call's connection of call signalling, and that of H.245, if it has one."""
    found = connections(case.capture)
    signalling = [connection for connection in found if connection.signals][case.number]
    after = found[found.index(signalling) + 1 :]
    return signalling, after[0] if after and not after[0].signals else None


def check(bench: ScriptedBench, case: Case) -> None:
    (session,) = {event.session for event in bench.unit.events}
    assert session.remote.display_name == case.display_name
    assert session.remote.product
    assert len(bench.unit.control(control.ChannelRequested)) == case.channels
    assert bool(bench.unit.control(control.CapabilitiesReceived)) is case.capabilities
    assert not [kind for kind in bench.unit.terminal.counters if "malformed" in kind or "unknown" in kind]
    if case.ends:
        assert bench.unit.ended.by_far_end
        # One side of gk-open-routed was killed.
        assert bench.unit.ended.cause in (Cause.NORMAL_CALL_CLEARING, Cause.NORMAL_UNSPECIFIED, Cause.PROTOCOL_ERROR)
        bench.check_clean()
    else:
        assert bench.unit.of(events.Ended) == []


@pytest.mark.parametrize("case", CALLERS, ids=str)
def test_captured_caller(case: Case) -> None:
    signalling, control_connection = transcript(case)
    bench = ScriptedBench((US, "127.0.0.20"))

    def react(event: events.Event) -> None:
        if isinstance(event, events.Incoming):
            event.session.alert(bench.wire.now)
            chosen = [proposal(1, 6000)] if event.fast_start else []
            event.session.accept(CAPABILITIES, bench.wire.now, fast_start=chosen)

    bench.wire.on_event[bench.address] = react
    setup, *rest = signalling.of(opener=True)
    flow = bench.far.open(bench.far_address, bench.address)
    bench.far.send_octets(flow, tpkt.encode(setup))
    bench.settle()
    (incoming,) = bench.unit.of(events.Incoming)
    assert len(incoming.fast_start) == case.proposals
    if control_connection is not None:
        connect = user_information.decode(bench.far.messages()[-1][0].user_information)
        assert connect.h245_address
        h245_flow = bench.far.open(bench.far_address, connect.h245_address)
        for payload in control_connection.of(opener=True):
            bench.far.send_octets(h245_flow, tpkt.encode(payload))
            bench.settle(0.01)
    for payload in rest:
        bench.far.send_octets(flow, tpkt.encode(payload))
        bench.settle(0.01)
    bench.settle()
    check(bench, case)


@pytest.mark.parametrize("case", CALLED, ids=str)
def test_captured_called(case: Case) -> None:
    signalling, control_connection = transcript(case)
    answers = signalling.of(opener=False)
    told = [a for a in (user_information.decode(q931.decode(p).user_information).h245_address for p in answers) if a]
    bench = ScriptedBench((US, told[0][0] if told else "127.0.0.31"), [port for _, port in told])
    fast = [proposal(1, 5000)] if case.proposals else []
    bench.call(fast_start=fast, tunnelling=not told)
    (flow,) = bench.far.flows
    for payload in answers:
        message = q931.decode(payload)
        if message.type == q931.MessageType.RELEASE_COMPLETE and control_connection is not None:
            for h245_payload in control_connection.of(opener=False):
                bench.far.send_octets(bench.far.flows[1], tpkt.encode(h245_payload))
            bench.settle()
        ours = (0x8000 | bench.far.call_reference).to_bytes(2, "big")
        bench.far.send_octets(flow, tpkt.encode(payload[:2] + ours + payload[4:]))
        bench.settle(0.05)
    bench.settle()
    assert len(bench.unit.of(events.Connected)) == 1
    assert [len(event.channels) for event in bench.unit.of(events.FastStart)] == [case.proposals] * bool(fast)
    check(bench, case)
