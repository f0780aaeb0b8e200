"""What a SIP call has agreed of ICE, line by line (RFC 8839).

Rule 1: an offer of ours always has it; an answer has it where the offer has.  A line whose far end takes no part in
ICE goes on without it for as long as the call lasts, and its allocations are given back.  Where it was agreed once, and
somebody takes part no more (music that a server plays on hold), the next description that has it restarts it (4.4.3.1).
Rule 2: an offer that was rewritten on the way is answered by ``ice-mismatch``, and goes on without ICE (4.2.5).
Rule 3: roles, credentials and candidates stay until the far end restarts (RFC 8445 6.1.1, 9); then we have new
credentials, and the same candidates, which live as long as our sockets.  Where we restart, we have new sockets as well:
the address of the old ones, what NATs made of it, and what a server lent for it may all be gone.
Rule 4: once the pairs are chosen, a description says those only (4.4.1.2.2).  Who chose offers them at once where they
are others than the descriptions said by default, and the far end is one of RFC 5245 (4.3.4).
Rule 5: by default we are where a far end without ICE most likely reaches us (RFC 8445 5.1.4): at our own address for
one who is near, else where the Internet sees us; never at a relay, which lets in nobody that we don't know yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from firmware.call.ice import Candidate, CandidateType, Credentials, Ice, Selected
from firmware.ice.credentials import make_credentials
from firmware.sdp import ice
from firmware.sdp.ice import RTCP, RTP

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from firmware.call.ice import Allocation
    from firmware.call.media import Kind
    from firmware.sansio import Address
    from firmware.sdp.ice import IceDescription
    from firmware.sdp.session import MediaDescription, SessionDescription

MAX_RESTARTS: Final = 2
"""Restarts of ours in a row that come to nothing."""
_MAX_REMOTE: Final = 2 * ice.MAX_CANDIDATES
"""Candidates of a far end that adds some in one description after the other."""


class Gatherer(Protocol):
    """Who finds out where a pair of sockets can be reached, and keeps it so (`firmware.net.gathering.Gatherer`)."""

    on_done: Callable[[], None]
    """Called once, when `done` becomes true."""

    @property
    def done(self) -> bool:
        """Whether all is known that will be."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What was found, by component."""

    @property
    def allocations(self) -> tuple[Allocation, ...]:
        """What servers keep for us, as it is now."""

    @property
    def others(self) -> tuple[Address, ...]:
        """More addresses of ours that are candidates, reserved until `close`."""

    def hand_over(self) -> None:
        """Leave the sockets to others, and all that was found too."""

    def close(self) -> None:
        """Leave the sockets, and give back what servers keep; after `hand_over`, carry nothing to them any more."""


@dataclass(slots=True)
class _Line:
    """One medium's."""

    local: Address
    gatherer: Gatherer
    ours: Credentials
    agreed: Ice | None = None
    controlling: bool | None = None
    """The role that the line had whose place it took."""
    mux: bool = False
    selected: dict[int, Selected] = field(default_factory=dict)
    said: dict[int, Address] = field(default_factory=dict)
    """Our default destinations, by component, as we last said them."""
    heard: dict[int, Address] = field(default_factory=dict)
    """The far end's."""
    told: bool = False
    """That others were chosen than these, was offered."""
    ice2: bool = False
    """The far end need not be told: it keeps to RFC 8445."""
    offered: bool = False
    """A description that the far end may answer has said it."""
    lapsed: bool = False
    """It went without ICE for a while: allocations are given back."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Those that we have."""
        found = self.gatherer.candidates
        return tuple(each for each in found if each.type is not CandidateType.RELAYED) if self.lapsed else found

    @property
    def components(self) -> tuple[int, ...]:
        """Those in use; RTCP too as long as nobody has agreed to have it on the port of RTP."""
        return (RTP,) if self.mux else (RTP, RTCP)

    @property
    def completed(self) -> bool:
        """Whether a pair is chosen for each component."""
        return self.agreed is not None and all(component in self.selected for component in self.components)


class SipIce:
    """What one call has agreed.

    *gather* begins to gather on the pair of ports of an address; *near*: the far end is in a network like ours.
    """

    def __init__(self, gather: Callable[[Address], Gatherer], rng: random.Random, *, near: bool = False) -> None:
        self._gather = gather
        self._rng = rng
        self._near = near
        self._lines: dict[Kind, _Line] = {}
        self._fresh: dict[Kind, _Line] = {}
        """What takes their place once a restart of ours is answered."""
        self._restarts = 0
        self._off: set[Kind] = set()
        """What goes without ICE."""
        self._mismatched: set[Kind] = set()
        """What does so because the offer was rewritten."""

    def gather(self, ports: Mapping[Kind, Address], when_done: Callable[[], None]) -> bool:
        """Gather what these media lack; True: nothing.  Else *when_done* is called whenever one of them has it."""
        waiting: list[_Line] = []
        for kind, address in ports.items():
            if kind in self._off:
                continue
            if kind not in self._lines:
                self._lines[kind] = _Line(address, self._gather(address), make_credentials(self._rng))
            if not self._lines[kind].gatherer.done:
                waiting.append(self._lines[kind])
        waiting += [line for line in self._fresh.values() if not line.gatherer.done]
        for line in waiting:
            line.gatherer.on_done = when_done
        return not waiting

    @property
    def restarting(self) -> bool:
        """Whether a restart of ours has no answer yet."""
        return bool(self._fresh)

    def may_restart(self, host: str) -> bool:
        """Whether another search, from this address of ours, may come to something (RFC 8445 9)."""
        if any(line.local[0] == host for line in self._fresh.values()):
            return False  # one is under way
        return self._restarts < MAX_RESTARTS and any(line.agreed is not None for line in self._lines.values())

    def restart(self, ports: Mapping[Kind, Address]) -> None:
        """Look for another way from these ports, with the next offer or answer; `gather` comes before."""
        self._restarts += 1
        for line in self._fresh.values():
            line.gatherer.close()
        self._fresh = {
            kind: _Line(address, self._gather(address), make_credentials(self._rng)) for kind, address in ports.items()
        }

    def local(self, kind: Kind) -> Address | None:
        """Give the address of ours that is agreed for a medium; None: it goes without ICE."""
        line = self._lines.get(kind)
        return line.local if line is not None and line.agreed is not None else None

    def others(self, kind: Kind) -> tuple[Address, ...]:
        """Give the further addresses of ours that may be chosen for a medium."""
        line = self._lines.get(kind)
        return line.gatherer.others if line is not None and line.agreed is not None else ()

    def takes(self, kind: Kind, offer: SessionDescription, media: MediaDescription) -> bool:
        """Whether an offered line will be answered with ICE."""
        found = ice.read(offer, media)
        return found is not None and not found.mismatch and kind not in self._off

    def answer(self, kind: Kind, offer: SessionDescription, media: MediaDescription, *, mux: bool) -> None:
        """Take an offered line as agreed; `describe` gives what our answer says then."""
        found, line = ice.read(offer, media), self._lines.get(kind)
        self._mismatched -= {kind}
        if line is None or found is None or found.mismatch or kind in self._off:
            self._go_without(kind)
            if found is not None and found.mismatch:
                self._mismatched.add(kind)
            return
        if line.agreed is not None and line.agreed.theirs != found.credentials:
            # RFC 8839 4.4.2.1: a restart is answered by one.
            if kind in self._fresh:
                line = self._renewed(kind)
            else:
                line.ours = make_credentials(self._rng)
        self._agree(line, found, offer, media, mux, controlling=found.lite)
        for component, address in found.remote_candidates:
            if component in line.components and component not in line.selected:
                line.said[component] = address

    def accept(self, kind: Kind, answer: SessionDescription, media: MediaDescription, *, mux: bool) -> None:
        """Take an answered line as agreed."""
        found, line = ice.read(answer, media), self._lines.get(kind)
        if line is None or found is None or kind in self._off:
            self._go_without(kind)
        else:
            if kind in self._fresh and self._fresh[kind].offered:
                line = self._renewed(kind)
            self._agree(line, found, answer, media, mux, controlling=True)

    def agreed(self, kind: Kind) -> Ice | None:
        """Give what is agreed for a medium; None: it goes without ICE."""
        line = self._lines.get(kind)
        return line.agreed if line is not None else None

    def describe(self, kind: Kind, said: MediaDescription, *, answer: bool, host: str = "") -> MediaDescription:
        """Give a line of ours with what it says of ICE now, in place of what it said before.

        *host* is what the description as a whole says (c=); "": the address of the line's own sockets.
        """
        line = self._lines.get(kind)
        if not answer and kind in self._fresh:
            line = self._fresh[kind]
            line.offered = True
        plain = replace(said, attributes=tuple(pair for pair in said.attributes if pair[0] not in ice.NAMES))
        if line is None or kind in self._off or (answer and line.agreed is None):
            more = ((ice.MISMATCH, ""),) if kind in self._mismatched and answer else ()
            return replace(plain, connection=None, attributes=(*plain.attributes, *more))
        candidates = self._candidates(line)
        asked = dict(line.said) if answer and not line.completed else {}
        line.said = {
            component: _default(line, candidates, component, asked, self._near) for component in line.components
        }
        chosen = {}
        if line.completed and line.agreed is not None and line.agreed.controlling and not answer:
            chosen = {component: line.selected[component].remote.address for component in line.components}
            line.told = True
        default, port = line.said[RTP]
        return replace(
            plain,
            port=port,
            connection=default if default != (host or line.local[0]) else None,
            attributes=(*plain.attributes, *ice.write(line.ours, candidates, line.said, chosen)),
        )

    def select(self, local: Address, selected: tuple[Selected, ...]) -> bool:
        """Take the pairs that were chosen for a medium; True: all media have theirs, and an offer should say so."""
        for line in self._lines.values():
            if line.local == local and line.agreed is not None:
                before = dict(line.selected)
                line.selected = {pair.component: pair for pair in selected}
                line.told = line.told and before == line.selected
        lines = [line for line in self._lines.values() if line.agreed is not None]
        if not all(line.completed for line in lines):
            return False
        self._restarts = 0
        return any(map(_differs, lines))

    def close(self) -> None:
        """Stop gathering; who has the sockets now gives back what servers keep."""
        for line in (*self._lines.values(), *self._fresh.values()):
            if line.agreed is not None:
                line.gatherer.hand_over()
            line.gatherer.close()

    # One line

    def _renewed(self, kind: Kind) -> _Line:
        """Let a fresh line take the place of the one before, whose role it has (RFC 8445 6.1.1)."""
        before, line = self._lines[kind], self._fresh.pop(kind)
        before.gatherer.close()
        self._lines[kind] = line
        line.controlling = before.agreed.controlling if before.agreed is not None else None
        return line

    def _go_without(self, kind: Kind) -> None:
        line = self._lines.get(kind)
        if kind in self._fresh:
            self._fresh.pop(kind).gatherer.close()
        if line is not None and (line.agreed is not None or line.lapsed):
            line.agreed, line.selected, line.lapsed, line.controlling = None, {}, True, None
            line.ours = make_credentials(self._rng)
            return
        if line is not None and kind not in self._off:
            line.gatherer.close()
        self._off.add(kind)

    def _agree(
        self,
        line: _Line,
        found: IceDescription,
        description: SessionDescription,
        media: MediaDescription,
        mux: bool,
        *,
        controlling: bool,
    ) -> None:
        before = line.agreed
        line.mux, line.ice2 = mux, found.ice2
        line.heard = ice.defaults(description, media)
        remote = tuple(each for each in found.candidates if each.component in line.components)
        if before is not None and (before.ours, before.theirs) == (line.ours, found.credentials):
            if not line.completed:
                known = {(each.component, each.address) for each in before.remote}
                more = tuple(each for each in remote if (each.component, each.address) not in known)
                line.agreed = replace(before, remote=(*before.remote, *more)[:_MAX_REMOTE])
            return
        line.selected, line.told = {}, False
        if before is not None or line.controlling is not None:  # RFC 8445 6.1.1: a restart leaves the roles as they are
            controlling = before.controlling if before is not None else line.controlling is True
        line.agreed = Ice(
            controlling,
            line.ours,
            found.credentials,
            line.candidates,
            remote,
            line.gatherer.allocations if not line.lapsed else (),
            found.lite,
        )
        line.gatherer.hand_over()

    @staticmethod
    def _candidates(line: _Line) -> tuple[Candidate, ...]:
        if line.completed:  # RFC 8839 4.4.1.2.2
            return tuple(line.selected[component].local for component in line.components)
        return tuple(each for each in line.candidates if each.component in line.components)


def _default(
    line: _Line, candidates: tuple[Candidate, ...], component: int, asked: Mapping[int, Address], near: bool
) -> Address:
    of_component = [each for each in candidates if each.component == component]
    if any(each.address == asked.get(component) for each in of_component):
        return asked[component]
    if line.completed:
        return of_component[0].address
    # Of our own addresses, the one that the far end has seen.
    by_type = {
        each.type: each.address
        for each in reversed(of_component)
        if each.type is not CandidateType.HOST or each.address[0] == line.local[0]
    }
    order = [CandidateType.HOST, CandidateType.SERVER_REFLEXIVE]
    for kind in order if near else reversed(order):
        if kind in by_type:
            return by_type[kind]
    return line.local[0], line.local[1] + component - 1


def _differs(line: _Line) -> bool:
    """Whether we have to offer a line's pairs, for they are others than the descriptions say (RFC 8839 4.3.4)."""
    if line.agreed is None or not line.agreed.controlling or line.told or line.ice2:
        return False
    pairs = line.selected.values()
    return any(
        pair.local.address != line.said.get(pair.component) or pair.remote.address != line.heard.get(pair.component)
        for pair in pairs
        if pair.component in line.components
    )
