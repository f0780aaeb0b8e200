"""The 49 torture messages of RFC 4475, and what comes of each.

The messages stand in `rfc4475_messages/`, byte for byte as they go over the wire, named as in the RFC's
archive.  The RFC often leaves a receiver the choice; the table says what we choose, within it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

READ = 0
"""The message is read, and `Message.check` finds nothing wrong."""
SILENCE: set[int] = set()
"""A user agent answers nothing."""
RINGS: set[int] = {180}
"""A user agent's application hears of an incoming call; there is no final answer before it decides."""
UNKNOWN_METHOD = {405, 501}
"""RFC 3261 8.2.1 says 405, 21.5.2 says 501; RFC 4475 has endpoints say 501, and REGISTER is a registrar's matter."""

TABLE: tuple[tuple[str, str, int, set[int]], ...] = (
    # name, clause of RFC 4475, status that `parse` or `check` raises with, what a user agent may answer
    # 3.1.1 valid syntax
    ("wsinv", "3.1.1.1", READ, {481}),  # its To has the tag of no dialog: RFC 3261 12.2.2
    ("intmeth", "3.1.1.2", READ, UNKNOWN_METHOD),
    ("esc01", "3.1.1.3", READ, RINGS),
    ("escnull", "3.1.1.4", READ, UNKNOWN_METHOD),
    ("esc02", "3.1.1.5", READ, UNKNOWN_METHOD),
    ("lwsdisp", "3.1.1.6", READ, {200}),
    ("longreq", "3.1.1.7", READ, RINGS),
    ("dblreq", "3.1.1.8", READ, UNKNOWN_METHOD),
    ("semiuri", "3.1.1.9", READ, {200}),
    ("transports", "3.1.1.10", READ, {200}),
    ("mpart01", "3.1.1.11", READ, UNKNOWN_METHOD),
    ("unreason", "3.1.1.12", READ, SILENCE),
    ("noreason", "3.1.1.13", READ, SILENCE),
    # 3.1.2 invalid syntax
    ("badinv01", "3.1.2.1", 400, {400}),
    ("clerr", "3.1.2.2", 400, {400}),
    ("ncl", "3.1.2.3", 400, {400}),
    ("scalar02", "3.1.2.4", 400, {400}),
    ("scalarlg", "3.1.2.5", 400, SILENCE),
    ("quotbal", "3.1.2.6", 400, {400}),
    ("ltgtruri", "3.1.2.7", 400, {400}),
    ("lwsruri", "3.1.2.8", 400, {400}),
    ("lwsstart", "3.1.2.9", 400, {400}),
    ("trws", "3.1.2.10", 400, {400}),
    ("escruri", "3.1.2.11", 400, {400}),
    ("baddate", "3.1.2.12", READ, RINGS),
    ("regbadct", "3.1.2.13", 400, {400}),
    ("badaspec", "3.1.2.14", 400, {400}),
    ("baddn", "3.1.2.15", 400, {400}),
    ("badvers", "3.1.2.16", 505, {505}),
    ("mismatch01", "3.1.2.17", 400, {400}),
    ("mismatch02", "3.1.2.18", 400, {400, 501}),
    ("bigcode", "3.1.2.19", 400, SILENCE),
    # 3.2 transaction layer
    ("badbranch", "3.2.1", READ, {200}),
    # 3.3 application layer
    ("insuf", "3.3.1", 400, {400}),
    ("unkscm", "3.3.2", READ, {416}),
    ("novelsc", "3.3.3", READ, {416}),
    ("unksm2", "3.3.4", READ, UNKNOWN_METHOD),
    ("bext01", "3.3.5", READ, {420}),
    ("invut", "3.3.6", READ, {415}),
    ("regaut01", "3.3.7", READ, UNKNOWN_METHOD),
    ("multi01", "3.3.8", 400, {400}),
    ("mcl01", "3.3.9", 400, {400}),
    ("bcast", "3.3.10", READ, SILENCE),
    ("zeromf", "3.3.11", READ, {200}),
    ("cparam01", "3.3.12", READ, UNKNOWN_METHOD),
    ("cparam02", "3.3.13", READ, UNKNOWN_METHOD),
    ("regescrt", "3.3.14", READ, UNKNOWN_METHOD),
    ("sdp01", "3.3.15", READ, {406, 488}),
    # 3.4 backward compatibility
    ("inv2543", "3.4.1", READ, {400}),  # no Contact, so there is nowhere to send a BYE: RFC 3261 12.1.1
)


@dataclass(frozen=True)
class Torture:
    """One message and its expectation."""

    name: str
    clause: str
    data: bytes
    decodes: int
    """READ, or the status that `parse` or `check` raises with."""
    answers: set[int]
    """The statuses that a user agent may answer: one of them; SILENCE or RINGS."""


MESSAGES = tuple(
    Torture(name, clause, (Path(__file__).parent / "rfc4475_messages" / f"{name}.dat").read_bytes(), decodes, answers)
    for name, clause, decodes, answers in TABLE
)
