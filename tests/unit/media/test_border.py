"""The border of the media threads."""

from __future__ import annotations

import logging

import pytest

from firmware.errors import CallError
from firmware.media.border import attempt


def test_work_that_succeeds() -> None:
    done: list[int] = []
    assert attempt("Work", done.append, 1) is None
    assert done == [1]


def test_an_error_of_purpose_is_given_without_noise(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise CallError("no codec")

    error = attempt("Work", fail)
    assert isinstance(error, CallError)
    assert not caplog.records


def test_any_other_error_is_given_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        error = attempt("Work", int, "x")
    assert isinstance(error, ValueError)
    assert caplog.records[0].getMessage() == "Work failed"
    assert caplog.records[0].exc_info


def test_the_end_of_the_program_passes() -> None:
    def end() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        attempt("Work", end)
