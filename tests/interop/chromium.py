"""Debian's Chromium, headless, driven over its DevTools protocol: open a page, click, type, wait, look.

Each browser has a profile of its own in a folder that the caller gives, and speaks to loopback only.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.*, EXCLUDE localhost",
    "--remote-debugging-port=0",
)
START_TIME = 30.0
WAIT_TIME = 15.0


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read())
        self.errors: list[str] = []
        """What the page's own code got wrong, and what its Content-Security-Policy kept out."""

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command of the DevTools protocol and its result."""
        self._number += 1
        future = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        answer: dict[str, Any] = await asyncio.wait_for(future, WAIT_TIME)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    async def open(self, url: str, width: int = 1280, height: int = 800, scale: float = 1) -> None:
        """Load a page in a window of this size, CSS pixels."""
        await self.command("Page.enable")
        await self.command("Runtime.enable")
        await self.command("Log.enable")
        await self.resize(width, height, scale)
        await self.command("Page.navigate", url=url)
        await self.until("location.protocol === 'http:' && document.readyState === 'complete'")

    async def resize(self, width: int, height: int, scale: float = 1) -> None:
        """Change the window's size."""
        mobile = width < 600
        await self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile
        )

    async def color_scheme(self, scheme: str) -> None:
        """Make the system's colours ``light`` or ``dark``."""
        await self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def value(self, expression: str) -> Any:
        """Give the value of a JavaScript expression."""
        result = await self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, f"{expression}: {result['exceptionDetails']}"
        return result["result"].get("value")

    async def until(self, expression: str, seconds: float = WAIT_TIME) -> Any:
        """Wait until an expression is true, and give its value."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        value = await self.value(expression)
        while not value:
            assert loop.time() < deadline, f"not within {seconds:.0f} s: {expression}"
            await asyncio.sleep(0.05)
            value = await self.value(expression)
        return value

    async def click(self, selector: str) -> None:
        """Click in the middle of an element that can be seen, with a real mouse event."""
        wanted = json.dumps(selector)
        await self.until(f"document.querySelector({wanted})?.getClientRects().length > 0")
        await self.value(f"document.querySelector({wanted}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        box = await self.value(
            f"(() => {{ const r = document.querySelector({wanted}).getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.command("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    async def type(self, text: str) -> None:
        """Type into what has the focus."""
        await self.command("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """Press a key, such as ``Enter`` or ``Tab``."""
        code = {"Enter": 13, "Tab": 9, " ": 32}[key]
        text = {"Enter": "\r", " ": " "}.get(key)
        extra = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            await self.command(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **extra
            )

    async def text(self, selector: str) -> str:
        """Give the text of an element that can be seen, as it is seen."""
        return str(await self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    async def screenshot(self, whole: bool = False) -> bytes:
        """Give the page as PNG."""
        result = await self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(result["data"])

    async def _read(self) -> None:
        async for message in self._socket:
            answer = json.loads(message.data)
            if "id" in answer:
                self._answers.pop(answer["id"]).set_result(answer)
            elif answer["method"] == "Runtime.exceptionThrown":
                self.errors.append(str(answer["params"]["exceptionDetails"]))
            elif answer["method"] == "Log.entryAdded" and answer["params"]["entry"]["source"] == "security":
                self.errors.append(answer["params"]["entry"]["text"])

    async def close(self) -> None:
        """Leave the page."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._socket.close()


@contextlib.asynccontextmanager
async def browser(program: str, folder: Path, flags: Sequence[str] = ()) -> AsyncIterator[Page]:
    """Start Chromium, with more *flags* of its own, and give its one page."""
    process = await asyncio.create_subprocess_exec(
        *(program, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(process, folder / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
                pages = [target for target in await response.json() if target["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=64 * 1024 * 1024) as socket:
                page = Page(socket)
                try:
                    yield page
                finally:
                    await page.close()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _port(process: asyncio.subprocess.Process, file: Path) -> int:
    async with asyncio.timeout(START_TIME):
        while True:
            assert process.returncode is None, "Chromium has ended by itself"
            with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
                return int((await asyncio.to_thread(file.read_text)).splitlines()[0])
            await asyncio.sleep(0.05)
