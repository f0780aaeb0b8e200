"""A name server of which the test knows the answers."""

from __future__ import annotations

from collections import Counter

from firmware.net.dns import Naptr, Srv
from firmware.net.resolver import UnknownHostError


class KnownNames:
    """Answers from three tables, and counts the questions."""

    def __init__(
        self,
        hosts: dict[str, list[str]] | None = None,
        srv: dict[str, list[Srv]] | None = None,
        naptr: dict[str, list[Naptr]] | None = None,
    ) -> None:
        self._hosts, self._srv, self._naptr = hosts or {}, srv or {}, naptr or {}
        self.asked: Counter[str] = Counter()

    async def naptr(self, domain: str) -> list[Naptr]:
        self.asked[f"NAPTR {domain}"] += 1
        return self._naptr.get(domain, [])

    async def srv(self, name: str) -> list[Srv]:
        self.asked[f"SRV {name}"] += 1
        return self._srv.get(name, [])

    async def hosts(self, name: str) -> list[str]:
        self.asked[f"A {name}"] += 1
        if name not in self._hosts:
            raise UnknownHostError(f"there is no host {name}")
        return self._hosts[name]

    def close(self) -> None:
        pass
