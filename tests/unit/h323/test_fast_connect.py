"""What becomes of proposals."""

from __future__ import annotations

from h323_terminals import proposal

from firmware.h323.fast_connect import FastConnect
from firmware.h323.user_information import UserInformation, encode_channels

CHANNELS = (proposal(1, 5000),)
ANSWER = UserInformation(body={"fastStart": encode_channels(CHANNELS)})


def proposed() -> FastConnect:
    fast = FastConnect()
    fast.propose(parallel=False)
    return fast


def test_nothing_proposed_nothing_answered() -> None:
    fast = FastConnect()
    assert fast.read_answer(ANSWER, last=True) is None
    assert (fast.proposed, fast.pending, fast.accepted) == (False, False, False)


def test_first_answer_counts() -> None:
    fast = proposed()
    assert fast.read_answer(UserInformation(), last=False) is None
    assert fast.pending
    assert fast.read_answer(ANSWER, last=False) == CHANNELS
    assert (fast.pending, fast.accepted) == (False, True)
    assert fast.read_answer(ANSWER, last=True) is None


def test_refused_in_words() -> None:
    fast = proposed()
    assert fast.read_answer(UserInformation(body={"fastConnectRefused": None}), last=False) == ()
    assert (fast.pending, fast.accepted) == (False, False)


def test_connect_without_an_answer_refuses() -> None:
    fast = proposed()
    assert fast.read_answer(UserInformation(), last=True) == ()
    assert not fast.accepted


def test_our_answer() -> None:
    fast = proposed()
    fast.answer(accepted=True)
    assert (fast.pending, fast.accepted) == (False, True)
