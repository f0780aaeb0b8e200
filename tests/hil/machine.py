"""The bench's machine: QEMU with KVM where that works, else with software emulation."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hil.image import ROOT, Image
from hil.network import CABLE

PROBE_TIME = 15
"""Seconds for an initramfs to say that it runs under KVM; a machine may have /dev/kvm and yet die under it."""
_QEMU = ("qemu-system-x86_64", "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio", "-m", "1536")
_CONSOLE = "console=ttyS0 panic=-1 loglevel=4 net.ifnames=0"
KVM = ("-accel", "kvm", "-cpu", "host", "-smp", "2")
EMULATION = ("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2")


def accelerator(image: Image) -> tuple[str, ...]:
    """QEMU's arguments for the fastest way that really boots here."""
    if not Path("/dev/kvm").exists():
        return EMULATION
    boot = ("-kernel", str(image.kernel), "-initrd", str(image.initramfs), "-append", f"{_CONSOLE} quiet hil.probe")
    try:
        probe = subprocess.run(
            [*_QEMU, *KVM, *boot], stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_TIME, check=False
        )
    except subprocess.TimeoutExpired:
        return EMULATION
    return KVM if b"hil: the machine works" in probe.stdout else EMULATION


def command(image: Image, results: Path, monitor: Path, acceleration: tuple[str, ...]) -> list[str]:
    """The command that boots the machine; it ends when the tests have ended.

    The project is at /project, read only, and ``results`` at /results.  QEMU listens for QMP at ``monitor``.  The
    machine's cable is that of hil.network.
    """
    shares = ("security_model=none,readonly=on", "security_model=none")
    folders = ((ROOT, "project"), (results, "results"))
    return [
        *_QEMU,
        *acceleration,
        *("-kernel", str(image.kernel), "-initrd", str(image.initramfs), "-append", f"{_CONSOLE} quiet"),
        *("-drive", f"file={image.root},format=raw,if=virtio,readonly=on"),
        *("-netdev", f"tap,id=cable,ifname={CABLE},script=no,downscript=no", "-device", "virtio-net-pci,netdev=cable"),
        *("-device", "virtio-gpu-pci,xres=1280,yres=720", "-qmp", f"unix:{monitor},server=on,wait=off"),
        *(
            word
            for (folder, tag), how in zip(folders, shares, strict=True)
            for word in ("-virtfs", f"local,path={folder},mount_tag={tag},multidevs=remap,{how}")
        ),
    ]
