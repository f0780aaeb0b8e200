"""What half a minute of a call costs: two units, then two baresips, with the same picture, size, rate and sound.

Our camera draws the test card; baresip's plays a film of it by ``avformat``, so that it decodes the film besides: the
cost of that alone is measured too.  baresip's call is not encrypted, and so is the first of ours; the second one is as
units make it, encrypted with keys agreed by DTLS.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import av
import pytest
from bench.conftest import Figure
from interop.baresip import Baresip
from interop.footage import write_card
from interop.unit import Unit

SECONDS = 30
MEDIA = {"width": 1280, "height": 720, "frame_rate": 30, "bitrate": 1_564_000, "codecs": ["G722", "H264"]}
"""1.5 Mbit/s of picture: 64 kbit/s of a call are kept for sound."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_card(tmp_path_factory.mktemp("film") / "film.mp4", "Far end", SECONDS + 20)


@pytest.fixture(scope="module")
def bare_timer() -> list[float]:
    """The lateness at p99 of a bare 10 ms timer process, second by second, s, before anything else runs."""
    command = [sys.executable, str(Path(__file__).with_name("timer.py")), str(SECONDS)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [float(word) for word in output.split()]


def measure(
    ends: list[Unit] | list[Baresip], each_second: Callable[[], None] = lambda: None
) -> list[tuple[float, int]]:
    """CPU seconds used by each end during SECONDS, and the most resident memory it had, bytes."""
    begin = [end.usage()[1] for end in ends]
    memory = [0] * len(ends)
    until = time.monotonic() + SECONDS
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        each_second()
        memory = [max(end.usage()[0], before) for end, before in zip(ends, memory, strict=True)]
    return [(end.usage()[1] - before, used) for end, before, used in zip(ends, begin, memory, strict=True)]


class OurCall(NamedTuple):
    """What a call of two units cost."""

    ends: list[tuple[float, int]]
    idle: int
    """Bytes of one unit before it."""
    ticks: list[float]
    """Lateness of the audio tick at p99, second by second, s."""
    streams: dict[tuple[str, str], dict[str, float]]


def our_call(unit: Callable[..., Unit], encryption: str) -> OurCall:
    settings = {"media": MEDIA | {"encryption": encryption}, "log": {"level": "info"}}
    near, far = unit(settings), unit(settings)
    idle = near.usage()[0]
    call = near.dial(far.uri)
    near.wait_for_call()
    time.sleep(5)
    ticks: list[float] = []
    ends = measure([near, far], lambda: ticks.append(near.audio_tick(call)["p99"]))
    streams = near.streams(call)
    near.command(call, "hang_up")
    near.stop()
    far.stop()
    picture = streams["video", "receive"]
    assert (picture["width"], picture["height"]) == (1280, 720)
    assert picture["frame_rate"] > 25
    return OurCall(ends, idle, ticks, streams)


@pytest.mark.timeout(300)
def test_call_load(
    bare_timer: list[float],
    unit: Callable[..., Unit],
    baresip: Callable[..., Baresip],
    film: Path,
    figures: list[Figure],
) -> None:
    clear, encrypted = our_call(unit, "off"), our_call(unit, "required")

    ends = [baresip(card=film, record=False) for _ in range(2)]
    ends[0].dial(ends[1].uri)
    ends[1].wait_for("CALL_ESTABLISHED")
    time.sleep(5)
    theirs = measure(ends)
    decoding = decode_cost(film)

    figures += [
        Figure(
            f"CPU of {SECONDS} s of 720p30 at 1.5 Mbit/s and G.722, a side", cpu(clear.ends), cpu(theirs), "<= 10 s"
        ),
        Figure("the same, encrypted", cpu(encrypted.ends), "", "<= 10 s"),
        Figure("of which baresip decodes its film", "", f"{decoding:.1f} s"),
        Figure("memory (RSS of all processes) in the call", memory(clear.ends), memory(theirs), "<= 160 MB"),
        Figure("the same, encrypted", memory(encrypted.ends)),
        Figure("memory (RSS of all processes) idle", f"{clear.idle / 1e6:.0f} MB", "", "<= 110 MB"),
        Figure("sent picture", rate(clear.streams["video", "send"]), "30.0 /s (its setting)"),
        Figure("received picture", rate(clear.streams["video", "receive"])),
        Figure("10 ms timer process on the idle machine, late at p99", milliseconds(bare_timer)),
        Figure("10 ms audio tick in the encrypted call, late at p99", milliseconds(encrypted.ticks)),
        Figure(
            "that many times the timer's",
            f"{statistics.median(encrypted.ticks) / statistics.median(bare_timer):.2f}",
            "",
            "<= 1.5",
        ),
    ]


def milliseconds(times: list[float]) -> str:
    return f"{statistics.median(times) * 1000:.2f} ms"


def cpu(ends: list[tuple[float, int]]) -> str:
    return f"{sum(seconds for seconds, _ in ends) / len(ends):.1f} s"


def memory(ends: list[tuple[float, int]]) -> str:
    return f"{max(used for _, used in ends) / 1e6:.0f} MB"


def rate(stream: dict[str, float]) -> str:
    return f"{stream['frame_rate']:.1f} /s, {stream['bitrate'] / 1e6:.2f} Mbit/s"


def decode_cost(film: Path) -> float:
    """CPU seconds to decode SECONDS of the film with one thread."""
    begin = time.process_time()
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for number, _ in enumerate(container.decode(stream)):
            if number >= SECONDS * 30:
                break
    return time.process_time() - begin
