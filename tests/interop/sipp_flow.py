"""Flows of SIP messages in a few lines each, and the SIPp scenarios that they stand for.

A line at the margin is a step, indented lines below it belong to it::

    SEND INVITE 1               the caller's request with this CSeq, and header fields or a body below;
    SEND ACK 1 same             ... with the branch of the INVITE: CANCEL, or ACK to a failure
    SEND BYE 2 again            ... the same once more: a retransmission
    ASK UPDATE 1                a request of the callee's
    REPLY 200 OK                a response to the last request; REPLY new ... where it makes the dialog, REPLY late ...
                                to the INVITE, when other messages have come since
    GET 200 / GET 180? / GET BYE        what must come, or may
      CHECK a=recvonly          ... and what must be in it
      KEEP name a=([a-z]*)      ... and what of it is kept: [$name] is what stood between the parentheses
      PASSWORD alice secret     ... and who it must be from: this user with this password
    WAIT 700                    milliseconds

Below a message, a line ``SDP sendonly 2`` is a session description with this direction and version, after which words
change it (`CHANGES`); an empty line begins any other body.  ``TO sip:somebody`` is another Request-URI, ``COMPACT``
writes the header fields by their short names, and ``| text`` continues the line before it (RFC 3261 7.3.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

SDP = Path(__file__).parent / "sipp" / "media.sdp"


def _without_video(text: str) -> str:
    return text.replace("m=video [media_port+2]", "m=video 0")


def _without_events(text: str) -> str:
    return re.sub(r"a=(rtpmap|fmtp):101 .*\n", "", text).replace("9 0 101", "9 0")


CHANGES: dict[str, Callable[[str], str]] = {
    "without-video": _without_video,
    "without-events": _without_events,
    "pcmu": lambda text: text.replace("9 0 101", "0 101").replace("a=rtpmap:9 G722/8000\n", ""),
    "moved": lambda text: text.replace("[media_port]", "[media_port+4]").replace("[media_port+2]", "[media_port+6]"),
    "without-audio": lambda text: text.replace("m=audio [media_port]", "m=audio 0"),
    "zero-address": lambda text: text.replace("[media_ip]", "0.0.0.0"),
}
"""Words after ``SDP``, and what they do."""


def session_description(direction: str, version: str, *changes: str) -> str:
    """Give the description that a line ``SDP`` stands for."""
    text = SDP.read_text().replace("DIRECTION", direction).replace("VERSION", version)
    for change in changes:
        text = CHANGES[change](text)
    return text


COMPACT = {
    "Via": "v",
    "From": "f",
    "To": "t",
    "Call-ID": "i",
    "Contact": "m",
    "Supported": "k",
    "Subject": "s",
    "Content-Type": "c",
    "Content-Length": "l",
}
"""RFC 3261 7.3.3."""
KEPT = {"From": "caller", "To": "callee", "Via": "via", "CSeq": "cseq"}
"""What is kept of an INVITE that comes, by header field."""


def _compact(line: str) -> str:
    name, colon, value = line.partition(":")
    return COMPACT.get(name, name) + colon + value


class _Flow:
    """One flow while it is read."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.variables = 0
        self.kept: list[str] = []
        self.request = ""
        """The method of the last request that came."""
        self.sent: dict[str, int] = {}
        """The index of the caller's last request, by method."""

    def add(self, line: str, below: list[str]) -> None:
        word, *rest = line.split()
        match word:
            case "SEND":
                self.send(rest[0], rest[1], rest[2:], below)
            case "ASK":
                self.ask(rest[0], rest[1], below)
            case "REPLY":
                status = " ".join(word for word in rest if word not in ("new", "late"))
                self.reply(status, "new" in rest, "late" in rest, below)
            case "GET":
                self.get(rest[0], below)
            case "WAIT":
                self.steps.append(f'  <pause milliseconds="{rest[0]}"/>')
            case _:
                raise AssertionError(f"{line!r} is no step")

    def send(self, method: str, number: str, how: list[str], below: list[str]) -> None:
        same = "same" in how
        if again := "again" in how:
            branch = f"[branch-{len(self.steps) - self.sent[method]}]"
        else:
            branch = f"[branch-{len(self.steps) - self.sent['INVITE']}]" if same else "[branch]"
            self.sent[method] = len(self.steps)
        begun = (number != "1" or method == "ACK") and not same
        uri = "[next_url]" if begun else "sip:[service]@[remote_ip]:[remote_port]"
        uri = next((line.removeprefix("TO ") for line in below if line.startswith("TO ")), uri)
        tag = "[peer_tag_param]" if begun or (same and method == "ACK") else ""
        head = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch};rport",
            "Max-Forwards: 70",
            "From: SIPp <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]",
            f"To: <sip:[service]@[remote_ip]:[remote_port]>{tag}",
            "Call-ID: [call_id]",
            f"CSeq: {number} {method}",
            "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>",
        ]
        self.message(head, below, repeated=method != "ACK" and not again)

    def ask(self, method: str, number: str, below: list[str]) -> None:
        head = [
            f"{method} [next_url] SIP/2.0",
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport",
            "Max-Forwards: 70",
            "From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]",
            "To:[$caller]",
            "Call-ID: [call_id]",
            f"CSeq: {number} {method}",
            "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>",
        ]
        self.message(head, below, repeated=method != "ACK")

    def reply(self, status: str, new: bool, late: bool, below: list[str]) -> None:
        tag = next((line.partition("=")[2] for line in below if line.startswith("TAG=")), "[call_number]")
        head = [
            f"SIP/2.0 {status}",
            "Via:[$via]" if late else "[last_Via:]",
            "From:[$caller]" if late else "[last_From:]",
            ("To:[$callee]" if late else "[last_To:]") + (f";tag={tag}" if new else ""),
            "[last_Call-ID:]",
            "CSeq:[$cseq]" if late else "[last_CSeq:]",
        ]
        if not any(line.startswith("Contact:") for line in below):
            head.append("Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>")
        rest = [line for line in below if not line.startswith("TAG=")]
        final_to_invite = int(status[:3]) >= 200 and (late or self.request == "INVITE")
        self.message(head, rest, repeated=final_to_invite and "UNREPEATED" not in rest)

    def message(self, head: list[str], below: list[str], *, repeated: bool) -> None:
        lines, body = head, ""
        compact = "COMPACT" in below
        below = [line for line in below if line not in ("UNREPEATED", "COMPACT") and not line.startswith("TO ")]
        for index, line in enumerate(below):
            if line.startswith("SDP "):
                lines.append("Content-Type: application/sdp")
                body = session_description(*line.split()[1:])
            elif not line:
                body = "\n".join(below[index + 1 :])
                break
            else:
                lines.append(line.replace("| ", "\\x20", 1) if line.startswith("| ") else line)
        lines.append("Content-Length: [len]")
        if compact:
            lines = [lines[0], *(_compact(line) for line in lines[1:])]
        text = "\n".join([*lines, "", body])
        retrans = ' retrans="500"' if repeated else ""
        self.steps.append(f"  <send{retrans}><![CDATA[\n{text}\n]]></send>")

    def get(self, what: str, below: list[str]) -> None:
        optional = ' optional="true"' if what.endswith("?") else ""
        what = what.removesuffix("?")
        kind = "response" if what.isdigit() else "request"
        actions = after = ""
        for line in below:
            word, _, regexp = line.partition(" ")
            assert word in ("CHECK", "KEEP", "PASSWORD"), line
            self.variables += 1
            if word == "PASSWORD":
                user, password = regexp.split()
                right = f"v{self.variables}"
                actions += f'<verifyauth assign_to="{right}" username="{user}" password="{password}"/>'
                after = (
                    f'  <nop condexec="{right}" condexec_inverse="true"><action><error message="wrong"/></action></nop>'
                )
                continue
            kept = ""
            if word == "KEEP":
                kept, _, regexp = regexp.partition(" ")
                self.kept.append(kept)
                kept = f",{kept}"
            regexp = regexp.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
            actions += f'<ereg regexp="{regexp}" search_in="msg" check_it="true" assign_to="v{self.variables}{kept}"/>'
        if kind == "request":
            self.request = what
        if what == "INVITE":
            for field, name in KEPT.items():
                actions += f'<ereg regexp=".*" search_in="hdr" header="{field}:" assign_to="{name}"/>'
        action = f"<action>{actions}</action>" if actions else ""
        rrs = ' rrs="true"' if kind == "request" or what.startswith(("18", "2")) else ""
        self.steps.append(f'  <recv {kind}="{what}"{optional}{rrs}>{action}</recv>')
        if after:
            self.steps.append(after)

    def scenario(self) -> str:
        names = [*(f"v{number}" for number in range(1, self.variables + 1)), *self.kept]
        steps = "\n".join(self.steps)
        if 'assign_to="caller"' in steps:
            names += KEPT.values()
        reference = f'  <Reference variables="{",".join(names)}"/>\n' if names else ""
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="flow">\n{steps}\n{reference}</scenario>\n'


def read_flow(text: str) -> str:
    """Give the SIPp scenario of a flow."""
    flow = _Flow()
    step, below = "", list[str]()
    for line in [*text.splitlines(), "END"]:
        if line.startswith("#"):
            continue
        if line.startswith(" ") or not line:
            below.append(line.strip())
            continue
        if step:
            while below and not below[-1]:
                below.pop()
            flow.add(step, below)
        step, below = line, []
    return flow.scenario()
