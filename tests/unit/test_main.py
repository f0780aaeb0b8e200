from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace

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
