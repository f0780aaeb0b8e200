"""`board.sim.card`: it looks alike each time, moves, and its counter survives a real codec."""

from fractions import Fraction

import av
import pytest

from board.compose import Composer
from board.picture import to_image
from board.sim.card import LEAST_HEIGHT, LEAST_WIDTH, Card
from board.sim.counter import read_counter
from firmware.ports import Plane


@pytest.fixture(scope="module")
def card() -> Card:
    return Card(1280, 720, 30, "Room A")


def test_a_picture_depends_on_its_number_alone(card: Card) -> None:
    other = Card(1280, 720, 30, "Room A")
    other.picture(7)
    for mine, theirs in zip(card.picture(1234).planes, other.picture(1234).planes, strict=True):
        assert bytes(mine) == bytes(theirs)


def test_every_picture_is_a_new_one(card: Card) -> None:
    first = card.picture(1)
    kept = bytes(first.planes[0])
    second = card.picture(2)
    assert bytes(first.planes[0]) == kept != bytes(second.planes[0])


@pytest.mark.parametrize("number", [0, 1, 29, 30, 65_535, 2**24 - 1, 12 * 3600 * 30])
def test_the_counter_is_the_number(card: Card, number: int) -> None:
    assert read_counter(card.picture(number), "Room A") == number


@pytest.mark.parametrize(
    "size", [(1920, 1080), (1280, 720), (854, 480), (640, 480), (640, 360), (352, 288), (320, 180)]
)
def test_every_usual_size(size: tuple[int, int]) -> None:
    frame = Card(*size, 30).picture(99)
    assert (frame.width, frame.height, frame.format.name) == (*size, "yuv420p")
    assert read_counter(frame) == 99


def test_sizes_that_can_not_be_become_the_nearest() -> None:
    assert (Card(10, 10, 30).width, Card(10, 10, 30).height) == (LEAST_WIDTH, LEAST_HEIGHT)
    assert (Card(641, 361, 30).width, Card(641, 361, 30).height) == (640, 360)
    assert read_counter(Card(641, 361, 5).picture(3)) == 3


def test_long_labels_fit(card: Card) -> None:
    long = Card(1280, 720, 30, "The conference room on the ninth floor 1")
    right = card._dial_place[0]
    image = to_image(long.picture(0))
    plain = to_image(Card(1280, 720, 30, " ").picture(0))
    assert image.crop((right - 10, 0, 1280, 280)).tobytes() == plain.crop((right - 10, 0, 1280, 280)).tobytes()


def test_two_units_are_told_apart_by_colour_and_label() -> None:
    blue, red = Card(640, 360, 30, "A").picture(1), Card(640, 360, 30, "B", "#7c1d1d").picture(1)
    assert read_counter(blue, "B") is None
    assert read_counter(red, "B") == 1
    colors = [Composer().compose([Plane(frame, 0, 0, 1, 1)], 640, 360).getpixel((5, 5)) for frame in (blue, red)]
    assert colors[0][2] > 100 > colors[1][2]


def test_colours_are_as_drawn(card: Card) -> None:
    image = Composer().compose([Plane(card.picture(1), 0, 0, 1, 1)], 1280, 720)
    for number, color in enumerate([(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191)]):
        pixel = image.getpixel((90 + number * 183, 460))
        assert all(abs(a - b) <= 5 for a, b in zip(pixel, color, strict=True)), (number, pixel)


def test_the_dial_turns_once_a_second(card: Card) -> None:
    x, y = card._dial_place
    dials = [to_image(card.picture(n)).crop((x, y, x + 200, y + 200)).tobytes() for n in (0, 10, 20, 30)]
    assert dials[0] == dials[3]
    assert len(set(dials)) == 3


@pytest.mark.parametrize("bitrate", [300_000, 1_500_000])
def test_the_counter_survives_h264_and_scaling(card: Card, bitrate: int) -> None:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = card.width, card.height, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.bit_rate = Fraction(1, 30), Fraction(30), bitrate
    rate = str(bitrate)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "maxrate": rate, "bufsize": rate}
    decoder = av.CodecContext.create("h264", "r")
    read, size = [], 0
    for number in range(45):
        frame = card.picture(number)
        frame.pts = number
        for packet in encoder.encode(frame):
            size += packet.size
            for decoded in decoder.decode(packet):
                small = decoded.reformat(640, 360)
                assert read_counter(small.reformat(1280, 720)) == read_counter(small)
                read.append(read_counter(small))
    assert read == list(range(len(read)))
    assert len(read) >= 40
    assert size * 8 / 1.5 > bitrate / 2  # there is enough in the picture for an encoder to do


def test_the_counter_is_read_off_a_composed_screen(card: Card) -> None:
    far = Card(640, 360, 30, "far")
    planes = [Plane(far.picture(500), 0, 0, 1, 1), Plane(card.picture(600), 0.74, 0.74, 0.25, 0.25)]
    screen = Composer().compose(planes, 1280, 720)
    assert read_counter(screen, "far") == 500
    assert read_counter(screen, "Room A") == 600
