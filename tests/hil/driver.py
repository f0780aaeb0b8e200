"""Kernel modules."""

from __future__ import annotations

import subprocess


def load(module: str, *parameters: str) -> None:
    """Load a kernel module.  A bench that lacks one fails; it does not skip."""
    subprocess.run(["modprobe", module, *parameters], check=True, capture_output=True, text=True)


def unload(module: str) -> None:
    """Remove a kernel module."""
    subprocess.run(["modprobe", "--remove", module], check=True, capture_output=True, text=True)
