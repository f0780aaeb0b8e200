from __future__ import annotations

from firmware.h323.ras_call import Admission, CallInformation, State


def test_an_admission_begins_with_what_is_known_of_the_call() -> None:
    call = CallInformation(
        bytes(16),
        bytes(16),
        5,
        answer=False,
        bandwidth=64_000,
        destination=(("h323-ID", "bob"),),
        destination_address=("192.0.2.9", 1720),
    )
    admission = Admission(call)
    assert admission.state is State.REQUESTED
    assert admission.call is call
    assert (admission.bandwidth, admission.destination) == (64_000, call.destination)
    assert (admission.address, admission.routed) == (("192.0.2.9", 1720), False)
