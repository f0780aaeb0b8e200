"""The processes of other programs: what they and their children use, from /proc, and how they are ended."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    pids = [pid]
    for member in pids:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            pids += [int(child) for child in children.read_text().split()]
    return pids


def memory_and_cpu(pid: int) -> tuple[int, float]:
    """Resident memory, bytes, and CPU time (user and system, s) of one process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return resident, (int(fields[11]) + int(fields[12])) / _TICK


def family_memory_and_cpu(pid: int) -> tuple[int, float]:
    """The sums over the process and all that descend from it."""
    usages = [memory_and_cpu(member) for member in family(pid)]
    return sum(memory for memory, _ in usages), sum(cpu for _, cpu in usages)


def end(process: subprocess.Popen[bytes], patience: float = 5.0) -> None:
    """Ask a process to end, and make it after so many seconds."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
