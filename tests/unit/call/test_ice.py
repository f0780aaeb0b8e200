"""What ICE agreed, as values."""

from __future__ import annotations

from firmware.call.ice import Allocation, Candidate, CandidateType, Credentials, Ice

SECRET = "a-secret-of-22-letters"


def test_secrets_are_in_no_representation() -> None:
    host = Candidate("1", 1, 2_130_706_431, ("192.0.2.1", 4000), CandidateType.HOST)
    allocation = Allocation(1, ("192.0.2.9", 3478), ("192.0.2.9", 50_000), "room", SECRET, "example.com", b"n", 600.0)
    ice = Ice(True, Credentials("ours", SECRET), Credentials("them", SECRET), (host,), (host,), (allocation,))
    assert "ours" in repr(ice)
    assert SECRET not in repr(ice)
