"""``make hil``: boots the bench's machines, runs the tests in them and gives what came out.

The tests are divided among machines that run side by side (hil.division).  Pictures and sound have a clock: what fails
beside others is run once more alone, and then it counts.  The machines have a network of their own with the outside
(hil.network), where far ends are (hil.far_ends).

Arguments are pytest's.  What the tests say is on the console; build/hil-results has for each machine junit.xml, the
kernel's log and whatever a test left there.  The status is pytest's, or 1 where a machine did not come to an end.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Sequence

from hil import network
from hil.compiled import compile_project
from hil.division import AT_ONCE, divide
from hil.image import HERE, ROOT, image
from hil.machine import KVM, accelerator
from hil.session import CACHE, Session

RESULTS = ROOT / "build" / "hil-results"
LONGEST = 1200
"""Seconds for all tests."""
FAILED, NONE_CHOSEN = 1, 5
"""Pytest's status where a test failed, and where none was chosen."""


def main(arguments: list[str]) -> int:
    """Run the tests; give the status."""
    made = image()
    if not network.is_own():
        return network.run_in_own([sys.executable, "-m", "hil.run", *arguments])
    compile_project(made)
    network.set_up_outside()
    shutil.rmtree(RESULTS, ignore_errors=True)
    acceleration = accelerator(made)
    print(f"Booting the machines ({'KVM' if acceleration is KVM else 'software emulation'})", flush=True)
    start = time.monotonic()
    divided = divide(arguments, sorted(path.name for path in HERE.glob("test_*.py")))
    sessions = [Session(name, made, acceleration, RESULTS / name, words) for name, words in divided.items()]
    statuses = _run(sessions, start)
    for number, session in enumerate(sessions):
        if statuses[number] == FAILED and len(sessions) > 1 and (session.results / CACHE).exists():
            print(f"Once more, alone: what failed in {session.name}", flush=True)
            alone = session.results.with_name(f"{session.name}-alone")
            shutil.copytree(session.results / CACHE, alone / CACHE)
            failed = ["--last-failed", "--last-failed-no-failures=none"]
            again = Session(session.name, made, acceleration, alone, [*session.arguments, *failed])
            statuses[number] = _run([again], start)[0]
    print(f"{time.monotonic() - start:.0f} s in the machines; results in {RESULTS.relative_to(ROOT)}")
    chosen = [status for status in statuses if status != NONE_CHOSEN]
    return max(chosen, default=NONE_CHOSEN)


def _run(sessions: Sequence[Session], start: float) -> list[int]:
    """Run machines side by side until they end; give their statuses."""
    waiting, running = list(sessions), list[Session]()
    with contextlib.ExitStack() as opened:
        while waiting or running:
            running = [session for session in running if not session.ended]
            if waiting and len(running) < AT_ONCE:
                running.append(opened.enter_context(waiting.pop(0)))
            for session in running:
                session.serve()
            time.sleep(0.05)
            if time.monotonic() > start + LONGEST:
                print(f"The machines did not end within {LONGEST} s", file=sys.stderr)
                break
    return [session.status() for session in sessions]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
