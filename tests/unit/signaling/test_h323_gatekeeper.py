"""Finding the gatekeeper of the settings, and saying what becomes of the registration."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from gatekeeper import Gatekeeper as FarEnd
from gatekeeper import serve
from interop.ports import free_port, own_address

from firmware import config
from firmware.call.registration import Registration, RegistrationState
from firmware.errors import FirmwareError
from firmware.h323.h235 import Method
from firmware.h323.identity import Identity
from firmware.h323.terminal import Terminal
from firmware.net.address import at
from firmware.net.driver import Driver
from firmware.net.resolver import UnknownHostError
from firmware.signaling import h323_gatekeeper as module
from firmware.signaling.h323_gatekeeper import Gatekeeper

FAILED = RegistrationState.FAILED


async def registering(host: str, **settings: Any) -> tuple[Gatekeeper, Driver]:
    """Give a registration under way."""
    chosen = config.H323(addresses=(host,), ras_port=free_port(host), **settings)
    identity = Identity((("h323-ID", "Aalto"),), "Aalto")
    terminal = Terminal(identity, random.Random(1))
    gatekeeper = Gatekeeper(chosen, identity, terminal, random.Random(2))
    driver = Driver(terminal, gatekeeper.handle)
    await driver.listen("udp", host, chosen.ras_port)
    gatekeeper.start(driver)
    return gatekeeper, driver


async def until(condition: Any) -> None:
    for _ in range(2_500):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came true")


def test_a_wrong_password_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def main() -> None:
        far = FarEnd((own_address(), 0), users={"Aalto": "right"}, method=Method.MD5)
        transport, _ = await serve(far)
        gatekeeper, driver = await registering(
            own_address(), gatekeeper=at(far.address), password="wrong", authentication=("md5",)
        )
        await until(lambda: "not registered" in caplog.text)
        assert gatekeeper.address is None
        assert gatekeeper.registration == Registration(
            "H.323", "Aalto", at(far.address), FAILED, reason="the user name or the password is wrong"
        )
        gatekeeper.stop(driver)
        await driver.stop()
        transport.close()

    asyncio.run(main())
    assert "wrong" not in caplog.text


def test_a_name_that_is_not_known_yet_is_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_TIME", 0.01)

    async def main() -> None:
        far = FarEnd((own_address(), 0))
        transport, _ = await serve(far)
        asked: list[tuple[str, int]] = []

        async def look_up(host: str, port: int, way: str) -> list[tuple[str, tuple[str, int]]]:
            asked.append((host, port))
            if len(asked) < 3:
                raise UnknownHostError(f"there is no host {host}")
            return [(way, far.address)]

        monkeypatch.setattr(module, "resolve", look_up)
        gatekeeper, driver = await registering(own_address(), gatekeeper="gk.example")
        assert gatekeeper.registration.state is RegistrationState.TRYING
        await until(lambda: gatekeeper.registration.state is FAILED)
        assert gatekeeper.registration.reason == "there is no host gk.example"
        await until(lambda: gatekeeper.address == far.address)
        assert gatekeeper.registration.state is RegistrationState.REGISTERED
        assert gatekeeper.registration.trouble == ""
        assert asked == [("gk.example", 1719)] * 3
        gatekeeper.stop(driver)
        await driver.stop()
        transport.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("192.0.2.1", ("192.0.2.1", 1719)),
        ("192.0.2.1:17", ("192.0.2.1", 17)),
        ("[2001:db8::1]", ("2001:db8::1", 1719)),
        ("[2001:db8::1]:17", ("2001:db8::1", 17)),
        ("auto", None),
    ],
)
def test_how_it_is_written(wanted: str, found: tuple[str, int] | None) -> None:
    identity = Identity(())
    terminal = Terminal(identity, random.Random(1))
    gatekeeper = Gatekeeper(config.H323(gatekeeper=wanted), identity, terminal, random.Random(1))
    assert asyncio.run(gatekeeper._look_up()) == found


def test_without_one_nothing_happens() -> None:
    identity = Identity(())
    gatekeeper = Gatekeeper(config.H323(), identity, Terminal(identity, random.Random(1)), random.Random(1))

    class Nothing:
        def run(self) -> None:
            raise FirmwareError("nobody asked for it")

    gatekeeper.start(Nothing())  # type: ignore[arg-type]
    gatekeeper.stop(Nothing())  # type: ignore[arg-type]
    assert gatekeeper.address is None
