"""``make hil``: boots the bench's machine, runs the tests in it and gives what came out.

The machine has a network of its own with the outside (hil.network), where far ends are (hil.far_ends).

Arguments are pytest's.  What the tests say is on the console; build/hil-results has junit.xml, the kernel's log and
whatever a test left there.  The status is pytest's, or 1 where the machine did not come to an end.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hil import network, pace
from hil.far_ends import FarEnds
from hil.image import ROOT, Image, image
from hil.machine import KVM, accelerator, command
from hil.monitor import Monitor

RESULTS = ROOT / "build" / "hil-results"
LONGEST = 1200
"""Seconds for all tests."""


def main(arguments: list[str]) -> int:
    """Run the tests; give the status."""
    made = image()
    if not network.is_own():
        return network.run_in_own([sys.executable, "-m", "hil.run", *arguments])
    network.set_up_outside()
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    pace.tell(RESULTS)
    (RESULTS / "arguments").write_text(shlex.join(arguments or ["tests/hil"]))
    acceleration = accelerator(made)
    print(f"Booting the machine ({'KVM' if acceleration is KVM else 'software emulation'})", flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        status = _run(made, Path(folder) / "monitor", acceleration, start)
    if status:
        return status
    print(f"{time.monotonic() - start:.0f} s in the machine; results in {RESULTS.relative_to(ROOT)}")
    try:
        return int((RESULTS / "status").read_text())
    except (OSError, ValueError):
        print("The machine died before the tests ended", file=sys.stderr)
        return 1


def _run(made: Image, path: Path, acceleration: tuple[str, ...], start: float) -> int:
    """Run the machine until it ends; 1: it did not."""
    monitor = Monitor(RESULTS, path)
    started = command(made, RESULTS, path, acceleration)
    with FarEnds(RESULTS) as far_ends, subprocess.Popen(started, stdin=subprocess.DEVNULL) as machine:
        try:
            while machine.poll() is None:
                monitor.serve()
                far_ends.serve()
                time.sleep(0.05)
                if time.monotonic() > start + LONGEST:
                    print(f"The machine did not end within {LONGEST} s", file=sys.stderr)
                    return 1
        finally:
            monitor.close()
            machine.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
