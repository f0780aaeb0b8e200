"""What a unit proves by who it is, in TLS and DTLS, from its settings."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware.config import storage_folder
from firmware.errors import FirmwareError
from firmware.net.own_certificate import Pair, dtls_pair, tls_pair
from firmware.net.tls import Tls, Verify
from firmware.signaling.endpoint import reachable
from firmware.signaling.sip_certificate import read_certificate

if TYPE_CHECKING:
    from firmware.config import Config
    from firmware.signaling.sip_certificate import Certificate

logger = logging.getLogger(__name__)


MAKE_TIME: Final = 60.0
"""Seconds for making certificates, of which a slow machine takes one."""


def make_tls(config: Config) -> Tls | None:
    """Give what connections are secured with; None, and a line that says why, where a unit can't make a certificate.

    What is wrong with files that the settings name is told when somebody listens.
    """
    settings = config.tls
    if settings.certificate:
        pair = Pair(Path(settings.certificate), Path(settings.key))
    else:
        pair = tls_pair(_folder(config))
        failure = _ensure(pair, config)
        if failure:
            logger.warning("= there is no TLS: no certificate can be made: %s", failure)
            return None
    return Tls(pair.certificate, pair.key, Path(settings.ca) if settings.ca else None, Verify(settings.verify))


def dtls_certificate(config: Config) -> Certificate | None:
    """Give what handshakes of DTLS show; None, and a line that says why, where a unit can't keep one."""
    pair = dtls_pair(_folder(config))
    try:
        failure = _ensure(pair, config)
        if not failure:
            return read_certificate(pair)
    except FirmwareError as error:
        failure = str(error)
    logger.warning("= the certificate for encrypted calls lasts until the unit stops: %s", failure)
    return None


def _folder(config: Config) -> Path:
    return storage_folder(config.storage) / "tls"


def _ensure(pair: Pair, config: Config) -> str:
    """Have a unit's own certificates made, if this one is missing; gives why that failed, or ""."""
    if pair.exists:
        return ""
    host = socket.gethostname()
    addresses = [address for each in config.sip.addresses if (address := reachable(each)) is not None]
    failure = _make(_folder(config), config.room.name, [host, f"{host}.local", *addresses])
    if not failure:
        logger.info("= made the certificate %s", pair.certificate)
    return failure


def _make(folder: Path, name: str, reached_by: list[str]) -> str:
    """Have certificates made; gives why that failed, or ""."""
    command = [sys.executable, "-m", "firmware", "make-certificate", "--", str(folder), name, *reached_by]
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=MAKE_TIME, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if made.returncode == 0:
        return ""
    said = made.stderr.strip().splitlines() or [f"status {made.returncode}"]
    return said[-1].removeprefix("visavis: ")
