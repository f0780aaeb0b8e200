"""What stands before every operation: whose page asks, who is there, and how an error is said.

Rule 1: a request is answered only under a name or address of this unit, so that no other site's name can be made to
mean us (DNS rebinding).
Rule 2: what changes something, and every WebSocket, must come from our own page or from no page at all (CSRF).
Rule 3: with a password set, nothing but the page itself and the log-in is given without it.
Rule 4: every refusal is a JSON `Error`; what the far end did wrong leaves no traceback.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web

from firmware.errors import CallError, DeviceError
from firmware.room import NoSuchCallError
from firmware.web import body
from firmware.web.api import BASE, COOKIE, OPERATIONS, json_response
from firmware.web.auth import SlowDownError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp.typedefs import Middleware

    from firmware.web.auth import Gate

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Server": "Visavis",
    "X-Content-Type-Options": "nosniff",
}
_PUBLIC: Final = frozenset((o.method, BASE + o.path) for o in OPERATIONS if o.public)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def guard(gate: Gate, host_names: Iterable[str]) -> Middleware:
    """Make the middleware that applies the rules of this file."""
    names = {"localhost", *(name.lower().rstrip(".") for name in host_names)}

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _check_host(request, names)
            _check_origin(request)
            await _check_password(request, gate)
            return await handler(request)
        except web.HTTPException as error:
            headers = {
                name: error.headers[name]
                for name in ("Retry-After", "Allow", "Location", "WWW-Authenticate")
                if name in error.headers
            }
            return refusal(error.status, error.text or error.reason, headers)
        except SlowDownError as error:
            return refusal(429, str(error), {"Retry-After": str(int(error.seconds) + 1)})
        except NoSuchCallError as error:
            return refusal(404, str(error))
        except (CallError, DeviceError) as error:
            return refusal(409, str(error))

    return guarded


def refusal(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    """Make the answer to what is refused."""
    return json_response(body.Error(text), status, headers)


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Add to every response what browsers should hold the page to."""
    response.headers.update(HEADERS)


def _check_host(request: web.Request, names: set[str]) -> None:
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        host = ""
    if host.rstrip(".") not in names and not _is_address(host):
        raise web.HTTPForbidden(text="this unit is not reached by that name; web.host_names lists those that it has")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True  # no name, hence nothing that another site could have pointed at us


def _check_origin(request: web.Request) -> None:
    if request.method in _SAFE and request.headers.get("Upgrade", "").lower() != "websocket":
        return
    origin = request.headers.get("Origin")
    if origin is not None and _site(origin) != request.host.lower():
        raise web.HTTPForbidden(text="another site may not do that")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise web.HTTPForbidden(text="another site may not do that")


def _site(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


async def _check_password(request: web.Request, gate: Gate) -> None:
    if gate.open or not request.path.startswith(f"{BASE}/") or (request.method, request.path) in _PUBLIC:
        return
    token = request.cookies.get(COOKIE)
    if token is not None and gate.check_session(token, asyncio.get_running_loop().time()):
        return
    password = _basic_password(request.headers.get("Authorization", ""))
    if password is not None and await gate.check_password(password, request.remote or ""):
        return
    # No WWW-Authenticate for our own page: the browser would ask with a dialog of its own.
    from_page = request.headers.get("Sec-Fetch-Mode") not in (None, "navigate")
    headers = {} if from_page else {"WWW-Authenticate": 'Basic realm="Visavis", charset="UTF-8"'}
    raise web.HTTPUnauthorized(text="a password is needed", headers=headers)


def _basic_password(authorization: str) -> str | None:
    """Give the password of RFC 7617 credentials."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user_password = base64.b64decode(credentials.strip(), validate=True).decode()
    except ValueError:  # no base64, not even ASCII, or no UTF-8 in it
        return None
    return user_password.partition(":")[2]
