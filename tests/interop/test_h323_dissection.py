"""tshark reads all that our terminals say to each other; nothing is sent, the capture is made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from h323_bench import TunnelBench
from h323_terminals import CAPABILITIES, PORTS, Bench, ScriptedBench, proposal
from interop.pcap import MARKED, Dissection, write_streams
from parties import established

from firmware.h323 import tpkt
from firmware.h323.cause import Cause
from firmware.h323.identity import Destination
from firmware.h323.q931 import MessageType as M
from firmware.h323.session import Session
from firmware.sansio import Flow

AS_H245 = tuple(word for port in PORTS for word in ("-d", f"tcp.port=={port},h245"))
Sent = list[tuple[float, Flow, bytes]]


Read = Callable[..., list[list[str]]]


@pytest.fixture
def read(program: Callable[[str], str], tmp_path: Path) -> Read:
    """Give fields of the packets that pass a display filter."""
    tshark = program("tshark")

    def fields(sent: Sent, wanted: str, *names: str) -> list[list[str]]:
        return Dissection(tshark, write_streams(tmp_path / "made-up.pcap", sent), AS_H245).lines(wanted, *names)

    return fields


def call(tunnelling: bool, fast: bool, early: bool) -> Sent:
    """Everything of one call, and of one that is refused."""
    bench = Bench(display_name="Büro", called={"max_sessions": 1})

    def answer(session: Session) -> None:
        session.alert(bench.wire.now)
        session.accept(CAPABILITIES, bench.wire.now, fast_start=[proposal(1, 6000)] if fast else [])

    bench.answer(answer)
    fast_start = [proposal(1, 5000), proposal(2, 5002, "g711Ulaw64k")] if fast else []
    destination = Destination((("h323-ID", "Saal"), ("dialledDigits", "300"), ("url-ID", "h323:saal@example.net")))
    session = bench.call(fast_start=fast_start, tunnelling=tunnelling, h245_in_setup=early, destination=destination)
    bench.settle()
    bench.call()
    bench.settle(25)
    session.release(Cause.NORMAL_CALL_CLEARING, bench.wire.now)
    bench.settle()
    return bench.wire.sent


@pytest.mark.interop
@pytest.mark.parametrize("tunnelling", [True, False])
@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("early", [True, False])
def test_calls(read: Read, tunnelling: bool, fast: bool, early: bool) -> None:
    sent = call(tunnelling, fast, early)
    assert read(sent, MARKED, "_ws.expert.message") == []
    assert len(read(sent, "tpkt", "frame.number")) == len(sent)
    types = {word for line in read(sent, "q931", "q931.message_type") for word in line}
    assert {"0x05", "0x02", "0x01", "0x07", "0x5a"} <= {word.lower() for word in types}
    assert len(read(sent, "h245", "frame.number")) >= 4


@pytest.mark.interop
def test_the_other_messages(read: Read) -> None:
    bench = ScriptedBench()
    session = bench.call(tunnelling=False, overlap=True)
    bench.say(M.SETUP_ACKNOWLEDGE, tunnelling=False)
    session.send_digits("12", bench.wire.now)
    bench.say(M.STATUS_INQUIRY, tunnelling=False)
    bench.say(M.CONNECT, tunnelling=False)
    session.release(Cause.USER_BUSY, bench.wire.now)
    bench.settle()
    ours = [entry for entry in bench.wire.sent if entry[1].local[0] == bench.address[0]]
    assert read(ours, MARKED, "_ws.expert.message") == []
    types = [line[0].lower() for line in read(ours, "q931", "q931.message_type")]
    assert types == ["0x05", "0x7b", "0x7d", "0x62", "0x5a"]
    assert read(ours, "q931.message_type == 0x5a", "q931.cause_value") == [["17"]]


@pytest.mark.interop
def test_ras_and_calls_by_one_connection(read: Read) -> None:
    bench = TunnelBench()
    for by_far_end in (True, False):
        ours, _ = established(bench, by_far_end=by_far_end)
        ours.hang_up()
        bench.wire.pass_time(70)
    sent = [entry for entry in bench.wire.sent if entry[2] != tpkt.encode(b"")]
    assert read(sent, MARKED, "_ws.expert.message") == []
    inside = read(sent, "q931.message_type == 0x62 && h225.RasMessage", "h225.RasMessage", "h225.genericData")
    assert len(inside) == len([1 for _, _, data in sent if data[8:9] == b"\x62" and data[6:8] in (b"\0\0", b"\x80\0")])
    tags = {int(words[0]) for words in inside}
    # RasMessage: registrationRequest, -Confirm, admissionRequest, -Confirm, disengageRequest, -Confirm
    assert {3, 4, 9, 10, 15, 16} <= tags
