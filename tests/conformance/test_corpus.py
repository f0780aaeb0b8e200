"""What fuzzing has found so far, good and bad, is read without an error that was not promised."""

from __future__ import annotations

import pytest
from conformance.fuzz import CORPUS, TARGETS, kept


@pytest.mark.parametrize("target", TARGETS)
def test_corpus(target: str) -> None:
    inputs = kept(target)
    assert inputs
    for number, data in enumerate(inputs, 1):
        try:
            TARGETS[target](data)
        except Exception as error:
            raise AssertionError(f"line {number} of {target}.txt") from error


def test_nothing_is_kept_for_nobody() -> None:
    assert {file.stem for file in CORPUS.iterdir()} == set(TARGETS)
