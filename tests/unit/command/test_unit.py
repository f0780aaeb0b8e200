from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from interop.ports import own_address
from msgspec.structs import replace
from simple_web import until

from board import open_board
from firmware import ports
from firmware.__main__ import Boards
from firmware.call.media import H261, H263, H263_1998, PCMA, PCMU, TELEPHONE_EVENT, Kind
from firmware.command.unit import CODECS, Unit, capabilities
from firmware.config import H323, Board, Config, Media, Sip, Web
from firmware.errors import FirmwareError
from firmware.media import codecs


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class FixedBoard(Boards):
    """Boards of which a test holds the one that is opened."""

    def __init__(self, board: ports.Board) -> None:
        self._board = board

    def open(self, kind: str, settings: ports.BoardSettings) -> ports.Board:
        return self._board


def settings(**sections: Any) -> Config:
    address = own_address()
    config = replace(
        Config(),
        sip=Sip(addresses=(address,)),
        h323=H323(addresses=(address,)),
        media=Media(width=320, height=180),
        web=Web(addresses=(address,)),
        board=Board(kind="sim"),
    )
    return replace(config, **sections)


def test_what_it_can_do_is_what_the_settings_say_in_their_order() -> None:
    media = Media(codecs=("PCMU", "H264"), bitrate=768_000)
    able = capabilities(replace(Config(), media=media))
    assert able.codecs == (PCMU, *CODECS["H264"], TELEPHONE_EVENT)
    assert able.bitrate == 768_000
    assert {codec.name for codec in capabilities(Config()).codecs} == set(CODECS)


def test_h263_is_meant_in_both_payload_formats() -> None:
    able = capabilities(replace(Config(), media=Media(codecs=("H261", "H263", "PCMA"))))
    assert able.codecs == (H261, H263_1998, H263, PCMA, TELEPHONE_EVENT)


def test_a_room_that_lacks_a_device_sends_or_receives_no_picture() -> None:
    able = capabilities(Config(), frozenset({"camera", "microphone", "speaker"}))
    assert (able.sends, able.receives) == ({Kind.AUDIO}, {Kind.AUDIO, Kind.VIDEO})
    able = capabilities(Config(), frozenset({"display"}))
    assert (able.sends, able.receives) == ({Kind.AUDIO, Kind.VIDEO}, {Kind.AUDIO})
    assert capabilities(Config(), frozenset({"camera", "display"})).of(Kind.VIDEO) == ()


def test_it_offers_no_codec_that_this_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "has_opus", lambda: False)
    assert [codec.name for codec in capabilities(Config()).codecs] == [
        *("G722", "PCMU", "PCMA", "H264", "H263-1998", "H263", "H261", "telephone-event")
    ]


def test_it_starts_and_leaves_nothing_behind() -> None:
    async def main() -> tuple[Unit, int]:
        before = open_files()
        unit = Unit(settings(), Boards())
        await unit.start()
        assert unit.room.state.ready
        assert unit.room.state.faults == ()
        sip, h323 = unit.room.state.addresses
        assert sip.startswith("sip:room@127.")
        assert h323.startswith("h323:127.")
        assert unit.panels[0].startswith("http://127.")
        await unit.stop()
        return unit, open_files() - before

    unit, left = asyncio.run(main())
    assert not unit.room.state.ready
    assert left <= 1  # the loop's own signal pipe or child watcher


def test_what_cannot_start_stops_the_rest() -> None:
    async def main() -> None:
        config = settings()
        first = Unit(config, Boards())
        await first.start()
        elsewhere = replace(
            config, sip=replace(config.sip, port=5070, tls_port=5071), h323=H323(addresses=(own_address(),))
        )
        second = Unit(elsewhere, Boards())
        with pytest.raises(FirmwareError, match="panel can't listen"):
            await second.start()
        await first.stop()
        # what the second had begun is free again
        third = Unit(elsewhere, Boards())
        await third.start()
        await third.stop()

    asyncio.run(main())


def test_without_protocols_and_web_there_is_still_a_room() -> None:
    async def main() -> None:
        unit = Unit(settings(sip=Sip(enabled=False), h323=H323(enabled=False), web=Web(enabled=False)), Boards())
        await unit.start()
        assert unit.room.state.addresses == ()
        assert unit.panels == ()
        await unit.stop()

    asyncio.run(main())


def test_the_television_is_woken_by_a_button_and_told_by_its_remote_control() -> None:
    async def main() -> None:
        quiet = settings(sip=Sip(enabled=False), h323=H323(enabled=False), web=Web(enabled=False))
        board = open_board("sim", {})
        unit = Unit(quiet, FixedBoard(board))
        await unit.start()
        board.press("volume_up")
        await until(lambda: bool(unit.room.state.television and unit.room.state.television.shows_room))
        await until(lambda: bool(unit.room.state.television and unit.room.state.television.on))
        board.press_key("mute")
        await until(lambda: unit.room.state.muted)
        await unit.stop()
        assert unit.room.state.television is None

    asyncio.run(main())


def test_a_board_without_devices_leaves_a_room_with_faults() -> None:
    async def main() -> tuple[str, ...]:
        nowhere = dict.fromkeys(("camera", "display", "microphone", "speaker"), "Nonesuch")
        unit = Unit(settings(board=Board(kind="pi", pi=nowhere)), Boards())
        await unit.start()
        await until(lambda: any("display" in fault for fault in unit.room.state.faults))
        assert unit.room.state.ready
        await unit.stop()
        return unit.room.state.faults

    assert "The display does not work: no screen is plugged in at Nonesuch" in asyncio.run(main())


def test_a_room_without_devices_on_purpose_has_no_faults() -> None:
    async def main() -> None:
        nothing = dict.fromkeys(("camera", "display", "microphone", "speaker"), "none")
        unit = Unit(settings(board=Board(kind="pi", pi=nothing)), Boards())
        await unit.start()
        await asyncio.sleep(2.5)  # it looks for devices every 2 s
        assert unit.room.state.ready
        assert unit.room.state.absent == ("camera", "microphone", "speaker", "display")
        assert [fault for fault in unit.room.state.faults if any(device in fault for device in nothing)] == []
        await unit.stop()

    asyncio.run(main())


def test_what_finds_ways_through_nats_is_loaded_only_where_it_is_wanted() -> None:
    """Every unit would pay for it with memory and time at its start."""
    program = (
        "import asyncio, sys\n"
        "from firmware.command.unit import _endpoints\n"
        "from firmware.config import Config, Nat\n"
        "from firmware.media import worker\n"
        "from firmware.net.ports import PortPool\n"
        "from msgspec.structs import replace\n"
        "parts = ('firmware.ice.', 'firmware.sdp.ice', 'firmware.net.gathering', 'firmware.media.connectivity')\n"
        "def loaded(): return any(name.startswith(parts) for name in sys.modules)\n"
        "_endpoints(Config(), PortPool(16_384, 16_500))\n"
        "assert not loaded()\n"
        "_endpoints(replace(Config(), nat=Nat(ice=True)), PortPool(16_384, 16_500))\n"
        "assert loaded()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
