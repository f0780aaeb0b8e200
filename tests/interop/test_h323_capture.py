"""tshark reads what we say in H.323 calls, every behaviour of both ends and real calls, without marking any of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from behaviours import BEHAVIOURS
from conftest import missing
from h323_bench import FAR, H323Bench
from h323_exchange import Exchange
from h323_terminals import CAPABILITIES, PORTS, Bench
from interop.conftest import SMALL
from interop.pcap import MARKED, Dissection, write_streams
from interop.unit import Settings, Unit

from firmware import config
from firmware.call.call import EndReason
from firmware.call.media import Encryption
from firmware.errors import LocalProtocolError
from firmware.h323 import events, h450
from firmware.h323.cause import Cause
from firmware.h323.control.events import ChannelRequested
from firmware.h323.q931 import MessageType
from firmware.sansio import Address, Flow

H245_PORTS = range(config.H323().h245_first_port, config.H323().h245_last_port + 1)
AS_H245 = [word for port in (*H245_PORTS, *PORTS) for word in ("-d", f"tcp.port=={port},h245")]
RTP = ("unicastAddress", ("iPAddress", {"network": bytes((192, 0, 2, 9)), "tsapIdentifier": 5000}))
Sent = list[tuple[float, Flow, bytes]]


MISREAD = 'h450.2.callIdentity == ""'
"""X.691 10.9.3.3: a string of no characters is not aligned; tshark 4.0 aligns it, and reads on in the wrong place."""


class Scenes:
    """What was sent on several virtual networks, as if one after the other among other hosts."""

    def __init__(self) -> None:
        self.sent: Sent = []
        self._begin = 0.0
        self._count = 0

    def add(self, sent: Iterable[tuple[float, Flow, bytes]]) -> None:
        latest = self._begin
        for at, flow, data in sent:
            latest = max(latest, self._begin + at)
            moved = replace(flow, local=self._moved(flow.local), remote=self._moved(flow.remote))
            self.sent.append((self._begin + at, moved, data))
        self._begin, self._count = latest + 1, self._count + 1

    def _moved(self, address: Address) -> Address:
        port = 1720 if address[1] == FAR[1] else address[1]  # tshark knows the well-known port only
        return address[0].replace("192.0.2.", f"10.0.{self._count}."), port

    def read(self, tshark: str, path: Path) -> Dissection:
        return Dissection(tshark, write_streams(path, self.sent), AS_H245)


def assert_all_is_read(dissection: Dissection, count: int, *, but: str = "frame.number == 0") -> None:
    wrong = f"({MARKED}) && !({but})"
    assert dissection.lines(wrong, "frame.number", "frame.protocols", "_ws.expert.message") == []
    assert dissection.lines("!h225 && !h245", "frame.number") == []
    assert len(dissection.lines("tcp", "frame.number")) == count


@pytest.mark.parametrize("fast_connect", [False, True], ids=["slow", "fast"])
@pytest.mark.parametrize("tunnelling", [True, False], ids=["tunnelled", "separate"])
def test_behaviours(program: Callable[[str], str], tmp_path: Path, tunnelling: bool, fast_connect: bool) -> None:
    scenes = Scenes()
    for behaviour in BEHAVIOURS:
        bench = H323Bench(tunnelling, fast_connect)
        behaviour(bench)
        for call in (*bench.unit.calls, *bench.far.calls):
            call.hang_up()
        bench.wire.pass_time(5)
        scenes.add(bench.wire.sent)
    seen = scenes.read(program("tshark"), tmp_path / "behaviours.pcap")
    assert_all_is_read(seen, len(scenes.sent), but=MISREAD)
    wanted = {MessageType.SETUP, MessageType.CALL_PROCEEDING, MessageType.ALERTING, MessageType.CONNECT}
    assert {int(value, 0) for value in seen.values("q931.message_type")} >= {*wanted, MessageType.RELEASE_COMPLETE}
    assert bool(seen.lines("h225 && h245", "frame.number")) is tunnelling
    assert bool(seen.lines("h225.fastStart", "frame.number")) is fast_connect
    names = seen.lines("h245.openLogicalChannelAck_element || h245.terminalCapabilitySetAck_element", "frame.number")
    assert names


@pytest.mark.parametrize("tunnelling", [True, False], ids=["tunnelled", "separate"])
def test_all_that_a_control_can_say(program: Callable[[str], str], tmp_path: Path, tunnelling: bool) -> None:
    scenes = Scenes()
    bench = Bench(tunnelling=tunnelling)

    def react(event: events.Event) -> None:
        match event:
            case events.Incoming(session=session):
                session.alert(bench.wire.now)
                session.accept(CAPABILITIES, bench.wire.now)
            case events.Control(session=session, event=ChannelRequested(number=number)):
                there = {"mediaChannel": RTP, "mediaControlChannel": RTP}
                session.control.accept_channel(number, there, bench.wire.now)

    for party in (bench.caller, bench.called):
        bench.wire.on_event[party.address] = react
    bench.call()
    bench.settle()
    for party in (bench.caller, bench.called):
        (session,) = party.terminal.sessions
        control, now = session.control, bench.wire.now
        audio = {"sessionID": 1, "mediaGuaranteedDelivery": False, "silenceSuppression": False}
        number = control.open_channel(("audioData", ("g711Alaw64k", 20)), audio, now)
        commands: list[Callable[[], object]] = [
            lambda c=control, n=number, t=now: c.request_key_frame(n, t),  # type: ignore[misc]
            lambda c=control, n=number, t=now: c.limit(n, 64_000, t),  # type: ignore[misc]
            lambda c=control, n=number, t=now: c.indicate_activity(n, True, t),  # type: ignore[misc]
            lambda c=control, t=now: c.digit("5", t),  # type: ignore[misc]
            lambda c=control, t=now: c.digit("#", t, duration=0.1),  # type: ignore[misc]
            lambda c=control, t=now: c.request_mode([[{"type": ("audioMode", ("g711Ulaw64k", None))}]], t),  # type: ignore[misc]
            lambda c=control, n=number, t=now: c.request_close(n, t),  # type: ignore[misc]
            lambda c=control, n=number, t=now: c.close_channel(n, t),  # type: ignore[misc]
            lambda c=control, t=now: c.send_capabilities({"protocolIdentifier": "0.0.8.245.0.13"}, t),  # type: ignore[misc]
            lambda s=session: s.send_status(Cause.RESPONSE_TO_STATUS_ENQUIRY),  # type: ignore[misc]
            lambda s=session: s.send(MessageType.STATUS_INQUIRY, {}),  # type: ignore[misc]
        ]
        for command in commands:
            with contextlib.suppress(LocalProtocolError):
                command()
            bench.settle()
    bench.settle(60)
    for session in bench.caller.terminal.sessions:
        session.release(Cause.NORMAL_CALL_CLEARING, bench.wire.now)
    bench.settle()
    scenes.add(bench.wire.sent)
    seen = scenes.read(program("tshark"), tmp_path / "call.pcap")
    assert_all_is_read(seen, len(scenes.sent))
    kinds = {kind: len(seen.values(f"h245.{kind}")) for kind in ("request", "response", "command", "indication")}
    assert min(kinds["request"], kinds["response"]) >= 6
    assert kinds["command"] >= 3
    assert kinds["indication"] >= 2


Scene = Callable[[Exchange], None]


def transfer(exchange: Exchange) -> None:
    ours, _ = exchange.call("A", "B")
    ours.transfer("h323:4711@192.0.2.3")


def transfer_of_somebody_who_declines(exchange: Exchange) -> None:
    exchange["B"].follows = False
    ours, _ = exchange.call("A", "B")
    ours.transfer("h323:192.0.2.3")


def transfer_to_somebody_who_is_busy(exchange: Exchange) -> None:
    exchange["C"].when_called = lambda call: call.hang_up(EndReason.BUSY)
    ours, _ = exchange.call("A", "B")
    ours.transfer("h323:192.0.2.3")


def transfer_after_consultation(exchange: Exchange) -> None:
    with_b, _ = exchange.call("A", "B")
    with_b.hold(True)
    exchange.settle()
    with_c, _ = exchange.call("A", "C")
    with_b.transfer(with_c)


def consultation_that_comes_to_nothing(exchange: Exchange) -> None:
    exchange["B"].follows = False
    with_b, _ = exchange.call("A", "B")
    with_c, _ = exchange.call("A", "C")
    with_b.transfer(with_c)


def hold_and_wait(exchange: Exchange) -> None:
    ours, theirs = exchange.call("A", "B")
    for call in (ours, theirs):
        for on in (True, False):
            call.hold(on)
            exchange.settle()
    exchange["B"].when_called = lambda call: call.alert(waiting=True)
    exchange["C"].dial(exchange["B"])


def far_end_that_lies(exchange: Exchange) -> None:
    exchange.call("A", "B")
    for terminal in exchange.terminals[:2]:
        (session,) = terminal.sessions
        operations = session.services.operations
        for component in (h450.Result(9), h450.Failure(9, "undefined"), h450.Reject(9, ("general", 0))):
            operations.send(h450.encode([component]))
        operations.send(operations.invoke("remoteHold", {}))
        operations.send(operations.invoke("remoteRetrieve", {}))
        session.h245.pump(exchange.wire.now)
        exchange.settle()


def modes_and_limits(exchange: Exchange) -> None:
    exchange.call("A", "B")
    (session,) = exchange.terminals[0].sessions
    control, now = session.control, exchange.wire.now
    sound = {"type": ("audioMode", ("g711Ulaw64k", None))}
    control.request_mode([[sound]], now)
    exchange.settle()
    control.request_mode([[{"type": ("audioMode", ("g728", None))}], [sound]], now)
    control.limit(None, 300_000, now)
    exchange.settle()


def keys_anew(exchange: Exchange) -> None:
    exchange.call("A", "B")
    for terminal in exchange.terminals[:2]:
        (session,) = terminal.sessions
        ours = "masterToSlave" if session.control.master else "slaveToMaster"
        request = {"logicalChannelNumber": 1, "type": ("encryptionUpdateRequest", {}), "direction": (ours, None)}
        session.control._link.command("miscellaneousCommand", request)
        session.h245.pump(exchange.wire.now)
        exchange.settle()


SCENES: tuple[Scene, ...] = (
    *(transfer, transfer_of_somebody_who_declines, transfer_to_somebody_who_is_busy),
    *(transfer_after_consultation, consultation_that_comes_to_nothing),
    *(hold_and_wait, far_end_that_lies, modes_and_limits, keys_anew),
)


@pytest.mark.parametrize("encryption", [Encryption.OFF, Encryption.REQUIRED], ids=["clear", "encrypted"])
@pytest.mark.parametrize("mode", ["tunnelled", "separate", "fast"])
def test_services(program: Callable[[str], str], tmp_path: Path, mode: str, encryption: Encryption) -> None:
    scenes = Scenes()
    for scene in SCENES:
        exchange = Exchange(encryption=encryption, **MODES[mode][0])
        scene(exchange)
        exchange.settle(5)
        exchange.check_clean()
        scenes.add(exchange.wire.sent)
    seen = scenes.read(program("tshark"), tmp_path / "services.pcap")
    assert_all_is_read(seen, len(scenes.sent), but=MISREAD)
    codes = {int(value) for value in seen.values("h450.ros.local")}
    assert codes >= {7, 8, 9, 10, 101, 102, 103, 104, 105}, "the operations of H.450.2, .4 and .6"
    is_encrypted = encryption is Encryption.REQUIRED
    for field in ("h245.h235Media_element", "h235.dhkey_element", "h245.encryptionUpdateCommand_element"):
        assert bool(seen.lines(field, "frame.number")) is is_encrypted


def test_what_is_wrong_is_marked(program: Callable[[str], str], tmp_path: Path) -> None:
    bench = Bench()
    bench.answer_at_once()
    bench.call()
    bench.settle()
    scenes = Scenes()
    for at in range(40, 60):
        damaged = [(when, flow, data[:-at] + bytes(at)) for when, flow, data in bench.wire.sent if len(data) > 100]
        scenes.add(damaged)
    seen = scenes.read(program("tshark"), tmp_path / "damaged.pcap")
    assert len(seen.lines(MARKED, "frame.number")) > len(scenes.sent) / 2


# Real calls


@contextlib.contextmanager
def captured(dumpcap: str, path: Path, hosts: Iterable[str]) -> Iterator[None]:
    """Capture on the loopback what passes between these."""
    wanted = " or ".join(f"host {host}" for host in hosts)
    command = [dumpcap, "-q", "-i", "lo", "-s", "0", "-B", "32", "-w", str(path), "-f", wanted]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if line.startswith("File:"):
                    break
            else:
                if os.geteuid() == 0:
                    missing("capturing on the loopback")
                pytest.skip("capturing is for root only here")
            time.sleep(0.3)
            yield
            time.sleep(0.3)
        finally:
            process.terminate()
            process.wait(10)


def begin(caller: Unit, callee: Unit) -> None:
    caller.dial(callee.h323_url)
    caller.wait_for_call()
    callee.wait_for_call()


def end(unit: Unit, other: Unit) -> None:
    unit.command(unit.wait_for_call(), "hang_up")
    unit.wait_for_idle()
    other.wait_for_idle()


MODES: dict[str, tuple[dict[str, bool], str]] = {
    "tunnelled": ({}, "off"),
    "separate": ({"tunnelling": False}, "off"),
    "fast": ({"fast_connect": True}, "off"),
    "encrypted": ({}, "required"),
}
"""Settings of H.323, and of encryption."""


@pytest.fixture(scope="module", params=MODES)
def call(
    request: pytest.FixtureRequest, program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Dissection, str, list[str]]:
    """Two calls between two units, with all that may be done in one; with the mode's name and both addresses."""
    tshark = program("tshark")
    dumpcap = shutil.which("dumpcap") or ""
    folder = tmp_path_factory.mktemp("capture")
    h323, encryption = MODES[request.param]
    settings: Settings = {"h323": h323, "media": {**SMALL, "encryption": encryption}}
    with Unit(folder / "one", settings) as one, Unit(folder / "other", settings, tone=880) as other:
        hosts = [one.address, other.address]
        with captured(dumpcap, folder / "call.pcapng", hosts):
            begin(one, other)
            time.sleep(5.5)  # RFC 3550 6.2: reports come every 5 s
            for unit, digits in ((one, "17#"), (other, "48*")):
                number = unit.wait_for_call()
                unit.command(number, "digits", {"digits": digits})
                time.sleep(1.5)
                for command in ("hold", "resume"):
                    unit.command(number, command)
                    time.sleep(0.7)
            end(other, one)
            begin(other, one)
            time.sleep(1)
            end(other, one)
    options = [*AS_H245, "-o", "h264.dynamic.payload.type:97,98"]
    return Dissection(tshark, folder / "call.pcapng", options), request.param, hosts


def test_nothing_is_marked_in_a_real_call(call: tuple[Dissection, str, list[str]]) -> None:
    seen, mode, _ = call
    media = "" if mode == "encrypted" else "|| rtp || rtcp"
    found = seen.lines(
        f"(h225 || h245 || tpkt || q931 {media}) && ({MARKED})",
        *("frame.number", "frame.protocols", "_ws.expert.message"),
    )
    assert [packet for packet in found if packet[2] != "[Not decoded yet]"] == []


def test_signalling_of_a_real_call_is_all_read(call: tuple[Dissection, str, list[str]]) -> None:
    seen, mode, _ = call
    unread = "tcp.len > 0 && !tcp.analysis.retransmission && !h225 && !h245 && (tcp.port == 1720 || tcp.port == 16300)"
    assert seen.lines(unread, "frame.number", "frame.protocols") == []
    assert len(seen.lines("h225.setup_element", "frame.number")) == 2
    assert len(seen.lines("h225.releaseComplete_element", "frame.number")) >= 2, "where H.245 ends first both say it"
    assert bool(seen.lines("h245 && !h225", "frame.number")) is (mode == "separate")
    assert bool(seen.lines("h225.fastStart", "frame.number")) is (mode == "fast")


def test_media_of_a_real_call_are_all_read(call: tuple[Dissection, str, list[str]]) -> None:
    """By what H.245 and fast connect said of them: tshark is told no port."""
    seen, mode, hosts = call
    if mode == "encrypted":
        assert {line[0] for line in seen.lines("rtp", "rtp.p_type")} == {"104", "105"}
        assert seen.lines("h245.encryptionSync_element && h245.h235Key", "frame.number")
        return
    assert seen.lines("udp && !rtp && !rtcp", "frame.number", "frame.protocols", "udp.dstport") == []
    for host in hosts:
        kinds = {line[0] for line in seen.lines(f"ip.src == {host} && rtp", "rtp.p_type")}
        assert "102" in kinds, "Opus"
        assert kinds & {"97", "98"}, "H.264"
        assert seen.lines(f"ip.src == {host} && rtcp.pt == 200", "frame.number"), "reports"
        assert seen.lines(f"ip.src == {host} && h264", "frame.number")


def test_digits_of_a_real_call_are_read(call: tuple[Dissection, str, list[str]]) -> None:
    seen, _, hosts = call
    for host, wanted in zip(hosts, ("17#", "48*"), strict=True):
        said = seen.lines(f"ip.src == {host} && h245.userInput", "h245.signalType", "h245.alphanumeric")
        assert "".join("".join(line) for line in said) == wanted
