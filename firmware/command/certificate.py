"""``visavis certificate``: what to give to a far end that is to know this unit by TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.command.settings import settings
from firmware.command.tls import make_tls
from firmware.errors import FirmwareError

if TYPE_CHECKING:
    from argparse import Namespace

    from firmware.command.hardware import Hardware


def run(arguments: Namespace, hardware: Hardware) -> int:
    """Print the unit's certificate; it is made if there is none yet."""
    tls = make_tls(settings(arguments, hardware.settings))
    if tls is None:
        raise FirmwareError("there is no certificate")
    try:
        text = tls.certificate.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise FirmwareError(f"{tls.certificate}: it can't be read: {error}") from None
    print(text, end="")
    return 0
