"""``visavis demo``: a unit on the simulated board calls an echo far end, and says what flows.

Unit and far end are each what `visavis run` and `visavis echo` run, on loopback addresses of their own: 127.0.0.1 and
127.0.0.2.  A port that is taken is replaced by a free one, so that the demo also runs beside a unit.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from typing import TYPE_CHECKING, Final

from msgspec import to_builtins
from msgspec.structs import replace

from firmware.command import echo, remote
from firmware.command.process import start_log, until, until_stopped
from firmware.command.settings import settings
from firmware.command.unit import Unit
from firmware.config import Config
from firmware.errors import FirmwareError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from firmware.command.hardware import Hardware
    from firmware.room import Room, RoomState

OUR_ADDRESS, FAR_ADDRESS = "127.0.0.1", "127.0.0.2"
START_TIME: Final = 20.0
"""How long the far end may take to start, s."""
STOP_TIME: Final = 5.0
"""How long it may take to stop, s."""
CALL_TIME: Final = 10.0
"""How long the call may take to become active, s."""
FLOW_TIME: Final = 5.0
"""How long the call runs before the first figures, s; RTCP needs some seconds to measure the round trip."""
MAX_PORT: Final = 0xFFFF
REPEAT_TIME: Final = 30.0
"""Between the figures after that, s."""


def run(arguments: Namespace, hardware: Hardware) -> int:
    """Run the demo until it is told to stop, or for the given time."""
    config = _settings(arguments, hardware)
    start_log(arguments.log)

    async def serve(stopped: asyncio.Event) -> int:
        async with contextlib.AsyncExitStack() as stack:
            far_end = Echo(arguments.log)
            stack.push_async_callback(far_end.stop)
            await until(stopped, far_end.start())
            unit = Unit(config, hardware)
            stack.push_async_callback(unit.stop)
            if not stopped.is_set():
                await until(stopped, unit.start())
            if stopped.is_set():
                return 0
            print(f"A unit on the simulated board is ready; call it at {unit.room.state.addresses[0]}.")
            print(f"Its panel: {unit.panels[0]}", flush=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(arguments.seconds):
                    await until(stopped, show(unit.room, far_end.addresses))
            print("Hanging up.", flush=True)
        return 0

    return until_stopped(serve)


def _settings(arguments: Namespace, hardware: Hardware) -> Config:
    """Give the unit's settings.  ConfigError: an option is wrong."""
    chosen = settings(arguments, hardware.settings)
    h245_first, h245_last = free_ports(OUR_ADDRESS, chosen.h323.h245_first_port)
    web_port = chosen.web.port if arguments.web_port is not None else free_port(OUR_ADDRESS, chosen.web.port)
    return replace(
        chosen,
        room=replace(chosen.room, name="Visavis demo"),
        sip=replace(
            chosen.sip,
            addresses=(OUR_ADDRESS,),
            port=free_port(OUR_ADDRESS, chosen.sip.port),
            tls_port=free_port(OUR_ADDRESS, chosen.sip.tls_port),
        ),
        h323=replace(
            chosen.h323,
            addresses=(OUR_ADDRESS,),
            port=free_port(OUR_ADDRESS, chosen.h323.port),
            h245_first_port=h245_first,
            h245_last_port=h245_last,
        ),
        web=replace(chosen.web, addresses=(OUR_ADDRESS,), port=web_port),
        board=replace(chosen.board, kind="sim"),
    )


def free_port(address: str, wanted: int) -> int:
    """Give this port where it is free for UDP and TCP, or another that is.  FirmwareError: the address isn't ours."""
    for port in (wanted, 0):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
            contextlib.suppress(OSError),
        ):
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stream.bind((address, port))
            stream.listen()
            datagrams.bind((address, stream.getsockname()[1]))
            return int(stream.getsockname()[1])
    raise FirmwareError(f"no port is free on {address}")


def free_ports(address: str, first: int, count: int = 4) -> tuple[int, int]:
    """Give the first and the last of so many ports in a row that are free, from *first* on."""
    while first + count <= MAX_PORT:
        if all(free_port(address, port) == port for port in range(first, first + count)):
            return first, first + count - 1
        first += count
    raise FirmwareError(f"no {count} ports in a row are free on {address}")


class Echo:
    """The far end: `visavis echo` in a process of its own."""

    def __init__(self, log: str) -> None:
        self.addresses: list[str] = []
        """What to dial by each protocol, once started."""
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it.  FirmwareError: it does not."""
        defaults = Config()
        h245_first, h245_last = free_ports(FAR_ADDRESS, defaults.h323.h245_first_port)
        options = ["--board", "sim", "--address", FAR_ADDRESS, "--log", self._log]
        options += ["--sip-port", str(free_port(FAR_ADDRESS, defaults.sip.port))]
        options += ["--sip-tls-port", str(free_port(FAR_ADDRESS, defaults.sip.tls_port))]
        options += ["--h323-port", str(free_port(FAR_ADDRESS, defaults.h323.port))]
        options += ["--h245-ports", f"{h245_first}-{h245_last}"]
        process = self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "firmware", "echo"),
            *options,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops the far end
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_TIME):
                assert process.stdout is not None
                while line := (await process.stdout.readline()).decode().strip():
                    if line == echo.READY:
                        return
                    self.addresses.append(line)
        raise FirmwareError("the echo far end does not start")

    async def stop(self) -> None:
        """Stop it, where it runs."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIME)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def show(room: Room, addresses: Sequence[str]) -> None:
    """Dial each address and say what flows; the last call goes on until it ends; the room stays, and can call again."""
    *others, last = addresses
    for address in others:
        call_id, over = await _dial(room, address)
        if await _flows(room, call_id, over, FLOW_TIME):
            room.hang_up(call_id)
            await asyncio.wait((over,))
    call_id, over = await _dial(room, last)
    wait, words = FLOW_TIME, "Ctrl-C ends it."
    while await _flows(room, call_id, over, wait):
        if words:
            print(words, flush=True)
        wait, words = REPEAT_TIME, ""
    print(f"The call is over. {over.result()}".rstrip(), flush=True)
    await asyncio.Event().wait()


async def _dial(room: Room, address: str) -> tuple[str, asyncio.Future[str]]:
    """Give a call that was answered, and what will say why it ended."""
    print(f"Calling an echo far end at {address} ...", flush=True)
    call_id = room.dial(address)
    answered = asyncio.Event()
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def watch(state: RoomState) -> None:
        call = state.call(call_id)
        if call is None or call.active_since is not None:
            answered.set()
        if call is None and not over.done():
            over.set_result(state.notice.text if state.notice else "")

    over.add_done_callback(lambda _: unsubscribe())
    unsubscribe = room.subscribe(watch)
    try:
        await asyncio.wait_for(answered.wait(), CALL_TIME)
    except TimeoutError:
        raise FirmwareError(f"the far end has not answered after {CALL_TIME:.0f} s") from None
    return call_id, over


async def _flows(room: Room, call_id: str, over: asyncio.Future[str], wait: float) -> bool:
    """Say what flows after this time; False: the call is over."""
    if (await asyncio.wait((over,), timeout=wait))[0]:
        return False
    report = room.statistics(call_id)
    for stream in report.streams if report else ():
        print(f"  {remote.flow(to_builtins(stream))}", flush=True)
    return True
