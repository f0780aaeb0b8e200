"""The TLS of a unit, from its settings."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware.config import storage_folder
from firmware.net.own_certificate import CERTIFICATE, KEY
from firmware.net.tls import Tls, Verify
from firmware.signaling.endpoint import reachable

if TYPE_CHECKING:
    from firmware.config import Config

logger = logging.getLogger(__name__)


MAKE_TIME: Final = 60.0
"""Seconds for making a certificate, of which a slow machine takes one."""


def make_tls(config: Config) -> Tls | None:
    """Give what connections are secured with; None, and a line that says why, where a unit can't make a certificate.

    What is wrong with files that the settings name is told when somebody listens.
    """
    settings = config.tls
    if settings.certificate:
        certificate, key = Path(settings.certificate), Path(settings.key)
    else:
        host = socket.gethostname()
        addresses = [address for each in config.sip.addresses if (address := reachable(each)) is not None]
        folder = storage_folder(config.storage) / "tls"
        certificate, key = folder / CERTIFICATE, folder / KEY
        if not (certificate.is_file() and key.is_file()):
            failure = _make(folder, config.room.name, [host, f"{host}.local", *addresses])
            if failure:
                logger.warning("= there is no TLS: no certificate can be made: %s", failure)
                return None
            logger.info("= made the certificate %s", certificate)
    return Tls(certificate, key, Path(settings.ca) if settings.ca else None, Verify(settings.verify))


def _make(folder: Path, name: str, reached_by: list[str]) -> str:
    """Have a certificate made; gives why that failed, or ""."""
    command = [sys.executable, "-m", "firmware", "make-certificate", "--", str(folder), name, *reached_by]
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=MAKE_TIME, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if made.returncode == 0:
        return ""
    said = made.stderr.strip().splitlines() or [f"status {made.returncode}"]
    return said[-1].removeprefix("visavis: ")
