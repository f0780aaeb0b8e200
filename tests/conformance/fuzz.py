"""What fuzzing throws octets at: all that reads what a far end sends in a call by SIP.

Run by hand, as long as one likes, with atheris, which knows from what is executed where to look on::

    pip install atheris
    PYTHONPATH=.:tests python -m conformance.fuzz sip

It begins with `corpus/`, which `test_corpus.py` reads in every run of the tests; what it finds belongs there: a line
for each input, in base64.
"""

from __future__ import annotations

import base64
import contextlib
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from firmware.errors import DecodeError

CORPUS = Path(__file__).parent / "corpus"


def kept(target: str) -> list[bytes]:
    """Give the inputs that are known for a target."""
    return [base64.b64decode(line) for line in (CORPUS / f"{target}.txt").read_text().split()]


def _pieces(data: bytes) -> Iterator[bytes]:
    """Divide an input into datagrams: an octet says how long the next one is."""
    while data:
        length = data[0] * 4 + 8
        yield data[1 : 1 + length]
        data = data[1 + length :]


def sip(data: bytes) -> None:
    """Messages, by datagram and by stream."""
    from conformance.test_sip_hostile import exercise

    from firmware.sip.stream import StreamReader

    exercise(data)
    StreamReader().receive(data)


def value(data: bytes) -> None:
    """URIs, and what else stands in a header field."""
    from conformance.test_sip_hostile import READERS

    for read in READERS:
        with contextlib.suppress(DecodeError):
            read(data.decode("utf-8", "surrogateescape"))


def sdp(data: bytes) -> None:
    """Session descriptions, as offer, answer and change."""
    from conformance.test_sdp_hostile import exercise

    exercise(data)


def rtp(data: bytes) -> None:
    """Packets of RTP and RTCP, one after the other."""
    from firmware.call.media import Feedback, Kind
    from firmware.rtp.session import Session

    session = Session(
        Kind.VIDEO, 90_000, random.Random(1), "end", 0.0, bandwidth=1_000_000, feedback=frozenset(Feedback)
    )
    for number, piece in enumerate(_pieces(data)):
        now = 0.03 * number
        session.send(b"x", 2700 * number, True, 96, now)
        session.receive(piece, now)
        session.receive_control(piece, now)
        session.request_key_frame(now)
        due = session.timer()
        if due is not None and due <= now:
            session.handle_timer(now)
    session.statistics(99.0)
    session.close(99.0)


def payload(data: bytes) -> None:
    """Payloads of every format that is not a decoder's own matter."""
    from firmware.rtp import h261, h263, h263_rfc2190
    from firmware.rtp.h264 import Depacketizer
    from firmware.rtp.packet import Packet
    from firmware.rtp.telephone_event import EventReceiver

    pictures = (Depacketizer(), h263.depacketizer(), h263_rfc2190.depacketizer(), h261.depacketizer())
    events = EventReceiver()
    for number, piece in enumerate(_pieces(data)):
        packet = Packet(96, number % 3 == 0, number, number // 3 * 3000, 1, piece, (), 0, len(piece))
        for depacketizer in pictures:
            depacketizer.receive(packet)
        events.receive(packet, 0.02 * number)


def stun(data: bytes) -> None:
    """STUN messages: to who checks, and to who gathers candidates."""
    from conformance.test_ice_hostile import HERE, SERVER, THERE, agent, decode

    from firmware.ice.gathering import Gathering
    from firmware.ice.turn_server import TurnServer

    decode(data)
    checking = agent()
    gathering = Gathering({1: HERE}, [THERE], TurnServer(SERVER, "room", "secret"), random.Random(1), 0.0)
    for source in (THERE, SERVER):
        checking.receive(1, data, source, 0.0)
        gathering.receive(1, data, source, 0.0)


SEPARATOR = b"\n~~\n"
"""Between the messages of a call."""
MAX_MESSAGES = 8


def call(data: bytes) -> None:
    """What a far end says while a unit calls it, and calls of its own.

    ``@V @F @T @C @Q`` stand for the fields of the unit's INVITE: Via, From, To, Call-ID, CSeq; ``@N`` for a number.
    """
    from conformance.test_behaviours_sip import FAR, UNIT, SipBench
    from parties import Wanderer

    from firmware.call.call import Call, EndReason, State
    from firmware.errors import CallError
    from firmware.sansio import Flow
    from firmware.sip.message import Request, parse

    bench = SipBench()
    bench.wire.cores.pop(FAR)
    endpoint = bench.unit_endpoint

    def unknown(leg: Any, search: Any, then: object) -> None:
        search.close()
        leg.fail(EndReason.UNREACHABLE, "no names are known here")

    endpoint._search = unknown  # type: ignore[method-assign]
    unit = Wanderer(endpoint, bench.unit.address)

    def answer(ringing: Call) -> None:
        with contextlib.suppress(CallError):
            ringing.alert()
            ringing.accept()

    unit.when_called = answer
    unit.dial(bench.far)
    bench.wire.collect()
    invite = next(parse(sent) for _, _, sent in bench.wire.sent if sent.startswith(b"INVITE"))
    assert isinstance(invite, Request)
    fields = {name[:1]: invite.headers.get(name) or "" for name in ("Via", "From", "To", "Call-ID")}
    words = {f"@{letter}": value for letter, value in {**fields, "Q": str(invite.cseq)}.items()}
    for number, piece in enumerate(data.split(SEPARATOR)[:MAX_MESSAGES]):
        for word, value in (*words.items(), ("@N", str(number))):
            piece = piece.replace(word.encode(), value.encode())
        bench.agents[0].receive_data(Flow("udp", UNIT, FAR), piece, bench.wire.now)
        bench.wire.pass_time(0.3)
        for each in [known for known in unit.calls if number == 2 and known.state is State.ACTIVE]:
            with contextlib.suppress(CallError):
                each.hold(True)
                each.send_digit("5")
                each.request_key_frame()
    bench.wire.pass_time(100.0)
    for each in unit.calls:
        each.hang_up()
    bench.wire.pass_time(100.0)
    assert all(each.state is State.ENDED for each in unit.calls)
    bench.check_clean()


TARGETS: dict[str, Callable[[bytes], None]] = {
    function.__name__: function for function in (sip, value, sdp, rtp, payload, stun, call)
}


def main() -> None:
    """Fuzz a target until something is found; arguments after its name are libFuzzer's."""
    import atheris

    target = sys.argv.pop(1)
    with atheris.instrument_imports(include=["firmware"]):
        TARGETS[target](b"")
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(kept(target)):
            (Path(folder) / str(number)).write_bytes(data)
        atheris.Setup([sys.argv[0], folder, *sys.argv[1:]], TARGETS[target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
