"""`board.pi.sound_card` on what the kernel writes in /proc/asound."""

from pathlib import Path

import pytest

from board.pi.sound_card import SoundCard, choose, sound_cards
from firmware.errors import DeviceError

HDMI = SoundCard("vc4hdmi0", "vc4-hdmi-0", False, None, 0)
JACK = SoundCard("Headphones", "bcm2835 Headphones", False, None, 0)
SPEAKERPHONE = SoundCard("USB", "Jabra SPEAK 510 USB", True, 0, 0)
CAMERA = SoundCard("C920", "HD Pro Webcam C920", True, 0, None)
ARRAY = SoundCard("array", "I2S microphones", False, 2, None)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """What a Pi 4 with a speakerphone has."""
    (tmp_path / "cards").write_text(
        " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n                      vc4-hdmi-0\n"
        " 2 [USB            ]: USB-Audio - Jabra SPEAK 510 USB\n"
        "                      Jabra SPEAK 510 USB at usb-0000:01:00.0-1.3, full speed\n"
    )
    (tmp_path / "pcm").write_text(
        "00-00: MAI PCM i2s-hifi-0 : MAI PCM i2s-hifi-0 : playback 1\n"
        "02-00: USB Audio : USB Audio : playback 1 : capture 1\n"
        "02-01: USB Audio #1 : USB Audio #1 : playback 1\n"
    )
    for number, name in ((0, "vc4hdmi0"), (2, "USB")):
        (tmp_path / f"card{number}").mkdir()
        (tmp_path / f"card{number}" / "id").write_text(name + "\n")
    (tmp_path / "card2" / "usbid").write_text("0b0e:0422\n")
    return tmp_path


def test_cards_are_found(proc: Path) -> None:
    assert sound_cards(proc) == [HDMI, SPEAKERPHONE]


def test_a_machine_without_sound_has_none(tmp_path: Path) -> None:
    assert sound_cards(tmp_path) == []


def test_what_is_no_card_is_passed_over(proc: Path) -> None:
    (proc / "pcm").write_text("\nnonsense\n02-00: USB Audio : USB Audio : playback 1 : capture 1\n")
    assert sound_cards(proc) == [SoundCard("USB", SPEAKERPHONE.title, True, 0, 0)]


def test_a_card_that_left_in_between_has_its_number_for_a_name(proc: Path) -> None:
    (proc / "card2" / "id").unlink()
    assert sound_cards(proc)[1].name == "2"


@pytest.mark.parametrize(
    ("cards", "hears", "best"),
    [
        ([JACK, HDMI, SPEAKERPHONE], False, SPEAKERPHONE),
        ([JACK, HDMI, SPEAKERPHONE], True, SPEAKERPHONE),
        ([JACK, HDMI, CAMERA], False, HDMI),
        ([JACK, HDMI, CAMERA], True, CAMERA),
        ([JACK, ARRAY], False, JACK),
        ([JACK, ARRAY], True, ARRAY),
    ],
)
def test_the_best_is_chosen(cards: list[SoundCard], hears: bool, best: SoundCard) -> None:
    assert choose(cards, "", hears=hears) is best


@pytest.mark.parametrize("wanted", ["Headphones", "headphones", "bcm2835 Headphones", "bcm2835"])
def test_a_card_is_chosen_by_name(wanted: str) -> None:
    assert choose([HDMI, JACK, SPEAKERPHONE], wanted, hears=False) is JACK


def test_a_name_is_sought_among_those_that_can(proc: Path) -> None:
    with pytest.raises(DeviceError, match="no sound card 'C920'"):
        choose([CAMERA, JACK], "C920", hears=False)


def test_there_may_be_none() -> None:
    with pytest.raises(DeviceError, match="no sound card here; of any kind: vc4hdmi0"):
        choose([HDMI], "", hears=True)
    with pytest.raises(DeviceError, match="of any kind: none"):
        choose([], "", hears=False)


def test_names_for_alsa() -> None:
    assert SPEAKERPHONE.device(hears=True) == "plughw:CARD=USB,DEV=0"
    assert ARRAY.device(hears=True) == "plughw:CARD=array,DEV=2"
    assert HDMI.device(hears=False) == "default:CARD=vc4hdmi0"
    assert ARRAY.hardware(hears=True) == "hw:CARD=array,DEV=2"
    assert HDMI.hardware(hears=False) == ""
    assert SPEAKERPHONE.mixer == "hw:USB"
