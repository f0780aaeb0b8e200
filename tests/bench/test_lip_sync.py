"""How far apart a far end's sound and picture come out, by content, over links that treat both alike or not.

A clapperboard stands before the caller's camera and microphone, a witness before the callee's screen and speaker; both
are processes of their own, and the link between is `interop.slow_link`.  Above 0 sound is late.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from bench.conftest import Figure
from claps import claps
from interop.slow_link import AF41, EF, SlowLink, Way
from interop.unit import Unit

SETTLED, SECONDS = 20.0, 30.0
MEDIA = {"width": 1280, "height": 720, "frame_rate": 30, "encryption": "off"}
LINKS: dict[str, dict[int, Way]] = {
    "a quiet link": {},
    "20 ms": {EF: Way(0.020), AF41: Way(0.020)},
    "80 ms of jitter": {EF: Way(0.020, 0.080), AF41: Way(0.020, 0.080)},
    "sound 150 ms later": {EF: Way(0.150)},
    "pictures 100 ms later": {AF41: Way(0.100)},
    "pictures 150 ms later": {AF41: Way(0.150)},
}
CASES = [("SIP", link) for link in LINKS] + [("H.323", "a quiet link"), ("H.323", "sound 150 ms later")]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("protocol", "link"), CASES)
def test_lip_sync(protocol: str, link: str, tmp_path: Path, figures: list[Figure]) -> None:
    with ExitStack() as running:
        path = running.enter_context(SlowLink())
        path.ways.update(LINKS[link])
        units = []
        for number, (end, camera, microphone) in enumerate(
            zip(path.ends, ("clap", "card"), ("clap", "silence"), strict=True)
        ):
            witness = tmp_path / f"witness-{number}"
            own = {"camera": camera, "microphone": microphone, "speaker": "null", "witness": str(witness)}
            folder = tmp_path / f"unit-{number}"
            settings = {"media": MEDIA, "board.sim": own}
            units.append(running.enter_context(Unit(folder, settings, address=end.address, namespace=end)))
        near, far = units
        begin = time.monotonic()
        call = near.dial(far.uri if protocol == "SIP" else far.h323_url)
        near.wait_for_call()
        time.sleep(SETTLED + SECONDS)
        near.command(call, "hang_up")
        near.wait_for_idle()
        settled = claps(tmp_path / "witness-0", tmp_path / "witness-1", begin + SETTLED)
    figures.append(Figure(f"lip sync by {protocol}, {link}", str(settled), "", "+125 to -45 ms"))
