"""`board.sim.clap`."""

from __future__ import annotations

import time
from array import array
from pathlib import Path

import pytest
from claps import claps

from board.sim.audio import SimSpeaker
from board.sim.card import Card
from board.sim.clap import PERIOD, ClapCard, Clapper, Click, Witness
from board.sim.counter import read_counter
from board.sim.display import SimDisplay
from firmware.errors import DeviceError
from firmware.ports import BLOCK_BYTES, SAMPLE_RATE, Plane

RATE = 10
PERIOD_PICTURES = round(PERIOD * RATE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "witness"


def lines(path: Path) -> list[str]:
    return [line.split()[0] for line in path.read_text().splitlines()]


def card(clapper: Clapper) -> ClapCard:
    return ClapCard(Card(640, 360, RATE, "Unit"), clapper)


def test_a_clap_is_seen_once_and_the_card_is_still_readable(path: Path) -> None:
    witness = Witness(str(path))
    source, display = card(Clapper()), SimDisplay(640, 360, witness)
    for number in range(PERIOD_PICTURES - 2, PERIOD_PICTURES + 3):
        picture = source.picture(number, number / RATE)
        assert read_counter(picture) == number
        display.show([Plane(picture, 0, 0, 1, 1)])
        assert lines(path) == ["seen"] * (number >= PERIOD_PICTURES)


def test_a_self_view_is_no_far_end(path: Path) -> None:
    display = SimDisplay(640, 360, Witness(str(path)))
    display.show([Plane(card(Clapper()).picture(0, 0.0), 0, 0, 1, 1, fill=True)])
    assert lines(path) == []


def test_a_click_begins_when_the_clapperboard_claps() -> None:
    clapper = Clapper()
    click = Click(clapper)
    assert click.block(1) == bytes(BLOCK_BYTES)
    clapper.clap()
    time.sleep(0.004)
    sound = array("h", b"".join(click.block(number) for number in range(2, 6)))
    begins = next(place for place, sample in enumerate(sound) if sample)
    assert begins <= 0.006 * SAMPLE_RATE
    assert max(sound) > 15_000
    assert not any(sound[begins + 1 + round(0.02 * SAMPLE_RATE) :])


def test_a_click_is_heard_when_the_speaker_plays_it(path: Path) -> None:
    speaker = SimSpeaker(None, witness=Witness(str(path)))
    begin = time.monotonic()
    for _ in range(5):
        speaker.write(bytes(BLOCK_BYTES))
    ahead = speaker.delay
    loud = array("h", [20_000]).tobytes() * (BLOCK_BYTES // 2)
    speaker.write(bytes(BLOCK_BYTES // 2) + loud[BLOCK_BYTES // 2 :])
    assert ahead == pytest.approx(0.040, abs=0.020)
    what, at = path.read_text().split()
    assert what == "heard"
    assert float(at) - begin == pytest.approx(0.055, abs=0.001)
    speaker.write(loud)
    assert lines(path) == ["heard"]


def test_claps_tell_how_long_each_took(tmp_path: Path) -> None:
    made, noticed = tmp_path / "made", tmp_path / "noticed"
    made.write_text("clapped 10.0\nclapped 12.0\nclapped 14.0\nclap")
    noticed.write_text("seen 10.1\nheard 10.15\nseen 12.1\nheard 14.2\nseen 14.1\n")
    both = claps(made, noticed)
    assert both.seen == pytest.approx((0.1, 0.1))
    assert both.heard == pytest.approx((0.15, 0.2))
    assert both.skew == pytest.approx(0.075)
    assert claps(made, noticed, 13.0).skews == pytest.approx((0.1,))


def test_a_file_that_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="can't be written"):
        Witness(str(tmp_path / "nowhere" / "witness"))
