"""Whole calls with Chromium's WebRTC: ICE, DTLS-SRTP, Opus, H.264, feedback; proven by what each side sees and hears.

A page is the far end, a bare socket its SIP.  Each has a machine of its own, and between them is lost what
a test says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from interop.chromium import browser
from interop.namespaces import Internet, Namespace
from interop.peer import Peer, PeerCall
from interop.unit import CARD_LABEL, Unit
from interop.web_end import FLAGS, WebEnd

pytestmark = pytest.mark.interop

TONE, WEB_TONE, WEB_LABEL = 660, 440, "Page"
SETTINGS = {
    "h323": {"enabled": False},
    "media": {"width": 640, "height": 360, "encryption": "required"},
    "nat": {"ice": True},
}
LOSS = 20
"""One packet in so many."""
OUTAGE = 1.5
"""s in which nothing comes through: more than anybody sends again."""

OUTAGES = 3
"""Most that are tried: a key frame that comes by itself, every ten seconds, needs no request."""
PATIENCE = 20.0
"""s."""

Statistics = dict[str, Any]


class World:
    """A unit and a host for a browser, and what may be lost between them."""

    def __init__(self, internet: Internet, nft: str, unit: Unit, there: Namespace, here: Namespace) -> None:
        self.unit, self.there, self._here = unit, there, here
        self._internet, self._nft = internet, nft

    def lose(self, every: int) -> None:
        for host in (self._here, self.there):
            self._internet.lose(self._nft, host, every)


@pytest.fixture
def world(program: Callable[[str], str], unit: Callable[..., Unit]) -> Iterator[World]:
    program("ip")
    nft = program("nft")
    with Internet() as internet:
        here, there = internet.host(), internet.host(routed=True)
        ours = unit(SETTINGS, address=here.address, namespace=here, tone=TONE)
        with there.entered():
            yield World(internet, nft, ours, there, here)


class Far:
    """The page, its SIP, and the unit that it is in a call with."""

    def __init__(self, world: World, peer: Peer, web: WebEnd) -> None:
        self.world, self.unit, self.peer, self.web = world, world.unit, peer, web
        self.call: PeerCall | None = None
        """The dialog, where the page called."""

    async def offer(self) -> None:
        """Let the page offer, in an INVITE."""
        offer = await self.web.offer()
        if self.call is None:
            self.call = self.peer.call(self.unit.sip, offer)
        else:
            self.call.request("INVITE", offer)
        answer = await asyncio.to_thread(self.call.established)
        await self.web.accept(body(answer))

    async def answer(self) -> None:
        """Let the page answer the INVITE that comes next."""
        invite = await self.received("INVITE")
        tag = "" if ";tag=" in next(line for line in invite.split("\r\n") if line.startswith("To:")) else "page"
        self.peer.answer(invite, "200 OK", await self.web.answer(body(invite)), to_tag=tag)
        await self.received("ACK")

    async def received(self, method: str) -> str:
        request = await asyncio.to_thread(self.peer.receive)
        assert request.startswith(f"{method} "), request
        return request

    async def assert_all_see_and_hear(self) -> None:
        """By what was drawn and sounded in the last moment: counters that go on, tones."""
        self.unit.forget_sound()
        seen = await self.web.counter(CARD_LABEL) or 0, await asyncio.to_thread(self.unit.counter, WEB_LABEL) or 0

        async def all_do() -> bool:
            shown = await self.web.counter(CARD_LABEL) or 0
            ours = await asyncio.to_thread(self.unit.counter, WEB_LABEL) or 0
            pitch = await self.web.pitch()
            heard = self.unit.heard_tone(WEB_TONE)
            self.last = shown, ours, pitch, heard
            return shown > seen[0] + 10 and ours > seen[1] + 10 and abs(pitch - TONE) < 12 and heard > 0.8

        await until(all_do, lambda: f"{seen} {self.last}\n{self.unit.log()[-4000:]}")

    async def until(self, wanted: Callable[[Statistics], bool]) -> Statistics:
        """Wait until what the page counts is as wanted."""
        found: Statistics = {}

        async def look() -> bool:
            found.update(await self.web.statistics())
            return wanted(found)

        await until(look, lambda: f"{found}\n{self.unit.log()[-4000:]}")
        return found


async def until(wanted: Callable[[], Awaitable[bool]], tell: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await wanted():
        assert time.monotonic() < deadline, tell()
        await asyncio.sleep(0.1)


def body(message: str) -> str:
    return message.split("\r\n\r\n", 1)[1]


def run(world: World, path: str, folder: Path, main: Callable[[Far], Awaitable[None]]) -> None:
    async def with_all() -> None:
        with Peer(world.there.address) as peer:
            async with browser(path, folder, FLAGS) as page:
                web = WebEnd(page, WEB_LABEL, WEB_TONE)
                await web.make()
                await main(Far(world, peer, web))
                assert not page.errors

    asyncio.run(with_all())


async def assert_key_frames_are_asked_for(far: Far) -> None:
    """After an outage who sees needs one, and asks by PLI (RFC 4585 6.3.1), unless one happens to come by itself."""
    for way, frames in (("inbound-rtp video", "keyFramesDecoded"), ("outbound-rtp video", "keyFramesEncoded")):
        for _ in range(OUTAGES):
            before = (await far.web.statistics())[way]
            far.world.lose(1)
            await asyncio.sleep(OUTAGE)
            far.world.lose(0)
            now = (await far.until(lambda now: now[way][frames] > before[frames]))[way]  # noqa: B023
            if now["pliCount"] > before["pliCount"]:
                break
        else:
            raise AssertionError(f"{way}: {now}")
    await far.assert_all_see_and_hear()
    assert "The far end takes" in far.unit.log(), "after that, a browser wants less at first (REMB)"


def test_the_page_calls(world: World, program: Callable[[str], str], tmp_path: Path) -> None:
    """Packets go again in streams of their own, both ways (RFC 4588); the page holds."""

    async def main(far: Far) -> None:
        await far.offer()
        await far.assert_all_see_and_hear()
        [call] = far.unit.state()["calls"]
        assert call["encrypted"]
        far.world.lose(LOSS)
        await far.until(
            lambda now: (
                now["inbound-rtp video"].get("retransmittedPacketsReceived", 0) > 5
                and now["outbound-rtp video"]["retransmittedPacketsSent"] > 5
            )
        )
        await far.assert_all_see_and_hear()
        far.world.lose(0)
        await far.web.hold(True)
        await far.offer()
        far.unit.wait(lambda state: state["calls"][0]["held_by_far_end"])
        await far.web.hold(False)
        await far.offer()
        far.unit.wait(lambda state: not state["calls"][0]["held_by_far_end"])
        await far.assert_all_see_and_hear()
        await assert_key_frames_are_asked_for(far)
        assert far.call is not None
        await asyncio.to_thread(far.call.end)
        await asyncio.to_thread(far.unit.wait_for_idle)

    run(world, program("chromium"), tmp_path / "browser", main)


def test_the_unit_calls(world: World, program: Callable[[str], str], tmp_path: Path) -> None:
    """Packets go again as they were; the unit holds."""

    async def main(far: Far) -> None:
        number = await asyncio.to_thread(far.unit.dial, f"sip:peer@{far.peer.authority}")
        await far.answer()
        await far.assert_all_see_and_hear()
        far.world.lose(LOSS)
        await far.until(
            lambda now: (
                now["inbound-rtp video"]["nackCount"] > 5 and now["outbound-rtp video"]["retransmittedPacketsSent"] > 5
            )
        )
        await far.assert_all_see_and_hear()
        far.world.lose(0)
        far.unit.command(number, "hold")
        await far.answer()
        far.unit.command(number, "resume")
        await far.answer()
        await far.assert_all_see_and_hear()
        await assert_key_frames_are_asked_for(far)
        far.unit.command(number, "hang_up")
        far.peer.answer(await far.received("BYE"), "200 OK")
        await asyncio.to_thread(far.unit.wait_for_idle)

    run(world, program("chromium"), tmp_path / "browser", main)
