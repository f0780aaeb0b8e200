"""What every test may ask for: programs that are not ours, an IPv6 loopback, and a machine with devices.

What a machine lacks skips a test, saying so; where ``CI=true`` it fails the test, because there it must run.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("hypothesis"):  # the machine of `make hil` has no need of it
    import hypothesis

    # How long an example takes tells only how busy the machine is.  (In CI hypothesis thinks so by itself.)
    hypothesis.settings.register_profile(
        "unhurried", hypothesis.settings(), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("unhurried")


def missing(what: str) -> None:
    """Skip the test for the want of something, or fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI must have it (`make test` installs it)", pytrace=False)
    pytest.skip(f"{what} is missing (`make test` installs it)")


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Give the path of a program by its name; skip the test where it is not installed."""

    def find(name: str) -> str:
        path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if path is None:
            missing(f"the program {name}")
        assert path is not None
        return path

    return find


@pytest.fixture(scope="session")
def ipv6() -> str:
    """``::1``; a machine without IPv6 skips the test, in CI too: no package can bring it."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")
    return "::1"


@pytest.fixture(scope="session")
def link_local() -> str:
    """A link-local address of this machine with its link, ``fe80::1%eth0``; a machine without one skips the test."""
    known = Path("/proc/net/if_inet6")
    for line in known.read_text().splitlines() if known.exists() else []:
        address, _, _, scope, flags, link = line.split()
        if scope == "20" and not int(flags, 16) & 0x48:  # neither tentative nor a duplicate
            return f"{ipaddress.IPv6Address(bytes.fromhex(address))}%{link}"
    pytest.skip("this machine has no link-local IPv6 address")


@pytest.fixture(scope="session", autouse=True)
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the units of tests keep what they make in a folder of the tests, not in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIRECTORY", str(tmp_path_factory.mktemp("storage")))
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let tests/hil know what machine it runs on."""
    parser.addoption(
        "--board", choices=("vm", "pi"), help="run tests/hil: on the bench's machine (`make hil`), or on a Raspberry Pi"
    )


_NEEDS_DEVICES = pytest.StashKey[int]()
"""How many tests were left out for the want of a machine with devices."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark by folder, and leave to `make bench` and `make hil` what is theirs: a busy machine must fail no test."""
    for item in items:
        for folder in ("interop", "bench", "hil"):
            if folder in item.path.relative_to(config.rootpath).parts[1:2]:
                item.add_marker(folder)
    elsewhere = [] if "bench" in config.getoption("markexpr") else _marked(items, "bench")
    if config.getoption("board") is None:
        needs_devices = _marked(items, "hil")
        config.stash[_NEEDS_DEVICES] = len(needs_devices)
        elsewhere += needs_devices
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]


def _marked(items: list[pytest.Item], marker: str) -> list[pytest.Item]:
    return [item for item in items if item.get_closest_marker(marker)]


def pytest_report_collectionfinish(config: pytest.Config) -> str:
    """Say what is not run here."""
    count = config.stash.get(_NEEDS_DEVICES, 0)
    return (
        f"tests/hil: {count} tests need real drivers, run them by `make hil`, on a Pi with --board pi" if count else ""
    )
