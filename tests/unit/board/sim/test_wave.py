"""`board.sim.wave`: the file is valid whenever it is looked at, and a full disk is told."""

import signal
import subprocess
import sys
import wave
from pathlib import Path

import pytest

import board
from board.sim.wave import WaveWriter
from firmware.errors import DeviceError
from firmware.ports import BLOCK_BYTES


def test_what_is_written_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    writer = WaveWriter(str(path))
    blocks = [bytes([n % 256]) * BLOCK_BYTES for n in range(250)]
    for block in blocks:
        writer.write(block)
    writer.close()
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (1, 2, 48_000, 250 * 480)
        assert file.readframes(250 * 480) == b"".join(blocks)


def test_the_file_is_valid_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    writer = WaveWriter(str(path))
    for n in range(301):
        if n % 50 == 0:
            with wave.open(str(path)) as file:
                told = file.getnframes() // 480
                assert n - 100 < told <= n
                assert len(file.readframes(told * 480)) == told * BLOCK_BYTES
        writer.write(bytes(BLOCK_BYTES))
    writer.close()


def test_the_file_is_valid_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    program = (
        "import os, signal, sys\n"
        "from board.sim.wave import WaveWriter\n"
        "writer = WaveWriter(sys.argv[1])\n"
        f"for _ in range(250): writer.write(bytes({BLOCK_BYTES}))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(board.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program, path], cwd=root, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    with wave.open(str(path)) as file:
        assert file.getnframes() == 200 * 480


def test_after_close_nothing_is_written(tmp_path: Path) -> None:
    writer = WaveWriter(str(tmp_path / "sound.wav"))
    writer.close()
    writer.write(bytes(BLOCK_BYTES))
    writer.close()
    assert (tmp_path / "sound.wav").stat().st_size == 44


def test_what_the_header_can_not_tell_is_dropped(tmp_path: Path) -> None:
    writer = WaveWriter(str(tmp_path / "sound.wav"))
    writer._length = writer._told = 0xFFFF_FF00
    writer.write(bytes(BLOCK_BYTES))
    assert (tmp_path / "sound.wav").stat().st_size == 44
    writer._length = 0
    writer.close()


def test_a_place_that_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="can't be written: No such file"):
        WaveWriter(str(tmp_path / "nowhere" / "sound.wav"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_full_disk_at_the_start() -> None:
    with pytest.raises(DeviceError, match="No space left"):
        WaveWriter("/dev/full")


def test_a_disk_that_gets_full(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    program = (
        "import resource, sys\n"
        "from board.sim.wave import WaveWriter\n"
        "from firmware.errors import DeviceError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "writer = WaveWriter(sys.argv[1])\n"
        "try:\n"
        f"    for _ in range(250): writer.write(bytes({BLOCK_BYTES}))\n"
        "except DeviceError as error:\n"
        "    print(error)\n"
        "writer.close()\n"
    )
    root = Path(board.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program, path], cwd=root, check=True, timeout=60, capture_output=True, text=True
    )
    assert "can't be written" in done.stdout
    with wave.open(str(path)) as file:
        assert file.getnframes() == 100_000 // BLOCK_BYTES * 480


def test_a_file_is_gone_on_with_or_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    for append, blocks in ((True, 3), (True, 6), (False, 3), (True, 6)):
        writer = WaveWriter(str(path), append=append)
        for _ in range(3):
            writer.write(b"\1\2" * (BLOCK_BYTES // 2))
        writer.close()
        with wave.open(str(path)) as file:
            assert file.getnframes() == blocks * 480
            assert file.readframes(blocks * 480) == b"\1\2" * (blocks * 480)
