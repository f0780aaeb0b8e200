"""`visavis demo`, which `make run` runs: two units of ours, one call, and the figures in words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from interop.unit import ROOT


def test_it_says_what_flows(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "firmware", "demo", "--seconds", "9"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert re.search(r"^Its panel: http://127\.0\.0\.1:\d+/$", result.stdout, re.MULTILINE)
    for pattern in (
        r"^  sends audio: opus, \d+ kbit/s, loss \d+\.\d %, round trip \d+\.\d ms$",
        r"^  receives audio: opus, \d+ kbit/s, loss \d+\.\d %, round trip \d+\.\d ms$",
        r"^  sends video: H264, 1280x720, \d+ frames/s, \d+ kbit/s, loss \d+\.\d %, round trip \d+\.\d ms$",
        r"^  receives video: H264, 1280x720, \d+ frames/s, \d+ kbit/s, loss \d+\.\d %, round trip \d+\.\d ms$",
    ):
        assert re.search(pattern, result.stdout, re.MULTILINE), result.stdout
    assert result.stdout.endswith("Hanging up.\n")
    assert result.stderr == ""
