"""The bench's machine: QEMU with KVM where that works, else with software emulation.

An emulated machine is many times slower than the one around it, and stands still whenever that has something else to
do.  Where nobody outside has to keep up with it, it gets a time of its own instead: each instruction takes 1 ns of it,
and what is waited for comes at once.  So sound never finds it late, and a minute passes as soon as its work is done.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from hil.image import ROOT, Image
from hil.network import CABLE

PROBE_TIME = 15
"""Seconds for an initramfs to say that it runs under KVM; a machine may have /dev/kvm and yet die under it."""
_QEMU = ("qemu-system-x86_64", "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio", "-m", "1536")
_CONSOLE = "console=ttyS0 panic=-1 loglevel=4 net.ifnames=0"
_FAST = "mitigations=off init_on_alloc=0 norandmaps"
"""What each program finds at the same place is translated once, not anew for each process."""
KVM = ("-accel", "kvm", "-cpu", "host", "-smp", "2")
_CPU = "max,erms=off,la57=off"
"""Without what is slow to emulate: copying by strings of octets (ERMS), and pages of five levels."""
EMULATION = ("-accel", "tcg,thread=multi", "-cpu", _CPU, "-smp", "2")
OWN_TIME = ("-accel", "tcg", "-icount", "shift=0,sleep=off", "-rtc", "clock=vm", "-cpu", _CPU, "-smp", "1")
_SYSTEMD = "hil.systemd"
_OWN_BEAT = "nohz=off nolapic_timer"
"""With a timer's tick every 4 ms, its own time does not run far ahead while it waits for the disk.  The processor's own
timer would be measured first, by a loop that is slow to emulate."""


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


def command(
    image: Image, results: Path, monitor: Path, acceleration: tuple[str, ...], *, cable: bool, systemd: bool
) -> list[str]:
    """The command that boots the machine; it ends when the tests have ended.

    The project is at /project, read only, and ``results`` at /results.  QEMU listens for QMP at ``monitor``.  Where it
    has a ``cable``, it is that of hil.network.  Its first process is ``systemd`` or a script.
    """
    shares = ("security_model=none,readonly=on", "security_model=none")
    folders = ((ROOT, "project"), (results, "results"))
    plug = f"tap,id=cable,ifname={CABLE},script=no,downscript=no"
    console = f"{_CONSOLE} quiet {_FAST} {_OWN_BEAT if acceleration is OWN_TIME else ''} {_SYSTEMD if systemd else ''}"
    return [
        *(("nice", "-n", "10") if acceleration is OWN_TIME else ()),  # it can wait, others can't
        *_QEMU,
        *acceleration,
        *("-kernel", str(image.kernel), "-initrd", str(image.initramfs), "-append", console),
        *("-drive", f"file={image.root},format=raw,if=virtio,readonly=on"),
        *(("-netdev", plug, "-device", "virtio-net-pci,netdev=cable") if cable else ()),
        *("-device", "virtio-gpu-pci,xres=1280,yres=720", "-qmp", f"unix:{monitor},server=on,wait=off"),
        *(
            word
            for (folder, tag), how in zip(folders, shares, strict=True)
            for word in ("-virtfs", f"local,path={folder},mount_tag={tag},multidevs=remap,{how}")
        ),
    ]
