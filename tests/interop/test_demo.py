"""`visavis demo`, which `make run` runs: two units of ours, a call by each protocol, and the figures in words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from interop.unit import ROOT


def test_it_says_what_flows(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "firmware", "demo", "--seconds", "16"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert re.search(r"^Its panel: http://127\.0\.0\.1:\d+/$", result.stdout, re.MULTILINE)
    _, by_sip, by_h323 = result.stdout.split("Calling an echo far end at ")
    for said, scheme, sound in ((by_sip, "sip:", "opus"), (by_h323, "h323:", "opus")):
        assert said.startswith(scheme)
        for way in ("sends", "receives"):
            for flow in (f"audio: {sound}", r"video: H264, 1280x720, \d+ frames/s"):
                pattern = rf"^  {way} {flow}, \d+ kbit/s, loss \d+\.\d %, round trip \d+\.\d ms$"
                assert re.search(pattern, said, re.MULTILINE), result.stdout
    assert result.stdout.endswith("Hanging up.\n")
    assert result.stderr == ""
