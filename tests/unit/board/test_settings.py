"""`board.settings`."""

import msgspec
import pytest

from board.settings import NOT_WIRED, PiSettings, SimSettings, absent, read
from firmware.errors import ConfigError
from firmware.ports import BUTTONS, DEVICES, LAMPS


def test_defaults_wire_every_button_and_lamp() -> None:
    settings = read("pi", {}, PiSettings)
    assert tuple(settings.buttons()) == BUTTONS
    assert tuple(settings.lamps()) == LAMPS


def test_what_is_not_wired_is_left_out() -> None:
    settings = read("pi", {"button_mute": NOT_WIRED, "lamp_ready": NOT_WIRED}, PiSettings)
    assert "mute" not in settings.buttons()
    assert "ready" not in settings.lamps()


def test_settings_are_taken() -> None:
    settings = read("sim", {"camera": "film.mp4", "microphone_tone": 1000, "microphone_drift": 100}, SimSettings)
    assert (settings.camera, settings.microphone_tone, settings.microphone_drift) == ("film.mp4", 1000, 100.0)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"camera": 5}, r"board\.sim\.camera = 5: .*str"),
        ({"camera": ""}, r"board\.sim\.camera = '': "),
        ({"camera_color": "red"}, r"board\.sim\.camera_color = 'red': .*a-fA-F"),
        ({"microphone_tone": 0}, r"board\.sim\.microphone_tone = 0: .*20"),
        ({"microphone_drift": 1e9}, r"board\.sim\.microphone_drift = 1000000000\.0: .*1000"),
        ({"button_call": 28}, r"board\.sim\.button_call = 28: .*27"),
        ({"lamp_ready": 5}, r"board\.sim\.lamp_ready = 5: button_call is on this pin.* allowed"),
        ({"butto_call": 5}, r"board\.sim\.butto_call: no such setting; there are .*button_call"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_allowed(table: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read("sim", table, SimSettings)


@pytest.mark.parametrize("kind", [PiSettings, SimSettings])
def test_a_room_may_have_none_of_any_device(kind: type[PiSettings]) -> None:
    assert absent(kind()) == frozenset()
    for device in DEVICES:
        assert absent(read("any", {device: "none"}, kind)) == {device}


def test_all_wrong_settings_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read("sim", {"camera": 5, "speaker": 6, "color": 7}, SimSettings)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("kind", [PiSettings, SimSettings])
def test_every_setting_is_described(kind: type[PiSettings]) -> None:
    for field in msgspec.structs.fields(kind):
        form = msgspec.inspect.type_info(field.type)
        assert isinstance(form, msgspec.inspect.Metadata), field.name
        assert (form.extra_json_schema or {}).get("description"), field.name
