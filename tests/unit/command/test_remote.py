from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from dataclasses import replace

import pytest
from simple_web import Web, on_web, run

from firmware.__main__ import main
from firmware.call.call import State
from firmware.call.media import Crypto, Direction, Kind, Suite
from firmware.call.registration import Registration, RegistrationState
from firmware.command.remote import flow
from firmware.media.message import Statistics, StreamStatistics
from firmware.ports import Health
from firmware.web.auth import hash_password


async def visavis(web: Web, *arguments: str) -> int:
    return await asyncio.to_thread(main, [*arguments, "--url", web.url])


def test_dial(capsys: pytest.CaptureFixture[str]) -> None:
    @on_web
    async def test(web: Web) -> None:
        assert await visavis(web, "dial", "sip:far@example.com") == 0
        assert web.endpoint.calls[0].remote == "sip:far@example.com"
        assert await visavis(web, "dial", "tel:1") == 1

    test()
    said = capsys.readouterr()
    assert said.out.endswith("to sip:far@example.com: dialing\n")
    assert said.err == "visavis: tel:1 is no SIP address\n"


def test_answer_and_hang_up(capsys: pytest.CaptureFixture[str]) -> None:
    @on_web
    async def test(web: Web) -> None:
        first, second = web.endpoint.ring("a@example.com", "A"), web.endpoint.ring("b@example.com")
        assert await visavis(web, "answer", second.id) == 0
        assert await visavis(web, "answer") == 0
        assert first.state is second.state is State.CONNECTING
        assert await visavis(web, "hangup", first.id) == 0
        assert await visavis(web, "hangup") == 0
        assert first.state is second.state is State.ENDED
        assert await visavis(web, "hangup") == 1
        assert await visavis(web, "answer", "../mute") == 1
        assert await visavis(web, "hangup", "\udcff") == 1

    test()
    said = capsys.readouterr()
    assert "with A (sip:a@example.com): connecting" in said.out
    assert said.err.splitlines()[0] == "visavis: there is no call"


def test_status(capsys: pytest.CaptureFixture[str]) -> None:
    @on_web
    async def test(web: Web) -> None:
        call = web.dialled()
        stream = StreamStatistics(
            Kind.VIDEO, Direction.SEND, "H264", 1_500_400, 9, 0, 0.012, 0.0, 0.0034, 29.9, 1280, 720
        )
        web.media.reports[call.id] = Statistics(call.id, (stream,))
        web.room.set_mute(True)
        web.room.set_fault("camera", "it is gone")
        web.room._absent = frozenset({"speaker"})
        web.room.set_health(Health(), ("The unit is too hot.",))
        call.hold(True)
        assert await visavis(web, "status") == 0
        assert await visavis(web, "status", "--json") == 0

    test()
    human, _, machine = capsys.readouterr().out.partition("{")
    lines = human.splitlines()
    assert lines[:4] == [
        "Aalto: ready",
        "  dialled as sip:room@192.0.2.1",
        "  volume 70, muted",
        "  The unit is too hot.",
    ]
    assert lines[4] == "  The camera does not work: it is gone"
    assert lines[5] == "  speaker: none, as configured"
    assert lines[6].endswith("to sip:far@example.com: active, on hold")
    assert lines[7] == "    sends video: H264, 1280x720, 30 frames/s, 1500 kbit/s, loss 1.2 %, round trip 3.4 ms"
    assert json.loads("{" + machine)["name"] == "Aalto"


def test_status_says_where_the_unit_is_registered(capsys: pytest.CaptureFixture[str]) -> None:
    @on_web
    async def test(web: Web) -> None:
        fine = Registration("SIP", "sip:a@b", "b", RegistrationState.REGISTERED, asyncio.get_running_loop().time() + 99)
        web.endpoint.registrations = (
            fine,
            replace(fine, protocol="H.323", address="4711", until=None),
            replace(fine, state=RegistrationState.TRYING, until=None),
            replace(fine, state=RegistrationState.FAILED, until=None, reason="the server does not answer"),
        )
        assert await visavis(web, "status") == 0

    test()
    lines = capsys.readouterr().out.splitlines()[3:]
    assert lines[0] in (
        "  registered by SIP as sip:a@b with b for 99 s",
        "  registered by SIP as sip:a@b with b for 98 s",
    )
    assert lines[1:] == [
        "  registered by H.323 as 4711 with b",
        "  registering by SIP as sip:a@b with b",
        "  not registered by SIP as sip:a@b with b: the server does not answer",
    ]


def test_status_says_whether_a_call_is_encrypted(capsys: pytest.CaptureFixture[str]) -> None:
    @on_web
    async def test(web: Web) -> None:
        call = web.dialled()
        assert await visavis(web, "status") == 0
        crypto = Crypto(Suite.AES_128_CBC, bytes(16))
        for each in (replace(crypto, exposed=True), crypto):
            call.media_changed([replace(channel, crypto=each) for channel in call.channels])
            assert await visavis(web, "status") == 0

    test()
    said = [line.rpartition(": ")[2] for line in capsys.readouterr().out.splitlines() if line.startswith("  call ")]
    assert said == [
        "active, not encrypted",
        "active, encrypted, but its key was sent in the clear",
        "active, encrypted",
    ]


def test_sound_has_no_size() -> None:
    stream = {
        "kind": "audio",
        "direction": "receive",
        "codec": "opus",
        "bitrate": 64000,
        "loss": 0.0,
        "round_trip": None,
    }
    assert flow(stream) == "receives audio: opus, 64 kbit/s, loss 0.0 %"


def test_the_password(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def test(web: Web) -> None:
        assert await visavis(web, "status") == 1
        monkeypatch.setenv("VISAVIS_PASSWORD", "\udcff wrong horse")
        assert await visavis(web, "status") == 1
        monkeypatch.setenv("VISAVIS_PASSWORD", "correct horse")
        assert await visavis(web, "status") == 0

    run(test, password_hash=hash_password("correct horse"))
    said = capsys.readouterr()
    needed, wrong = said.err.splitlines()
    assert needed.endswith("has a password: put its password into VISAVIS_PASSWORD")
    assert wrong.endswith("has a password: VISAVIS_PASSWORD is not its password")
    assert said.out.startswith("Aalto: ready")


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert main(["status", "--url", url]) == 1
    assert capsys.readouterr().err == f"visavis: no unit answers at {url}: Connection refused\n"


@pytest.mark.parametrize("url", ["localhost:8080", "https://localhost", "http://", "http://[::1"])
def test_what_is_no_url(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--url", url]) == 2
    assert "must be like" in capsys.readouterr().err


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"null", b'{"name":1}', b"", b"[" * 99_999, b"\xff"])
@pytest.mark.parametrize("command", [["status"], ["dial", "a"], ["answer"]])
def test_something_else_that_answers(body: bytes, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    async def main_() -> int:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        status = await asyncio.to_thread(main, [*command, "--url", url])
        server.close()
        await server.wait_closed()
        return status

    assert asyncio.run(main_()) == 1
    said = capsys.readouterr().err
    assert said.endswith("is no unit: something else answers there\n")
    assert len(said.splitlines()) == 1


def test_it_needs_nothing_heavy() -> None:
    code = "import sys; from firmware.__main__ import main; main(['status', '--url', 'http://127.0.0.1:1'])"
    code += "; print(sorted({'asyncio', 'aiohttp', 'msgspec', 'av', 'PIL', 'uvloop'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
