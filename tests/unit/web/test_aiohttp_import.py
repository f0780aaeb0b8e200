"""What importing the web server leaves out, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

LOOK = """
import os
import ssl
import firmware.web.server
from aiohttp import connector
known = connector._SSL_CONTEXT_VERIFIED.cert_store_stats()["x509"]
libraries = open("/proc/self/maps").read()
print(known, "libstdc++" in libraries, os.environ.get("SSL_CERT_FILE"), os.environ.get("FROZENLIST_NO_EXTENSIONS"))
"""


def look(**environment: str) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
    command = [sys.executable, "-c", LOOK]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=True).stdout.split()


def test_no_authorities_and_no_cxx() -> None:
    assert look() == ["0", "False", "None", "None"]


def test_the_environment_is_as_it_was() -> None:
    assert look(SSL_CERT_FILE="/some/file", FROZENLIST_NO_EXTENSIONS="0")[2:] == ["/some/file", "0"]
