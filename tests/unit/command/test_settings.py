from __future__ import annotations

from pathlib import Path

import pytest

from firmware.command.parser import parse
from firmware.command.settings import settings
from firmware.config import Config
from firmware.errors import ConfigError


def made(*options: str) -> Config:
    return settings(parse(["run", *options]), {})


def test_without_anything_they_are_the_defaults() -> None:
    assert made() == Config()


def test_the_command_line_goes_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "unit.toml"
    file.write_text('[room]\nname = "Aalto"\n[sip]\nport = 5070\n[web]\nport = 8090\n')
    config = made(
        *("--config", str(file), "--board", "sim", "--address", "127.0.0.2", "--sip-port", "5080"),
        *("--rtp-ports", "20000-20099", "--h323-port", "1730", "--h245-ports", "17000-17003", "--log", "debug"),
    )
    assert (config.room.name, config.sip.port, config.web.port) == ("Aalto", 5080, 8090)
    assert config.sip.addresses == config.h323.addresses == config.web.addresses == ("127.0.0.2",)
    assert (config.h323.port, config.h323.h245_first_port, config.h323.h245_last_port) == (1730, 17_000, 17_003)
    assert (config.media.rtp_first_port, config.media.rtp_last_port) == (20_000, 20_099)
    assert (config.board.kind, config.log.level) == ("sim", "debug")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sip-port", "0"), "sip.port = 0: must be a whole number from 1 to 65535"),
        (("--address", "example"), 'web.addresses = ["example"]: must be a list'),
        (("--rtp-ports", "20000"), "--rtp-ports 20000: must be two numbers"),
        (("--rtp-ports", "20000-20001"), "media.rtp_last_port = 20001: must be at least 3 above"),
        (("--h245-ports", "9-x"), "--h245-ports 9-x: must be two numbers"),
        (("--h245-ports", "20001-20000"), "h323.h245_last_port = 20000: must not be below"),
        (("--h245-ports", "20000-21000"), "must be less than 64 above"),
        (("--rtp-ports", "0-70000"), "media.rtp_first_port = 0"),
    ],
)
def test_a_wrong_option_is_said_as_the_setting_that_it_means(options: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(*options)
    assert said in str(caught.value)
