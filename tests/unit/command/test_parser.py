from __future__ import annotations

from pathlib import Path

import pytest

from firmware.command.parser import COMMANDS, DEFAULT_URL, HIDDEN, parse


def test_the_commands_of_the_manual() -> None:
    assert set(COMMANDS) == {
        "run", "demo", "echo", "config", "board", "password", "certificate", "dial", "answer", "hangup", "status",
    }  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse([command, "--help"])
    assert caught.value.code == 0
    assert COMMANDS[command][0][1:] in " ".join(capsys.readouterr().out.split())


def test_the_hidden_commands_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    with pytest.raises(SystemExit):
        parse(["nonsense"])
    said = capsys.readouterr()
    assert not any(name in said.out + said.err for name in HIDDEN)


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonsense"], ["run", "--board", "toaster"], ["dial"], ["run", "--sip-port", "x"]]
    + [["demo", "--seconds", seconds] for seconds in ("nan", "inf", "0", "-1", "x")],
)
def test_what_is_wrong_exits_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2


def test_what_is_understood() -> None:
    parsed = parse(["run", "--config", "unit.toml", "--board", "sim", "--address", "127.0.0.2", "--rtp-ports", "2-9"])
    assert (parsed.command, parsed.config, parsed.board) == ("run", Path("unit.toml"), "sim")
    assert (parsed.address, parsed.rtp_ports, parsed.sip_port) == ("127.0.0.2", "2-9", None)
    assert parse(["answer"]).call == "current"
    assert parse(["hangup", "7"]).call == "7"
    assert parse(["status"]).url == DEFAULT_URL
    worker = parse(["media-worker", "--board", "sim", "--command-fd", "3", "--report-fd", "4"])
    assert (worker.command, worker.command_fd, worker.report_fd) == ("media-worker", 3, 4)
