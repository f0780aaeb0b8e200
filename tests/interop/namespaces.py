"""Networks of their own (Linux network namespaces): an Internet, and houses behind routers that translate addresses.

::

    house ── NAT ──┐
                   ├── Internet (a bridge; servers run at its address)
    house ── NAT ──┘

Only root can make them.  A process runs in one by `Namespace.command`; a thread of ours goes there by ``with``.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

INTERNET = "192.0.2.1"
"""Where servers run (RFC 5737)."""
_NOBODY = "192.0.2.254"
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Namespace:
    """One network."""

    name: str
    address: str
    """Of the host in it."""

    def command(self, *words: str) -> list[str]:
        """Give the command line that runs a program there."""
        return ["ip", "netns", "exec", self.name, *words]

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread's new sockets there."""
        with Path("/proc/thread-self/ns/net").open("rb") as here, Path(f"/run/netns/{self.name}").open("rb") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())


def _enter(number: int) -> None:
    if _libc.setns(number, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"setns in {threading.current_thread().name}")


class Internet:
    """An Internet with houses.  Use as a context manager: outside, there is nothing left of it."""

    def __init__(self) -> None:
        if os.geteuid() != 0:
            pytest.skip("network namespaces take root")
        self._mark = f"visavis-{os.getpid()}"
        self._undo = ExitStack()
        self._houses = 0
        self.outside = Namespace(f"{self._mark}-net", INTERNET)

    def __enter__(self) -> Internet:
        try:
            self._add(self.outside.name)
            self._do(self.outside.name, "link", "add", "name", "bridge0", "type", "bridge")
            self._do(self.outside.name, "addr", "add", f"{INTERNET}/24", "dev", "bridge0")
            self._do(self.outside.name, "link", "set", "bridge0", "up")
            # What is for nobody is lost, as out there; a server that can't send at all behaves otherwise.
            self._do(self.outside.name, "neigh", "add", _NOBODY, "lladdr", "02:00:00:00:00:01", "dev", "bridge0")
            self._do(self.outside.name, "route", "add", "default", "via", _NOBODY)
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def host(self, *, ipv6: bool = False, routed: bool = False) -> Namespace:
        """Add a host that is on the Internet itself, with an address of *ipv6* too.

        A *routed* one believes that there is more of it: a browser tells only the address that leads there.
        """
        self._houses += 1
        host = Namespace(f"{self._mark}-host{self._houses}", f"192.0.2.{10 + self._houses}")
        self._add(host.name)
        self._wire(host.name, "eth0", f"{host.address}/24", self.outside.name, f"to{self._houses}", "")
        self._do(self.outside.name, "link", "set", f"to{self._houses}", "master", "bridge0")
        if routed:
            self._do(host.name, "route", "add", "default", "via", INTERNET)
        if ipv6:
            self._do(host.name, "addr", "add", f"2001:db8::{self._houses}/64", "dev", "eth0", "nodad")
        return host

    @staticmethod
    def filter(nft: str, namespace: Namespace, rule: str) -> None:
        """Let this rule of nftables decide what leaves a network, by IPv4."""
        rules = f"table ip filter {{\n chain out {{ type filter hook output priority 0; {rule}; }}\n}}\n"
        subprocess.run(namespace.command(nft, "-f", "-"), input=rules, text=True, check=True, capture_output=True)

    @staticmethod
    def lose(nft: str, namespace: Namespace, every: int) -> None:
        """Let one in *every* media packet that comes to a host get lost, by chance; 0: none any more.

        It is lost on its way in, for who sends what is filtered on its way out is told so.
        """
        rule = f"udp sport != 5060 udp dport != 5060 numgen random mod {every} 0 drop" if every else ""
        rules = f"""table ip loss
            delete table ip loss
            table ip loss {{
                chain in {{ type filter hook input priority 0; {rule}; }}
            }}
        """
        subprocess.run(namespace.command(nft, "-f", "-"), input=rules, text=True, check=True, capture_output=True)

    def house(self, nft: str, *, symmetric: bool = False, lets_out: Sequence[int] = ()) -> Namespace:
        """Add a house behind a NAT; a *symmetric* one has another port for each destination (RFC 4787 4.1).

        Both let in only what answers something from inside; *lets_out*: nothing leaves but TCP to these ports.
        """
        self._houses += 1
        number = self._houses
        router, host = f"{self._mark}-nat{number}", Namespace(f"{self._mark}-house{number}", f"10.{number}.0.2")
        for name in (router, host.name):
            self._add(name)
        self._wire(router, "wan", f"192.0.2.{10 + number}/24", self.outside.name, f"to{number}", "")
        self._do(self.outside.name, "link", "set", f"to{number}", "master", "bridge0")
        self._wire(router, "lan", f"10.{number}.0.1/24", host.name, "eth0", f"{host.address}/24")
        self._do(host.name, "route", "add", "default", "via", f"10.{number}.0.1")
        _run("ip", "netns", "exec", router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        ports = ", ".join(map(str, lets_out))
        only = (
            f'iifname "lan" tcp dport != {{ {ports} }} drop; iifname "lan" meta l4proto != tcp drop;' if ports else ""
        )
        way = "masquerade fully-random" if symmetric else "masquerade"
        rules = f"""table ip nat {{
            chain after {{ type nat hook postrouting priority 100; oifname "wan" {way}; }}
            chain in {{ type filter hook input priority 0; iifname "wan" drop; }}
            chain through {{
                type filter hook forward priority 0;
                iifname "wan" ct state new drop;
                {only}
            }}
        }}
        """
        subprocess.run(
            ["ip", "netns", "exec", router, nft, "-f", "-"], input=rules, text=True, check=True, capture_output=True
        )
        return host

    def pull_cable(self, house: Namespace) -> None:
        """Take a house's host from its network; its address is gone."""
        self._do(house.name, "link", "set", "eth0", "down")
        self._do(house.name, "addr", "flush", "dev", "eth0")

    def plug_in(self, house: Namespace) -> None:
        """Put it back, at another address than before."""
        network = house.address.rpartition(".")[0]
        self._do(house.name, "link", "set", "eth0", "up")
        self._do(house.name, "addr", "add", f"{network}.77/24", "dev", "eth0")
        self._do(house.name, "route", "add", "default", "via", f"{network}.1")

    def renumber(self, house: Namespace) -> None:
        """Give a house's router another address outside, as some providers do every night; its bindings are gone."""
        number = house.address.split(".")[1]
        router = f"{self._mark}-nat{number}"
        self._do(router, "addr", "flush", "dev", "wan")
        self._do(router, "addr", "add", f"192.0.2.{100 + int(number)}/24", "dev", "wan")

    def _add(self, name: str) -> None:
        _run("ip", "netns", "add", name)
        self._undo.callback(_run, "ip", "netns", "del", name)
        self._do(name, "link", "set", "lo", "up")

    def _wire(self, one: str, end: str, address: str, other: str, other_end: str, other_address: str) -> None:
        self._do(one, "link", "add", end, "type", "veth", "peer", "name", other_end, "netns", other)
        for name, link, own in ((one, end, address), (other, other_end, other_address)):
            if own:
                self._do(name, "addr", "add", own, "dev", link)
            self._do(name, "link", "set", link, "up")

    @staticmethod
    def _do(name: str, *words: str) -> None:
        _run("ip", "-n", name, *words)


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.stderr}")


def inside(namespace: Namespace | None, command: Sequence[str]) -> list[str]:
    """Give the command line of a program in a network; None: in ours."""
    return list(command) if namespace is None else namespace.command(*command)


def entered(namespace: Namespace | None) -> contextlib.AbstractContextManager[None]:
    """Have this thread's new sockets in a network; None: in ours."""
    return contextlib.nullcontext() if namespace is None else namespace.entered()
