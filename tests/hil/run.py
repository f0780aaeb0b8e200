"""``make hil``: boots the bench's machine, runs the tests in it and gives what came out.

Arguments are pytest's.  What the tests say is on the console; build/hil-results has junit.xml, the kernel's log and
whatever a test left there.  The status is pytest's, or 1 where the machine did not come to an end.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time

from hil.image import ROOT, image
from hil.machine import KVM, accelerator, command

RESULTS = ROOT / "build" / "hil-results"
LONGEST = 900
"""Seconds for all tests."""


def main(arguments: list[str]) -> int:
    """Run the tests; give the status."""
    made = image()
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    (RESULTS / "arguments").write_text(shlex.join(arguments or ["tests/hil"]))
    acceleration = accelerator(made)
    print(f"Booting the machine ({'KVM' if acceleration is KVM else 'software emulation'})", flush=True)
    start = time.monotonic()
    try:
        subprocess.run(command(made, RESULTS, acceleration), stdin=subprocess.DEVNULL, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        print(f"The machine did not end within {LONGEST} s", file=sys.stderr)
        return 1
    print(f"{time.monotonic() - start:.0f} s in the machine; results in {RESULTS.relative_to(ROOT)}")
    try:
        return int((RESULTS / "status").read_text())
    except (OSError, ValueError):
        print("The machine died before the tests ended", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
