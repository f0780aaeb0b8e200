"""Finding the gatekeeper of the settings, and saying what becomes of the registration."""

from __future__ import annotations

import asyncio
import datetime
import random
from pathlib import Path
from typing import Any

import pytest
import uvloop
from certificates import NOW, Authority, Issued
from gatekeeper import Gatekeeper as FarEnd
from gatekeeper import serve
from interop.ports import free_port, own_address
from names import KnownNames
from tunnel_gatekeeper import TunnelGatekeeper

from firmware import config
from firmware.call.registration import Registration, RegistrationState
from firmware.errors import FirmwareError
from firmware.h323.h235 import Method
from firmware.h323.identity import Identity
from firmware.h323.terminal import Terminal
from firmware.net.address import at
from firmware.net.dns import Dns, Srv
from firmware.net.driver import Driver
from firmware.net.tls import Tls, Verify
from firmware.signaling import h323_gatekeeper as module
from firmware.signaling.h323_gatekeeper import Gatekeeper

FAILED = RegistrationState.FAILED


async def registering(
    host: str, tls: Tls | None = None, names: KnownNames | None = None, **settings: Any
) -> tuple[Gatekeeper, Driver]:
    """Give a registration under way."""
    chosen = config.H323(addresses=(host,), ras_port=free_port(host), **settings)
    identity = Identity((("h323-ID", "Aalto"),), "Aalto")
    terminal = Terminal(identity, random.Random(1))
    gatekeeper = Gatekeeper(chosen, identity, terminal, random.Random(2), names or Dns())
    driver = Driver(terminal, gatekeeper.handle, tls)
    for way in ("udp", "tcp"):
        await driver.listen(way, host, chosen.ras_port)
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
        hosts = {"other.example": [own_address()]}
        names = KnownNames(hosts)
        gatekeeper, driver = await registering(own_address(), names=names, gatekeeper=f"gk.example:{far.address[1]}")
        assert gatekeeper.registration.state is RegistrationState.TRYING
        await until(lambda: gatekeeper.registration.state is FAILED)
        assert gatekeeper.registration.reason == "there is no host gk.example"
        hosts["gk.example"] = [far.address[0]]
        await until(lambda: gatekeeper.address == far.address)
        assert gatekeeper.registration.state is RegistrationState.REGISTERED
        assert gatekeeper.registration.trouble == ""
        assert names.asked["A gk.example"] > 1
        assert not [question for question in names.asked if question.startswith("SRV")], "a port is a host's"
        gatekeeper.stop(driver)
        await driver.stop()
        transport.close()

    asyncio.run(main())


def test_who_is_elsewhere_registers_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    here = ["127.0.0.2"]
    monkeypatch.setattr("firmware.net.driver.source_address", lambda remote: here[0])

    async def main() -> None:
        far = FarEnd(("127.0.0.1", 0))
        transport, _ = await serve(far)
        gatekeeper, driver = await registering("0.0.0.0", gatekeeper=at(far.address))

        def known() -> set[str]:
            return {endpoint.signalling[0] for endpoint in far.endpoints.values()}

        await until(lambda: known() == {"127.0.0.2"} and gatekeeper.address is not None)
        client = gatekeeper._client
        gatekeeper.network_changed()
        await asyncio.sleep(0.05)
        assert gatekeeper._client is client, "where we are is where we were"
        here[0] = "127.0.0.3"
        far.restart()  # it has run out there
        gatekeeper.network_changed()
        gatekeeper.network_changed()
        await until(lambda: known() == {"127.0.0.3"} and gatekeeper.address is not None)
        gatekeeper.stop(driver)
        await driver.stop()
        transport.close()

    asyncio.run(main())


# By TLS


def trusting(whom: Authority, issued: Issued, verify: Verify = Verify.CALLED) -> Tls:
    return Tls(issued.certificate, issued.key, whom.certificate, verify)


async def reason_by_tls(caplog: pytest.LogCaptureFixture, ours: Tls, theirs: Tls | None) -> str:
    """Give why a unit is not registered by H.460.17 with who has *theirs* (None: nobody); "": it is."""
    host = own_address()
    far, port = TunnelGatekeeper(host), free_port(host)
    there = Driver(far, lambda event: None, theirs)
    if theirs is not None:
        await there.listen("tls", host, port)
    where = at((host, port))
    gatekeeper, driver = await registering(own_address(), ours, gatekeeper=where, gatekeeper_transport="tls")
    await until(lambda: gatekeeper.registration.state is not RegistrationState.TRYING)
    found = gatekeeper.registration
    assert (found.state is FAILED) is bool(found.reason)
    assert not found.reason or f"not registered with gatekeeper {where}: noAnswer: " in caplog.text
    gatekeeper.stop(driver)
    await driver.stop()
    await there.stop()
    return found.reason


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("right", ""),
        ("stranger", "its certificate is not accepted: this unit does not trust who signed it"),
        ("another", "its certificate is for other.example.com, not for "),
        ("expired", "its certificate is not accepted: it has expired"),
        ("refuses us", "it does not trust our certificate (unknown authority)"),
        ("nobody", "Connection refused"),
    ],
)
def test_why_there_is_no_registration_by_tls(
    case: str, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    authority, stranger = Authority(tmp_path / "authority"), Authority(tmp_path / "stranger", "A stranger")
    host = own_address()
    monkeypatch.setattr(f"{__name__}.own_address", lambda: host)
    right = authority.issue(host)
    ours = trusting(authority, right)
    theirs = {
        "right": ours,
        "stranger": trusting(authority, stranger.issue(host)),
        "another": trusting(authority, authority.issue("other.example.com")),
        "expired": trusting(authority, authority.issue(host, until=NOW - datetime.timedelta(hours=1))),
        "refuses us": trusting(stranger, right, Verify.ALL),
    }
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        reason = runner.run(reason_by_tls(caplog, ours, theirs.get(case)))
    assert bool(reason) is bool(said)
    assert not said or reason.startswith(f"the gatekeeper cannot be reached: {said}")


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
    gatekeeper = Gatekeeper(config.H323(gatekeeper=wanted), identity, terminal, random.Random(1), KnownNames())
    assert asyncio.run(gatekeeper._look_up()) == found


def test_a_domain_says_who_registers_its_terminals() -> None:
    identity = Identity(())
    names = KnownNames(
        {"gk.example.com": ["192.0.2.7"], "example.com": ["192.0.2.8"]},
        {"_h323rs._udp.example.com": [Srv(1, 1, 1819, "gk.example.com")]},
    )
    for transport, found in (("udp", ("192.0.2.7", 1819)), ("tcp", ("192.0.2.8", 1720))):
        settings = config.H323(gatekeeper="example.com", gatekeeper_transport=transport)  # type: ignore[arg-type]
        gatekeeper = Gatekeeper(settings, identity, Terminal(identity, random.Random(1)), random.Random(1), names)
        assert asyncio.run(gatekeeper._look_up()) == found


def test_without_one_nothing_happens() -> None:
    identity = Identity(())
    gatekeeper = Gatekeeper(
        config.H323(), identity, Terminal(identity, random.Random(1)), random.Random(1), KnownNames()
    )

    class Nothing:
        def run(self) -> None:
            raise FirmwareError("nobody asked for it")

    gatekeeper.start(Nothing())  # type: ignore[arg-type]
    gatekeeper.stop(Nothing())  # type: ignore[arg-type]
    assert gatekeeper.address is None
