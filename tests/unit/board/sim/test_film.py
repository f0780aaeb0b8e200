"""`board.sim.film`: real files, made by a real encoder."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from board.digital_zoom import DigitalZoom
from board.picture import to_frame, to_image
from board.sim.camera import SimCamera
from board.sim.card import Card
from board.sim.counter import read_counter
from board.sim.film import Film
from firmware.errors import DeviceError


def shoot(path: Path, *, width: int = 640, height: int = 360, frames: int = 20, rate: int = 10) -> str:
    """A film of the test card, whose counter is the number of the picture."""
    card = Card(width, height, rate)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            frame = card.picture(number)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return str(path)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return shoot(tmp_path_factory.mktemp("film") / "film.mp4")


def test_the_film_runs_at_its_own_speed(path: str) -> None:
    film = Film(path, 640, 360)
    read = [read_counter(film.picture(n, n / 30)) for n in range(1, 31)]
    film.close()
    expected = [n // 3 for n in range(1, 31)]
    assert all(got is not None and abs(got - want) <= 1 for got, want in zip(read, expected, strict=True)), read


def test_the_film_begins_again(path: str) -> None:
    film = Film(path, 640, 360)
    read = [read_counter(film.picture(n, n / 10 + 0.05)) for n in range(50)]
    film.close()
    assert read == [n % 20 for n in range(50)]


def test_after_a_long_pause_the_film_goes_on_where_it_stood(path: str) -> None:
    film = Film(path, 640, 360)
    film.picture(1, 0.05)
    assert read_counter(film.picture(2, 10_000.0)) in (1, 2)
    assert read_counter(film.picture(3, 10_000.15)) in (2, 3)
    film.close()


def test_pictures_are_scaled_into_the_cameras_size(path: str) -> None:
    film = Film(path, 640, 640)
    image = to_image(film.picture(1, 0.0))
    film.close()
    assert image.size == (640, 640)
    assert image.crop((0, 0, 640, 130)).getextrema() == (16, 16)
    assert read_counter(image.crop((0, 140, 640, 500))) == 0


def test_the_same_picture_twice_is_two_frames(path: str) -> None:
    film = Film(path, 640, 360)
    first, second = film.picture(1, 0.0), film.picture(2, 0.01)
    film.close()
    first.pts = 1
    second.pts = 2
    assert first.pts == 1
    assert bytes(first.planes[0]) == bytes(second.planes[0])


def test_a_still_picture_is_a_film_too(tmp_path: Path) -> None:
    Image.new("RGB", (320, 180), "#ffffff").save(tmp_path / "still.png")
    film = Film(str(tmp_path / "still.png"), 320, 180)
    for n in range(5):
        assert to_image(film.picture(n, n / 5)).getextrema() == (235, 235)
    film.close()


def test_odd_sizes(tmp_path: Path) -> None:
    to_image(to_frame(Image.new("RGB", (333, 77), "#ff0000"))).save(tmp_path / "odd.png")
    film = Film(str(tmp_path / "odd.png"), 642, 362)
    frame = film.picture(1, 0.0)
    film.close()
    assert (frame.width, frame.height, frame.format.name) == (642, 362, "yuv420p")


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "can't be opened: No such file"), (b"garbage" * 100, "can't be opened"), (b"", "can't")],
)
def test_a_file_that_is_no_film(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "film.mp4").write_bytes(content)
    with pytest.raises(DeviceError, match=words):
        Film(str(tmp_path / "film.mp4"), 640, 360)


def test_a_file_that_is_cut_off_goes_on_from_its_beginning(tmp_path: Path, path: str) -> None:
    whole = Path(shoot(tmp_path / "film.ts")).read_bytes()
    (tmp_path / "cut.ts").write_bytes(whole[: len(whole) * 2 // 3])
    film = Film(str(tmp_path / "cut.ts"), 640, 360)
    read = [read_counter(film.picture(n, n / 10)) for n in range(40)]
    film.close()
    assert read.count(2) >= 2


def test_a_closed_film_has_no_more_pictures(path: str) -> None:
    film = Film(path, 640, 360)
    film.close()
    for _ in range(2):
        with pytest.raises(DeviceError, match="can't be read"):
            film.picture(1, 1.0)
    film.close()


def test_the_camera_lets_go_of_the_film_when_it_is_closed(path: str) -> None:
    film = Film(path, 640, 360)
    camera = SimCamera(film, 30, DigitalZoom())
    assert camera.capture() is not None
    camera.close()
    with pytest.raises(DeviceError):
        film.picture(1, 1.0)
    assert camera.capture() is None
