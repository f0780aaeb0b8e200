"""`board.pi.own_encoder`: a camera's encoder proves itself, or is not used; tests/hil has one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from board.pi import own_encoder as module
from board.pi.m2m_encoder import BITRATE, FORCE_KEY_FRAME, PROFILE
from board.pi.own_encoder import MOST_DOUBTED, ByControls, Doubt, OwnEncoder, find_commands
from board.pi.v4l2 import ControlDescription
from board.pi.v4l2_device import Device
from firmware.errors import DeviceError
from firmware.ports import Encoder, EncoderSettings

SETTINGS = EncoderSettings(1280, 720, 30, 1_500_000, 31)
SPS, HIGH_SPS, PPS, IDR, P = (
    bytes.fromhex(f"00000001 {data}") for data in ("6742c028da0f00", "67640028da0f00", "68ce3c80", "65b80000", "419a28")
)
AGREED = SPS.replace(b"\x28", b"\x1f", 1)


class Camera:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.refuses = ""

    def configure(self, settings: EncoderSettings) -> None:
        self._take(settings)

    def set_bitrate(self, bitrate: int) -> None:
        self._take(bitrate)

    def force_key_frame(self) -> None:
        self._take("key frame")

    def _take(self, command: object) -> None:
        if self.refuses:
            raise DeviceError(self.refuses)
        self.told.append(command)


class Bench:
    def __init__(self) -> None:
        self.camera = Camera()
        self.units: list[bytes] = []
        self.closed = 0
        self.encoder = OwnEncoder(SETTINGS, self.camera, lambda data, _: self.units.append(data), self._close)

    def give(self, *units: bytes) -> None:
        for data in units:
            self.encoder.take(data, 1.0)

    def _close(self) -> None:
        self.closed += 1


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(module, "PROOF_TIME", 0.05)
    return Bench()


def test_it_is_used_from_the_key_frame_on_that_was_asked_for(bench: Bench) -> None:
    encoder: Encoder = bench.encoder
    bench.give(P, SPS + PPS + IDR, P)
    assert (bench.units, bench.camera.told) == ([], ["key frame"])
    bench.give(SPS + PPS + IDR, P)
    assert bench.encoder.wait_proof()
    assert bench.units == [AGREED + PPS + IDR, P]
    encoder.set_bitrate(300_000)
    encoder.force_key_frame()
    assert bench.camera.told == ["key frame", 300_000, "key frame"]


def test_parameter_sets_that_come_alone_belong_to_the_next_picture(bench: Bench) -> None:
    bench.give(SPS, PPS, IDR, SPS + PPS, IDR, P)
    assert bench.units == [AGREED + PPS + IDR, P]


def test_one_that_makes_no_key_frame_is_not_used(bench: Bench) -> None:
    bench.give(SPS + PPS + IDR, *[P] * 100)
    assert not bench.encoder.wait_proof()
    assert "no key frame" in bench.encoder.reason
    bench.give(SPS + PPS + IDR, P)
    assert bench.units == [], "too late"


def test_another_profile_is_not_used(bench: Bench) -> None:
    bench.give(HIGH_SPS + PPS + IDR, HIGH_SPS + PPS + IDR)
    assert not bench.encoder.wait_proof()
    assert "profile 100" in bench.encoder.reason
    assert bench.units == []


def test_one_that_refuses_is_not_used(bench: Bench) -> None:
    bench.camera.refuses = "Broken pipe"
    with pytest.raises(DeviceError):
        bench.encoder.configure()
    bench.give(SPS + PPS + IDR)
    assert not bench.encoder.wait_proof()
    assert bench.encoder.reason == "Broken pipe"


def test_one_that_was_refused_is_not_waited_for(bench: Bench) -> None:
    bench.encoder.refuse("busy")
    assert not bench.encoder.wait_proof()
    assert bench.encoder.reason == "busy"


def test_one_that_is_closed_meanwhile_is_not_waited_for_and_has_not_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROOF_TIME", 600.0)
    threading.Timer(0.05, bench.encoder.close).start()
    assert not bench.encoder.wait_proof()
    assert bench.encoder.reason == ""


def test_a_command_that_is_refused_later_ends_nothing(bench: Bench) -> None:
    bench.give(SPS + PPS + IDR, SPS + PPS + IDR)
    bench.camera.refuses = "Broken pipe"
    bench.encoder.set_bitrate(100_000)
    bench.encoder.force_key_frame()
    bench.give(P)
    assert bench.units[-1] == P


def test_nothing_comes_after_closing(bench: Bench) -> None:
    bench.give(SPS + PPS + IDR, SPS + PPS + IDR)
    bench.encoder.close()
    bench.encoder.close()
    bench.give(P)
    assert (len(bench.units), bench.closed) == (1, 1)


class Node:
    """A node with the kernel's controls of an encoder, or without."""

    path = Path("/dev/nonexistent")

    def __init__(self, *controls: int) -> None:
        self.set: dict[int, int] = {}
        self._controls = controls

    def limits(self, number: int) -> ControlDescription | None:
        return ControlDescription(id=number) if number in self._controls else None

    def set_control(self, number: int, value: int) -> bool:
        self.set[number] = value
        return True


def test_one_that_has_failed_is_doubted_until_its_camera_is_plugged_in_anew(tmp_path: Path) -> None:
    doubt, node = Doubt(), tmp_path / "video0"
    node.touch()
    before = Device(node)
    assert before not in doubt
    doubt.add(before)
    again = Device(node)
    assert again in doubt, "the unit has opened it again"
    node.rename(tmp_path / "gone")  # so that its number is not given again, as the kernel does not for nodes
    node.touch()
    anew = Device(node)
    assert anew not in doubt
    for _ in range(MOST_DOUBTED):
        doubt.add(anew)
    assert again not in doubt, "so many are kept, and no more"
    for device in (before, again, anew):
        device.close()


def test_the_kernels_controls_are_used_where_there_are_any() -> None:
    node = Node(BITRATE, FORCE_KEY_FRAME)
    commands = find_commands(node)  # type: ignore[arg-type]
    assert isinstance(commands, ByControls)
    commands.configure(SETTINGS)
    assert (node.set[BITRATE], node.set[PROFILE]) == (1_500_000, 1)
    commands.set_bitrate(64_000)
    commands.force_key_frame()
    assert (node.set[BITRATE], node.set[FORCE_KEY_FRAME]) == (64_000, 1)


def test_a_camera_that_can_not_be_told_to_make_a_key_frame_is_not_used() -> None:
    assert find_commands(Node(BITRATE)) is None  # type: ignore[arg-type]
