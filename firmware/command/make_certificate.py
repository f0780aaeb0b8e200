"""``visavis make-certificate``: the short life of what makes a unit's own certificates.

A process of its own, because the library for it would stay in the unit's memory, 12 MB, for a work of once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware.net.own_certificate import make_pairs

if TYPE_CHECKING:
    from argparse import Namespace

    from firmware.command.hardware import Hardware


def run(arguments: Namespace, hardware: Hardware) -> int:  # noqa: ARG001
    """Make the certificates in the folder, unless they are there."""
    make_pairs(arguments.folder, arguments.name, arguments.reached_by)
    return 0
