"""In whose place a call is made: the Replaces header field (RFC 3891)."""

from __future__ import annotations

from dataclasses import dataclass

from firmware.errors import DecodeError
from firmware.sip.grammar import SPACE, parameter, parse_parameters
from firmware.sip.header import parse_call_id


@dataclass(frozen=True, slots=True)
class Replaces:
    """A dialog as the one who is to leave it knows it: *to_tag* is that end's own tag."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False
    """Only as long as the dialog is early: for who picks up what rings elsewhere."""

    @classmethod
    def parse(cls, text: str) -> Replaces:
        """Read ``callid *( ; replaces-param )``.  DecodeError: it is none."""
        call_id, semicolon, _ = text.partition(";")
        parameters = parse_parameters(text, len(call_id), "Replaces") if semicolon else ()
        tags = [value for name, value in parameters if name.lower() in ("to-tag", "from-tag")]
        to_tag, from_tag = parameter(parameters, "to-tag"), parameter(parameters, "from-tag")
        if not to_tag or not from_tag or len(tags) != 2:
            raise DecodeError(f"{text[:40]!r} has not one to-tag and one from-tag")  # RFC 3891 6.1
        early_only = parameter(parameters, "early-only") is not None
        return cls(parse_call_id(call_id.rstrip(SPACE)), to_tag, from_tag, early_only)

    def __str__(self) -> str:
        early_only = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{early_only}"
