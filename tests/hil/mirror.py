"""A far end beside the unit that sends back what it gets, packet by packet: the unit sees what its own encoder made."""

from __future__ import annotations

import threading
from types import TracebackType

from hil.network import MACHINE
from interop.peer import Peer

_LEFT_OUT = ("a=candidate", "a=crypto", "a=fingerprint", "a=ice", "a=rtcp:", "a=rtcp-mux", "a=setup", "a=ssrc")
"""What belongs to the unit's own sockets."""


class Mirror:
    """Answers whoever calls it, with his own offer.  A context manager."""

    def __init__(self) -> None:
        self._peer = Peer(MACHINE)
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Mirror:
        self._peer.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._thread.join()
        self._peer.__exit__(kind, error, trace)

    @property
    def uri(self) -> str:
        """Whom to call."""
        return f"sip:mirror@{self._peer.authority}"

    def _run(self) -> None:
        while not self._closed:
            try:
                request = self._peer.receive(0.2)
            except TimeoutError:
                continue
            method = request.split(" ", 1)[0]
            if method == "INVITE":
                self._peer.answer(request, "200 OK", self._answer(request), to_tag="mirror")
            elif method not in ("ACK", "SIP/2.0"):
                self._peer.answer(request, "200 OK")

    def _answer(self, invite: str) -> str:
        ports = iter(media.getsockname()[1] for media in self._peer.media[::2])
        lines = []
        for line in invite.partition("\r\n\r\n")[2].splitlines():
            if line.startswith("c="):
                lines.append(f"c=IN IP4 {MACHINE}")
            elif line.startswith("m="):
                kind, _, rest = line.split(" ", 2)
                lines.append(f"{kind} {next(ports, 0)} {rest}")
            elif not line.startswith(_LEFT_OUT):
                lines.append(line)
        return "".join(f"{line}\r\n" for line in lines)
