from __future__ import annotations

from firmware.errors import RemoteProtocolError
from firmware.sip.refusal import Refusal


def test_a_refusal_is_what_the_far_end_did_wrong_with_what_to_answer() -> None:
    refusal = Refusal(420, "extensions", ("Unsupported", "foo"))
    assert isinstance(refusal, RemoteProtocolError)
    assert (refusal.status, refusal.field, str(refusal)) == (420, ("Unsupported", "foo"), "extensions")
    assert Refusal(481, "no such dialog").field is None
