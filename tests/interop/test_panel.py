"""The panel in a real browser, on a real unit: dial, see, mute, hold, hang up, answer, be refused, reconnect."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from interop.chromium import Page, browser
from interop.conftest import SMALL
from interop.ports import own_address
from interop.unit import ROOT, State, Unit
from PIL import Image

from firmware.web.auth import hash_password

StartUnit = Callable[..., Unit]


@pytest.fixture
def echo() -> Iterator[str]:
    """The address of an echo far end: `visavis echo`, a process of its own."""
    address = own_address()
    process = subprocess.Popen(
        [sys.executable, "-m", "firmware", "echo", "--board", "sim", "--address", address],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    with process.stdout as lines:
        yield lines.readline().strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


class Locked(Unit):
    """A unit with a password, which we don't tell it: that it refuses us shows that it is there."""

    def state(self) -> State:
        try:
            return super().state()
        except RuntimeError as error:
            assert " 401 " in str(error)  # noqa: PT017
            return {"ready": True}


@contextlib.asynccontextmanager
async def panel(program: Callable[[str], str], folder: Path, unit: Unit, **window: Any) -> AsyncIterator[Page]:
    """The unit's panel in a browser; nothing in it may go wrong."""
    async with asyncio.timeout(100), browser(program("chromium"), folder / "browser") as page:
        await page.open(f"http://{unit.address}:{unit.web_port}/", **window)
        yield page
        assert page.errors == []


def state_of(selector: str = "#calls") -> str:
    """An expression: what the first call's card says of its state."""
    return f"document.querySelector('{selector} .words')?.innerText ?? ''"


async def picture(page: Page) -> Image.Image:
    """What the page shows of the room's screen."""
    box = await page.value(
        "(r => [r.left, r.top, r.right, r.bottom])(document.getElementById('screen').getBoundingClientRect())"
    )
    with Image.open(io.BytesIO(await page.screenshot())) as seen:
        return seen.convert("RGB").crop(tuple(map(round, box)))


def test_what_a_room_has_none_of(program: Callable[[str], str], unit: StartUnit, tmp_path: Path) -> None:
    ours = unit({"board.sim": {"microphone": "none", "display": "none"}})

    async def main() -> None:
        async with panel(program, tmp_path, ours) as page:
            await page.until("document.getElementById('ready-text').innerText === 'Ready'")
            assert await page.text("#absent") == "No microphone, as configured. No display, as configured."
            assert await page.text("#screen-none") == "This room has no screen."
            assert await page.value("document.getElementById('screen').hidden")
            assert await page.text("#faults") == ""

    asyncio.run(main())


def test_a_call_by_the_panel(program: Callable[[str], str], unit: StartUnit, echo: str, tmp_path: Path) -> None:
    ours = unit(settings={"room": {"auto_answer": False}})

    async def main() -> None:
        async with panel(program, tmp_path, ours) as page:
            await page.until("document.getElementById('ready-text').innerText === 'Ready'")
            await page.until("!document.getElementById('screen').hidden")
            before = await picture(page)

            # dial, by the keyboard alone
            await page.value("document.getElementById('address').focus()")
            await page.type(echo)
            await page.press("Enter")
            await page.until(f"({state_of()}).startsWith('In the call')")
            assert await page.value("document.getElementById('address').value") == ""

            # the live screen changes: the far end gives back our camera's moving card
            await page.until(f"({state_of()}) !== ''")
            seen = {before.tobytes()}
            for _ in range(50):
                await asyncio.sleep(0.2)
                seen.add((await picture(page)).tobytes())
                if len(seen) > 3:
                    break
            assert len(seen) > 3

            # what flows
            await page.click(".flow summary")
            await page.until("/1280×720, \\d+\\/s/.test(document.querySelector('.flow tbody').innerText)")
            rows = await page.value("[...document.querySelectorAll('.flow tbody th')].map(c => c.innerText)")
            assert sorted(rows) == ["Received picture", "Received sound", "Sent picture", "Sent sound"]

            # mute and volume, here and there
            await page.click("#mute")
            await page.until("document.getElementById('mute').getAttribute('aria-pressed') === 'true'")
            assert ours.state()["muted"]
            ours.api("PUT", "/mute", {"muted": False})
            await page.until("document.getElementById('mute').getAttribute('aria-pressed') === 'false'")
            await page.value(
                "(v => { v.value = 30; v.dispatchEvent(new Event('input')); })(document.getElementById('volume'))"
            )
            await page.until("document.getElementById('volume-text').innerText === '30 %'")
            ours.wait(lambda state: state["volume"] == 30)

            # the camera: zoom while the button is pressed, and a view to come back to
            await page.click("#camera [data-axis=zoom][data-way='1']")
            ours.wait(lambda state: state["camera"]["zoom"] > 0)
            await page.click("#camera [data-axis=pan][data-way='-1']")
            ours.wait(lambda state: state["camera"]["pan"] < 0)
            await page.click(".presets button:nth-child(1)")
            await page.until("document.querySelector('.presets button').dataset.kept === 'yes'")
            ours.api("PUT", "/camera", {"pan": 0, "zoom": 1})
            ours.wait(lambda state: (state["camera"]["pan"], state["camera"]["zoom"]) == (0, 1))
            await page.click(".presets button:nth-child(1)")
            ours.wait(lambda state: state["camera"]["pan"] < 0 and state["camera"]["zoom"] < 1)
            ours.api("PUT", "/camera", {"pan": 0, "zoom": 0})

            # tones, hold and back
            await page.click("#keypad button:nth-child(5)")
            await page.click("[data-do=hold]")
            await page.until(f"({state_of()}).startsWith('On hold')")
            await page.click("[data-do=resume]")
            await page.until(f"({state_of()}).startsWith('In the call')")

            await page.click("[data-do=hang_up]")
            await page.until("document.querySelectorAll('.card').length === 0")
            await page.until("document.getElementById('camera').hidden")
            await page.until("document.getElementById('notice').innerText.includes('hung up')")
            assert ours.state()["calls"] == []

    asyncio.run(main())


def test_answering_on_a_phone(program: Callable[[str], str], unit: StartUnit, tmp_path: Path) -> None:
    ours = unit(settings={"room": {"auto_answer": False}})
    caller = unit()

    async def main() -> None:
        async with panel(program, tmp_path, ours, width=390, height=844) as page:
            caller.dial(ours.uri)
            await page.until(f"({state_of()}) === 'Is calling'")
            assert "Ringing" in await page.value("document.title")
            assert await page.text(".card .title") == "Unit"
            await page.click("[data-do=answer]")
            await page.until(f"({state_of()}).startsWith('In the call')")
            caller.wait_for_call()
            caller.command("current", "hang_up")
            await page.until("document.querySelectorAll('.card').length === 0")
            caller.dial(ours.uri)
            await page.click("[data-do=hang_up]")  # declines
            caller.wait_for_idle()
            wide = await page.value("document.documentElement.scrollWidth")
            assert wide <= 390

    asyncio.run(main())


def test_the_simulated_board_s_buttons_and_refusals(
    program: Callable[[str], str], unit: StartUnit, tmp_path: Path
) -> None:
    ours = unit()

    async def main() -> None:
        async with panel(program, tmp_path, ours) as page:
            await page.click("#board summary")
            await page.click("#buttons button:nth-child(3)")
            await page.until("document.getElementById('mute').getAttribute('aria-pressed') === 'true'")
            for key in ("1", "2", "0"):
                await page.click(f"#keypad [aria-label='{key}']")
            assert await page.value("document.getElementById('address').value") == "120"
            await page.click("#erase")
            assert await page.value("document.getElementById('address').value") == "12"
            await page.click("#call")
            await page.until("document.getElementById('refused').innerText.includes('is a number')")

    asyncio.run(main())


def test_the_television_and_the_machine_s_health(
    program: Callable[[str], str], unit: StartUnit, tmp_path: Path
) -> None:
    ours = unit()

    async def main() -> None:
        async with panel(program, tmp_path, ours) as page:
            text = "document.getElementById('television-text').innerText"
            await page.until(f"{text} === 'Television off'")
            await page.click("#television")
            await page.until(f"{text} === 'Television on'")
            await page.click("#board summary")
            await page.click("#keys button:last-child")  # the remote control's source key
            await page.until(f"{text} === 'Television shows something else'")
            ours.api("PUT", "/board/health", {"temperature": 91.5, "under_voltage": True})
            await page.until("document.getElementById('faults').innerText.includes('too hot, 92 °C')")
            await page.click("#health summary")
            await page.until("document.getElementById('health-list').innerText.includes('too weak')")
            assert await page.value("document.documentElement.scrollWidth") <= 1280

    asyncio.run(main())


def test_a_lost_connection_and_the_password(program: Callable[[str], str], unit: StartUnit, tmp_path: Path) -> None:
    address = own_address()
    first = unit(address=address)
    locked = Locked(tmp_path / "locked", {"web": {"password_hash": hash_password("correct horse")}}, address=address)

    async def main() -> None:
        async with panel(program, tmp_path, first) as page:
            await page.until("document.getElementById('ready-text').innerText === 'Ready'")
            await asyncio.to_thread(first.stop)
            await page.until("!document.getElementById('lost').hidden")
            assert await page.value("document.getElementById('call').disabled")
            # the same unit again, now with a password
            await asyncio.to_thread(running.enter_context, locked)
            await page.until("document.getElementById('login').open", 30)
            await page.type("wrong horse")
            await page.press("Enter")
            await page.until("document.getElementById('login-refused').innerText.includes('wrong')")
            await page.value("document.getElementById('password').value = ''")
            await page.type("correct horse")
            await page.press("Enter")
            await page.until("document.getElementById('lost').hidden")
            assert not await page.value("document.getElementById('login').open")

    with contextlib.ExitStack() as running:
        asyncio.run(main())


def test_where_the_unit_is_registered(program: Callable[[str], str], unit: StartUnit, tmp_path: Path) -> None:
    nobody, chip = own_address(), "document.getElementById('registered')"
    accounts = [{"address": f"room@{nobody}", "transport": "tcp"}]
    away, alone = unit(settings={"sip": {"accounts": accounts}}), unit()

    async def main() -> None:
        async with panel(program, tmp_path / "away", away) as page:
            await page.until(f"{chip}.innerText === 'Not registered'")
            [said] = away.state()["registrations"]
            expected = f"Not registered as sip:room@{nobody}: {said['reason']}."
            assert await page.text("#faults") == expected
        async with panel(program, tmp_path / "alone", alone) as page:
            await page.until("document.getElementById('ready-text').innerText === 'Ready'")
            assert await page.value(f"{chip}.hidden")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("srtp", "words"),
    [("dtls", "Encrypted"), ("sdes", "Encrypted, but the key was sent in the clear")],
)
def test_the_padlock_says_what_is_so(
    program: Callable[[str], str], unit: StartUnit, tmp_path: Path, srtp: str, words: str
) -> None:
    """By UDP: a handshake gives keys that nobody else has, and messages tell theirs to everybody."""
    ours, far = (unit(settings={"sip": {"srtp": [srtp]}, "media": SMALL}) for _ in range(2))

    async def main() -> None:
        async with panel(program, tmp_path, ours) as page:
            ours.dial(far.uri)
            await page.until(f"document.querySelector('#calls .lock-words')?.innerText === {words!r}")
            symbol = "document.querySelector('#calls .lock use').getAttribute('href')"
            assert await page.value(f"document.querySelector({symbol}) !== null")
            assert await page.value(f"{symbol} === '#lock'") is (srtp == "dtls")
            ours.command("current", "hang_up")

    asyncio.run(main())
