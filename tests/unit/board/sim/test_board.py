"""`board.sim.board`: the settings become the devices they describe."""

import gc
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hil.waiting import wait_for
from signals import SILENCE, find_tone, level

import board
from board.sim.audio import Tone
from board.sim.board import SimBoard
from board.sim.counter import read_counter
from board.sim.watchdog import SimWatchdog
from firmware.errors import DeviceError
from firmware.ports import BLOCK_BYTES, BUTTONS, DEVICES, LAMPS, Board


def test_every_device_is_there() -> None:
    sim: Board = SimBoard({"display_width": 1920, "display_height": 1080})
    assert sim.open_camera(320, 180, 30).width == 320
    assert len(sim.open_microphone().read()) == BLOCK_BYTES
    sim.open_speaker().write(bytes(BLOCK_BYTES))
    assert sim.open_display().width == 1920
    assert set(sim.open_buttons()) == set(BUTTONS)
    assert set(sim.open_lamps()) == set(LAMPS)
    sim.close()


def test_close_closes_what_is_open() -> None:
    sim = SimBoard({})
    camera, microphone, display = sim.open_camera(320, 180, 30), sim.open_microphone(), sim.open_display()
    sim.close()
    assert camera.capture() is None
    assert microphone.read() == b""
    with pytest.raises(DeviceError):
        display.show([])
    sim.close()


def test_the_card_carries_its_label() -> None:
    sim = SimBoard({"camera_label": "Room B"})
    frame = sim.open_camera(640, 360, 30).capture()
    assert frame is not None
    assert read_counter(frame, "Room B") is not None
    assert read_counter(frame, "Room A") is None
    sim.close()


@pytest.mark.parametrize(("microphone", "tone"), [("tone", -20.0), ("silence", SILENCE)])
def test_what_the_microphone_hears(microphone: str, tone: float) -> None:
    sim = SimBoard({"microphone": microphone, "microphone_tone": 700})
    source = sim.open_microphone()
    sound = b"".join(source.read() for _ in range(10))
    assert find_tone(sound, 700) == pytest.approx(tone, abs=0.5)
    sim.close()


def test_files_before_camera_and_microphone_and_behind_the_speaker(tmp_path: Path) -> None:
    path = str(tmp_path / "sound.wav")
    first = SimBoard({"speaker": path})
    speaker, tone = first.open_speaker(), Tone(300, -20.0)
    for n in range(18):
        speaker.write(tone.block(n))
    first.close()
    assert find_tone(Path(path), 300) > -30
    second = SimBoard({"microphone": path})
    microphone = second.open_microphone()
    assert any(level(microphone.read()) > -30 for _ in range(200)), "silence before it where the machine was busy"
    second.close()


@pytest.mark.parametrize(
    ("settings", "opener"),
    [
        ({"microphone": "/nowhere/sound.wav"}, "open_microphone"),
        ({"speaker": "/nowhere/sound.wav"}, "open_speaker"),
    ],
)
def test_a_missing_file_is_a_missing_device(settings: dict[str, str], opener: str) -> None:
    with pytest.raises(DeviceError, match=r"/nowhere/sound\.wav"):
        getattr(SimBoard(settings), opener)()


def test_a_missing_film_is_a_missing_camera() -> None:
    with pytest.raises(DeviceError, match=r"/nowhere/film\.mp4"):
        SimBoard({"camera": "/nowhere/film.mp4"}).open_camera(640, 360, 30)


def test_files_are_looked_for(tmp_path: Path) -> None:
    film, recording = tmp_path / "film.mp4", tmp_path / "sound.wav"
    board = SimBoard({"camera": str(film), "microphone": str(recording)})
    for device, path in (("camera", film), ("microphone", recording)):
        with pytest.raises(DeviceError, match=f"{path} can't be opened: No such file"):
            board.look_for(device)
        path.touch()
        board.look_for(device)
    for device in DEVICES:
        SimBoard({}).look_for(device)


def test_pressing_without_having_opened_the_buttons() -> None:
    sim = SimBoard({})
    sim.press("call")
    with pytest.raises(DeviceError, match="eject"):
        sim.press("eject")
    sim.close()


def test_pressing_keys_of_the_remote_control() -> None:
    sim = SimBoard({})
    with pytest.raises(DeviceError, match="no television is in use"):
        sim.press_key("select")
    keys: list[str] = []
    television = sim.open_television("Aalto")
    television.when_key_pressed = keys.append
    television.wake()
    assert wait_for(lambda: television.status.on and television.status.shows_room)
    sim.press_key("select")
    assert wait_for(lambda: keys == ["select"])
    sim.close()


def test_the_machine_is_well_until_it_is_told_otherwise() -> None:
    sim = SimBoard({})
    well = sim.read_health(Path("/"))
    assert well.temperature == 48.0
    sim.pretend(replace(well, temperature=90.0))
    assert sim.read_health(Path("/")) == replace(well, temperature=90.0)


def test_its_watchdog_is_closed_with_it() -> None:
    sim = SimBoard({})
    dog = sim.open_watchdog(0.05)
    assert isinstance(dog, SimWatchdog)
    sim.close()
    time.sleep(0.1)
    assert not dog.barked


def test_a_process_loads_only_what_it_opens() -> None:
    program = (
        "import sys\n"
        "from board import open_board\n"
        "sim = open_board('sim', {})\n"
        "assert not {'av', 'PIL', 'gpiozero'} & set(sys.modules)\n"
        "sim.open_buttons()\n"
        "assert not {'av', 'PIL'} & set(sys.modules)\n"
        "sim.close()\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=Path(board.__file__).parents[1], check=True, timeout=60)


def test_what_was_opened_before_is_not_kept_alive() -> None:
    sim = SimBoard({})
    for _ in range(3):
        sim.open_camera(320, 180, 30).close()
        sim.open_microphone().close()
    gc.collect()
    assert len(sim._open) == 0


def test_a_speaker_that_is_opened_again_goes_on_with_its_record(tmp_path: Path) -> None:
    sim = SimBoard({"speaker": str(tmp_path / "sound.wav")})
    for _ in range(2):
        speaker = sim.open_speaker()
        for _ in range(5):
            speaker.write(bytes(BLOCK_BYTES))
        speaker.close()
    assert (tmp_path / "sound.wav").stat().st_size == 44 + 10 * BLOCK_BYTES
    SimBoard({"speaker": str(tmp_path / "sound.wav")}).open_speaker().close()
    assert (tmp_path / "sound.wav").stat().st_size == 44


def test_what_the_room_has_none_of_is_named_so() -> None:
    sim = SimBoard({"camera": "none", "display": "none"})
    assert sim.absent == {"camera", "display"}
    found = sim.describe()
    assert found["camera"] == found["display"] == "none, as configured"
    assert found["microphone"] == "tone"


def test_it_describes_what_it_was_set_to_be() -> None:
    found = SimBoard({"camera": "card", "display_width": 640, "display_height": 360}).describe()
    assert (found["camera"], found["display"], found["machine"]) == ("card", "640x360, in memory", "simulated")
