"""aiohttp as a server needs it: the import costs 3 MB and 40 ms less.

It reads the certificates of all authorities for a client that nobody is here, and a list written in C++, used a few
times an hour, brings the library of that language into the process.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENVIRONMENT: Final = {"SSL_CERT_FILE": os.devnull, "FROZENLIST_NO_EXTENSIONS": "1"}


def import_aiohttp() -> None:
    """Import it, unless somebody has."""
    with _environment(_ENVIRONMENT):
        import aiohttp.web  # noqa: F401


@contextlib.contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Have these variables in the environment for a while."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
