"""`board.pi.camera_output`: who gets which picture."""

import threading

import av
import pytest

from board.pi.camera_output import CameraOutput
from firmware.errors import DeviceError


def picture() -> av.VideoFrame:
    return av.VideoFrame(32, 32, "yuv420p")


def test_who_looks_gets_the_newest_picture_once() -> None:
    output, pictures = CameraOutput(), [picture() for _ in range(3)]
    output.show(pictures[0])
    output.show(pictures[1])
    assert output.capture(small=False) is pictures[1]
    threading.Timer(0.05, output.show, (pictures[2],)).start()
    assert output.capture(small=False) is pictures[2]


def test_it_is_known_whether_somebody_waits_and_for_what() -> None:
    output = CameraOutput()
    assert not output.looked_at
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(output.capture(small=True)))
    thread.start()
    while not output.looked_at:
        pass
    assert output.small
    output.show(picture())
    thread.join(5)
    assert len(seen) == 1
    assert not output.looked_at


def test_a_camera_that_failed_goes_on_saying_so() -> None:
    output = CameraOutput()
    output.show(picture())
    lost = DeviceError("it was pulled out")
    lost.__cause__ = OSError(19, "No such device")
    output.fail(lost)
    for _ in range(2):
        with pytest.raises(DeviceError, match="pulled out") as told:
            output.capture(small=False)
        assert told.value.__cause__ is lost.__cause__


@pytest.mark.parametrize("error", [DeviceError("it was pulled out"), av.InvalidDataError(1, "odd"), ValueError("odd")])
def test_nobody_waits_for_a_camera_whose_thread_has_ended(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def deliver() -> None:
        raise error

    output = CameraOutput()
    thread = threading.Timer(0.05, output.run, ("C920", deliver))
    thread.start()
    with pytest.raises(DeviceError, match=r"odd|pulled out"):
        output.capture(small=False)
    thread.join()
    assert [record.getMessage().count("\n") for record in caplog.records] == [0] * (not isinstance(error, DeviceError))


def test_closing_lets_who_looks_go() -> None:
    output = CameraOutput()
    threading.Timer(0.05, output.close).start()
    assert output.capture(small=False) is None
    assert not output.close(), "that was done before"


def test_a_machine_without_an_encoder_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("board.pi.camera_output.find_encoder", lambda: None)
    assert CameraOutput().open_encoder(None, lambda *_: None) is None  # type: ignore[arg-type]
