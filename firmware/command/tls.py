"""The TLS of a unit, from its settings."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from firmware.config import storage_folder
from firmware.errors import FirmwareError
from firmware.net.own_certificate import own_certificate
from firmware.net.tls import Tls, Verify
from firmware.signaling.endpoint import reachable

if TYPE_CHECKING:
    from firmware.config import Config

logger = logging.getLogger(__name__)


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
        try:
            certificate, key = own_certificate(folder, config.room.name, [host, f"{host}.local", *addresses])
        except FirmwareError as error:
            logger.warning("= there is no TLS: a certificate can't be kept: %s", error)
            return None
    return Tls(certificate, key, Path(settings.ca) if settings.ca else None, Verify(settings.verify))
