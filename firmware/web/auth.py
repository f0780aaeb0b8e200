"""Who may come in: passwords as scrypt hashes, sessions as cookies, and a brake on guessing.

Rule 1: passwords and tokens are compared in constant time and never kept or logged in the clear.
Rule 2: nothing here grows with the number of clients: sessions, addresses and waiting checks are bounded.
Rule 3: one scrypt at a time; it costs 16 MB and a good part of a second on a small machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
from collections import OrderedDict
from typing import Final

from firmware.errors import FirmwareError

SESSION_TIME: Final = 12 * 3600.0
"""How long a session lasts after its last use, s."""
MAX_SESSIONS: Final = 64
MAX_ADDRESSES: Final = 1024
"""Addresses whose failures are remembered."""
FREE_ATTEMPTS: Final = 5
"""Wrong passwords of one address before it has to wait."""
LONGEST_WAIT: Final = 60.0
"""The most an address has to wait after a wrong password, s."""
MAX_WAITING: Final = 8
"""Checks of a password that wait for their turn."""

_COST, _BLOCK, _PARALLEL = 2**14, 8, 1  # OWASP's and RFC 7914 2's interactive values: 16 MB
_MAX_MEMORY = 64 * 1024 * 1024


class SlowDownError(FirmwareError):
    """Too many wrong passwords; ``seconds`` to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many attempts: wait {seconds:.0f} s")
        self.seconds = seconds


def hash_password(password: str) -> str:
    """Make what the setting ``web.password_hash`` keeps: ``scrypt$N$r$p$salt$hash``."""
    salt = secrets.token_bytes(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL, maxmem=_MAX_MEMORY)
    return f"scrypt${_COST}${_BLOCK}${_PARALLEL}${salt.hex()}${key[:32].hex()}"


def verify_password(password: str, password_hash: str) -> bool:
    """Whether this is the password; takes as long for a wrong one.  Blocks: for a thread."""
    try:
        _, cost, block, parallel, salt, key = password_hash.split("$")
        made = hashlib.scrypt(
            password.encode(), salt=bytes.fromhex(salt), n=int(cost), r=int(block), p=int(parallel), maxmem=_MAX_MEMORY
        )
        return hmac.compare_digest(made[:32], bytes.fromhex(key))
    except ValueError:  # the setting has the form but not the limits of scrypt: nobody comes in
        return False


class Throttle:
    """Makes an address wait after wrong passwords: nothing for the first, then 1, 2, 4 ... s."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def check(self, address: str, now: float) -> None:
        """SlowDownError: this address has to wait."""
        count, since = self._failures.get(_network(address), (0, 0.0))
        if count >= FREE_ATTEMPTS:
            wait = since + min(LONGEST_WAIT, 2.0 ** (count - FREE_ATTEMPTS)) - now
            if wait > 0:
                raise SlowDownError(wait)

    def failed(self, address: str, now: float) -> None:
        """Count a wrong password."""
        key = _network(address)
        count, _ = self._failures.pop(key, (0, 0.0))
        self._failures[key] = (min(count + 1, 32), now)
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Forget the wrong ones."""
        self._failures.pop(_network(address), None)


def _network(address: str) -> str:
    """Who is counted as one: an IPv4 address, or the /64 that an IPv6 host can choose its addresses from."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class Gate:
    """Decides whether a client has shown the password, by a session or with each request."""

    def __init__(self, password_hash: str) -> None:
        self._password_hash = password_hash
        self._throttle = Throttle()
        self._sessions: OrderedDict[bytes, float] = OrderedDict()
        self._secret = secrets.token_bytes(32)
        self._known: bytes | None = None
        """Keyed digest of the right password, once seen: scripts send it with every request."""
        self._turn = asyncio.Lock()
        self._waiting = 0

    @property
    def open(self) -> bool:
        """Whether no password is set."""
        return not self._password_hash

    async def check_password(self, password: str, address: str) -> bool:
        """Whether this is the password.  SlowDownError: this address, or everybody together, asks too often."""
        now = asyncio.get_running_loop().time
        self._throttle.check(address, now())
        digest = self._digest(password.encode())
        right = self._known is not None and hmac.compare_digest(self._known, digest)
        if not right:
            if self._waiting >= MAX_WAITING:
                raise SlowDownError(1.0)
            self._waiting += 1
            try:
                async with self._turn:
                    self._throttle.check(address, now())  # others of this address were before us
                    right = await asyncio.to_thread(verify_password, password, self._password_hash)
                    if not right:
                        self._throttle.failed(address, now())
            finally:
                self._waiting -= 1
        if right:
            self._known = digest
            self._throttle.succeeded(address)
        return right

    def open_session(self, now: float) -> str:
        """Give the token of a new session."""
        token = secrets.token_urlsafe(32)
        self._sessions[self._digest(token.encode())] = now + SESSION_TIME
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return token

    def check_session(self, token: str, now: float) -> bool:
        """Whether this is the token of a session; using it prolongs it."""
        key = self._digest(token.encode())  # a keyed digest as key: what its look-up takes says nothing of the token
        until = self._sessions.pop(key, 0.0)
        if until <= now:
            return False
        self._sessions[key] = now + SESSION_TIME
        return True

    def close_session(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(self._digest(token.encode()), None)

    def _digest(self, data: bytes) -> bytes:
        return hmac.digest(self._secret, data, "sha256")
