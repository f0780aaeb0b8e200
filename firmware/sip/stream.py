"""Messages out of a stream (RFC 3261 18.3), and the keep-alives between them (RFC 5626 4.4.1).

- Content-Length is what ends a message on a stream.  Without a good one, nothing after the header fields can be read:
  the reader is then *broken*, and its flow is to be closed.  A message that is wrong otherwise is reported, and the
  next one is read.
- At most MAX_MESSAGE bytes wait for the rest of a message; they may wait until somebody else needs the stream's place
  (`Transport.make_room`).
"""

from __future__ import annotations

from firmware.errors import DecodeError, RemoteProtocolError
from firmware.sip.message import MAX_MESSAGE, MalformedMessage, Request, Response, finish, parse_head


class StreamReader:
    """Reads the messages of one stream."""

    def __init__(self) -> None:
        self.broken = False
        """Where the next message begins can't be told any more: close the flow.  All further bytes are ignored."""
        self.pings = 0
        """Keep-alives (double CRLF) found by the last `receive`: each wants a CRLF back (RFC 5626 4.4.1)."""
        self.awaits_pong = False
        """A keep-alive of ours is out: the next single CRLF answers it."""
        self.proven = False
        """Whether a message has ever come whole."""
        self._buffer = bytearray()
        self._searched = 0
        self._line_breaks = 0
        self._message: Request | Response | None = None
        self._problem: RemoteProtocolError | None = None
        self._needed = -1

    def receive(self, data: bytes) -> list[Request | Response | MalformedMessage]:
        """Take the next bytes; give what is complete by them, in order."""
        self.pings = 0
        found: list[Request | Response | MalformedMessage] = []
        if not self.broken:
            self._buffer += data
            while not self.broken and (self._needed >= 0 or self._read_head(found)) and self._read_body(found):
                pass
        if self.broken:
            self._buffer.clear()
        return found

    def _read_head(self, found: list[Request | Response | MalformedMessage]) -> bool:
        """Read up to the empty line; False when it is not there yet."""
        buffer = self._buffer
        if not self._searched:
            self._skip_line_breaks()
            if not buffer or buffer == b"\r":
                return False
        end = buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        if (len(buffer) if end < 0 else end) > MAX_MESSAGE:
            self._break(found, None, DecodeError(f"more than {MAX_MESSAGE} bytes of header fields", 513))
            return False
        if end < 0:
            self._searched = len(buffer)
            return False
        self._message, self._problem = parse_head(bytes(buffer[:end]))
        del buffer[: end + 4]
        self._searched = self._line_breaks = 0
        length, problem = self._content_length()
        if problem is not None:
            self._break(found, self._message, self._problem or problem)
            return False
        self._needed = length
        return True

    def _content_length(self) -> tuple[int, RemoteProtocolError | None]:
        if self._message is None:
            return 0, DecodeError("no start line")
        try:
            length = self._message.content_length
        except RemoteProtocolError as error:
            return 0, error
        if length is None:
            # RFC 3261 20.14: over a stream Content-Length is mandatory.
            return 0, RemoteProtocolError("no Content-Length on a stream")
        if length > MAX_MESSAGE:
            return 0, RemoteProtocolError(f"a body of {length} bytes", 513)
        return length, None

    def _read_body(self, found: list[Request | Response | MalformedMessage]) -> bool:
        """Complete the message whose header fields are read; False when its body is not all there yet."""
        if len(self._buffer) < self._needed:
            return False
        self.proven = True
        if self._message is not None:
            self._message.body = bytes(self._buffer[: self._needed])
        del self._buffer[: self._needed]
        self._needed = -1
        self._report(found, self._message, self._problem)
        return True

    def _skip_line_breaks(self) -> None:
        """Drop the CRLFs before a start line (RFC 3261 7.5), and count the double ones."""
        buffer, position = self._buffer, 0
        while buffer.startswith(b"\r\n", position):
            position += 2
            if self.awaits_pong:
                self.awaits_pong = False
                continue
            self._line_breaks += 1
            if self._line_breaks == 2:
                self._line_breaks = 0
                self.pings += 1
        del buffer[:position]

    def _break(
        self,
        found: list[Request | Response | MalformedMessage],
        message: Request | Response | None,
        problem: RemoteProtocolError,
    ) -> None:
        self.broken = True
        self._report(found, message, problem)

    def _report(
        self,
        found: list[Request | Response | MalformedMessage],
        message: Request | Response | None,
        problem: RemoteProtocolError | None,
    ) -> None:
        try:
            found.append(finish(message, problem))
        except MalformedMessage as error:
            found.append(error)
