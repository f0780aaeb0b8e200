"""The panel in the browser and the API that it and others use.

The API is a table (`api.py`): method, path, what goes in, what comes out, what it does.  The routes and the OpenAPI
3.1 document (`openapi.py`) are made from that table, so that neither can say what the other doesn't.  Bodies are the
structs of `body.py`; what the camera is asked is in `camera.py`.  What lasts longer than an answer is in `live.py`: the
events on a WebSocket and the live screen.  `panel/` is one page, written by hand, that uses nothing but this API.

Who may come in (`guard.py`, `auth.py`)::

    connection ─▶ bounded ─▶ Host ours? ─▶ Origin ours? ─▶ password right? ─▶ operation
    server.py               DNS rebinding   CSRF           cookie or Basic

While no password is set, the server listens on loopback only and asks for none.  A password is kept as a scrypt hash;
wrong ones are slowed down by address.  Nothing that a client sends can grow without bound: connections, viewers,
headers, bodies and time are limited, and a client that reads too slowly gets the newest state, not all of them, or is
dropped.
"""

from firmware.web.aiohttp_import import import_aiohttp

import_aiohttp()
