"""What a running unit is made of: everything is started here in order and stopped in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from typing import TYPE_CHECKING, Final

from firmware.call.callers import Callers
from firmware.call.media import H263, H263_1998, TELEPHONE_EVENT, Capabilities, Codec, Encryption, Kind
from firmware.command.tls import dtls_certificate, make_tls
from firmware.config import storage_folder
from firmware.config.nat import read_turn
from firmware.errors import DeviceError
from firmware.media.codecs import available
from firmware.media.engine import Engine
from firmware.media.message import Configure
from firmware.net.own_addresses import AddressWatch, own_addresses
from firmware.net.ports import PortPool
from firmware.room import Room, Television, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.call.endpoint import Endpoint
    from firmware.command.hardware import Hardware
    from firmware.config import Config
    from firmware.net.tls import Tls
    from firmware.sansio import Address
    from firmware.signaling.sip_ice import Gatherer

logger = logging.getLogger(__name__)

CODECS: Final = {codec.name: (codec,) for codec in Capabilities().codecs} | {H263.name: (H263_1998, H263)}
"""A codec as settings name it -> in each of its payload formats."""


class Unit:
    """One unit, from its settings.  Make it on the event loop that it is to run on."""

    def __init__(self, config: Config, hardware: Hardware, *, echo: bool = False) -> None:
        self._config = config
        self._kind = hardware.kind(config.board.kind)
        table = getattr(config.board, self._kind)
        self._board = hardware.open(self._kind, table)
        self._absent = frozenset() if echo else self._board.absent
        """Who echoes needs no devices."""
        media = config.media
        ports = PortPool(media.rtp_first_port, media.rtp_last_port)
        worker = [sys.executable, "-m", "firmware", "media-worker", "--board", self._kind]
        worker += ["--settings", json.dumps(table), "--log", config.log.level]
        configure = Configure(
            media.width,
            media.height,
            media.frame_rate,
            echo,
            audio_dscp=config.qos.audio,
            video_dscp=config.qos.video,
        )
        self._engine = Engine(worker, configure, ports, lambda report: self.room.handle_report(report))
        self._endpoints = _endpoints(config, ports, self._absent)
        self.room = Room(config.room, self._endpoints, self._engine, self._absent)
        self.room.camera.keep_in(storage_folder(config.storage) / "camera-presets.json")
        self.panels: tuple[str, ...] = ()
        """Where browsers find the panel, once started."""
        self._stops = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Start everything.  FirmwareError: something can't start, and why; then all is stopped again."""
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._board.close)
            # The media process takes longest: all else starts while it does.
            engine = asyncio.ensure_future(self._engine.start())
            stack.push_async_callback(self._stop_engine, engine)
            await self.room.start()
            stack.push_async_callback(self.room.stop)
            self._watch_addresses(stack)
            self._start_ui(stack)
            watch = Watch(self._board, self._config.health, storage_folder(self._config.storage), self.room)
            watch.start()
            stack.push_async_callback(watch.stop)
            if self._config.web.enabled:
                await self._start_web(stack)
            await engine
            self._stops = stack.pop_all()

    async def stop(self) -> None:
        """Stop everything; calls end politely, within 2 s."""
        await self._stops.aclose()

    async def _stop_engine(self, starting: asyncio.Future[None]) -> None:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)  # why it failed has been told by start
        await self._engine.stop()

    def _watch_addresses(self, stack: contextlib.AsyncExitStack) -> None:
        def changed() -> None:
            for endpoint in self._endpoints:
                endpoint.network_changed()

        try:
            stack.callback(AddressWatch(changed).close)
        except OSError as error:  # then only silence tells
            logger.warning("= addresses of this machine are not watched: %s", error)

    def _start_ui(self, stack: contextlib.AsyncExitStack) -> None:
        from firmware.ui import Buttons, Lamps, Screen

        call_button = self._config.room.call_button
        try:
            buttons = Buttons(self._board.open_buttons(), self.room, call_button)
            stack.callback(buttons.close)
        except DeviceError as error:
            self.room.set_fault("buttons", str(error))
        try:
            lamps = Lamps(self._board.open_lamps())
            stack.callback(lamps.close)
            stack.callback(self.room.subscribe(lamps.update))
        except DeviceError as error:
            self.room.set_fault("lamps", str(error))
        if self._config.television.enabled and "display" not in self._absent:  # it is the display, switched
            self._start_television(stack)
        screen = Screen(self._engine.show, call_button, self._config.room.screen_rest_time)
        self.room.when_touched.add(screen.touched)
        stack.callback(screen.close)
        stack.callback(self.room.subscribe(screen.update))
        screen.update(self.room.state)

    def _start_television(self, stack: contextlib.AsyncExitStack) -> None:
        from firmware.ui import RemoteControl

        settings = self._config.television
        device = self._board.open_television(self._config.room.name)
        stack.callback(device.close)
        stack.callback(Television(device, settings, self.room).close)
        if settings.remote_control:
            stack.callback(RemoteControl(device, self.room, self._config.room.call_button).close)

    async def _start_web(self, stack: contextlib.AsyncExitStack) -> None:
        from firmware.web.server import Server  # aiohttp costs 14 MB: only where it is wanted

        server = Server(self._config.web, self.room, self._board)
        await server.start()
        stack.push_async_callback(server.stop)
        self.panels = server.addresses


def _endpoints(config: Config, ports: PortPool, absent: frozenset[str] = frozenset()) -> list[Endpoint]:
    """Give the protocols that are enabled, for a room without the devices that are absent."""
    endpoints: list[Endpoint] = []
    able = capabilities(config, absent)
    callers = Callers(config.room.allowed_callers)
    sip, h323 = config.sip, config.h323
    by_tls = h323.tls or (h323.gatekeeper_transport == "tls" and h323.gatekeeper != "")
    by_turns = config.nat.ice and config.nat.turn != "" and read_turn(config.nat.turn).transport == "tls"
    wanted = (sip.enabled and ("tls" in sip.transports or by_turns)) or (h323.enabled and by_tls)
    tls = make_tls(config) if wanted else None
    if config.sip.enabled:
        from firmware.signaling.sip import SipEndpoint

        by_dtls = config.media.encryption != Encryption.OFF.value and "dtls" in config.sip.srtp
        endpoints.append(
            SipEndpoint(
                config.sip,
                able,
                ports,
                config.room.name,
                tls=tls,
                certificate=dtls_certificate(config) if by_dtls else None,
                callers=callers,
                dscp=config.qos.signalling,
                gather=_gatherers(config, ports, tls),
            )
        )
    if config.h323.enabled:
        from firmware.signaling.h323 import H323Endpoint

        endpoints.append(
            H323Endpoint(
                config.h323,
                able,
                ports,
                config.room.name,
                tls=tls,
                callers=callers,
                dscp=config.qos.signalling,
            )
        )
    return endpoints


def _gatherers(config: Config, ports: PortPool, tls: Tls | None) -> Callable[[Address], Gatherer] | None:
    """Give who finds out where this unit is reached; None: that is not wanted."""
    if not config.nat.ice:
        return None
    from firmware.net.gathering import Gatherers  # most units have no need of it

    def hosts() -> list[str]:
        """Give the addresses of the families of which the unit listens on every one."""
        return [host for host in own_addresses() if ("::" if ":" in host else "0.0.0.0") in config.sip.addresses]

    return Gatherers(ports, config.nat, tls=tls, hosts=hosts)


def capabilities(config: Config, absent: frozenset[str] = frozenset()) -> Capabilities:
    """Give what a unit of these settings can do in a call, on this machine, without the devices that are absent.

    Sound goes both ways even then: who sends silence is muted, and who sends nothing seems to be on hold, or lost; and
    far ends that are together hear each other through this unit.
    """
    chosen: list[Codec] = [codec for name in config.media.codecs for codec in CODECS[name]]
    missing = [codec for codec in chosen if codec.kind is Kind.AUDIO and codec.name not in available()]
    for codec in missing:
        logger.warning("%s is left out: this machine has no library for it", codec.name)
        chosen.remove(codec)
    encryption = Encryption(config.media.encryption)
    video = frozenset({Kind.VIDEO})
    return Capabilities(
        (*chosen, TELEPHONE_EVENT),
        config.media.bitrate,
        encryption,
        sends=frozenset(Kind) - (video if "camera" in absent else frozenset()),
        receives=frozenset(Kind) - (video if "display" in absent else frozenset()),
    )
