from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from firmware import __main__
from firmware.__main__ import main
from firmware.errors import CallError, ConfigError, DeviceError


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ConfigError("a.toml: x = 1\na.toml: y = 2"), 2, "visavis: a.toml: x = 1\nvisavis: a.toml: y = 2\n"),
        (CallError("there is no call"), 1, "visavis: there is no call\n"),
        (DeviceError("no camera"), 1, "visavis: no camera\n"),
        (OSError(28, "No space left on device"), 1, "visavis: No space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_expected_failure_is_a_line_and_a_status(
    error: BaseException, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Namespace) -> int:
        raise error

    monkeypatch.setattr(__main__, "_run", fail)
    assert main(["config"]) == status
    assert capsys.readouterr().err == said


def visavis(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "firmware", *arguments], text=True, capture_output=True, **options)  # type: ignore[call-overload,no-any-return]


def test_it_runs_as_a_module() -> None:
    result = visavis("config")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("# Settings of a Visavis unit.")


def test_a_reader_that_leaves_early_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [sys.executable, "-m", "firmware", "config"], stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
@pytest.mark.parametrize("command", ["config", "certificate"])
def test_a_full_disk_is_one_line(command: str, tmp_path: Path) -> None:
    settings = tmp_path / "unit.toml"
    settings.write_text(f'[storage]\nfolder = "{tmp_path}"\n')
    options = ["--config", str(settings)] if command == "certificate" else []
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "firmware", command, *options], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (process.returncode, process.stderr) == (1, "visavis: No space left on device\n")
