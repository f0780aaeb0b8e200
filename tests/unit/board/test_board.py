"""`board`: which board this is."""

from pathlib import Path

import pytest

from board import SETTINGS, detect, open_board
from firmware.errors import ConfigError


def test_boards_by_name() -> None:
    assert open_board("sim", {}).name == "sim"
    assert open_board("pi", {}).name == "pi"


def test_auto_takes_what_the_machine_is() -> None:
    assert open_board("auto", {}).name == detect()


@pytest.mark.parametrize(("model", "name"), [("Raspberry Pi 4 Model B Rev 1.4\0", "pi"), ("Some Board\0", "sim")])
def test_a_machine_says_what_it_is(tmp_path: Path, model: str, name: str) -> None:
    (tmp_path / "model").write_text(model)
    assert detect(tmp_path / "model") == name


def test_a_machine_without_a_model_is_no_pi(tmp_path: Path) -> None:
    assert detect(tmp_path / "model") == "sim"


def test_an_unknown_board_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match=r"'arduino'.*pi, sim and auto"):
        open_board("arduino", {})


@pytest.mark.parametrize("name", SETTINGS)
def test_each_board_checks_its_own_table(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"board\.{name}\.colour"):
        open_board(name, {"colour": "red"})
