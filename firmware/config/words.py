"""What the text of a setting may be: whether it is an address, a name, a server."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_USER: Final = r"[A-Za-z0-9_.!~*'()&=+$,;?/%#-]"
_SERVER: Final = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?"


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_name(text: str) -> bool:
    """Whether it can be shown, on one line."""
    return text.isprintable() and not text.isspace()


def is_caller(text: str) -> bool:
    """Whether it names callers; what looks like a network must be one."""
    if "/" in text:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            return False
    return text.isprintable() and " " not in text


def is_host_name(text: str) -> bool:
    """Whether it may be a host's name."""
    return re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", text) is not None


def is_gatekeeper(text: str) -> bool:
    """Whether it is a host, host:port, ``auto`` or nothing."""
    return re.fullmatch(r"(auto|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?|[A-Za-z0-9.-]+(:[0-9]{1,5})?|)", text) is not None


def is_account(text: str) -> bool:
    """Whether it is a SIP address with a user, or nothing."""
    return re.fullmatch(rf"((sips?:)?{_USER}+@{_SERVER}|)", text) is not None


def is_server(text: str) -> bool:
    """Whether it is a host, host:port or nothing."""
    return re.fullmatch(rf"({_SERVER}|)", text) is not None


def host_and_port(server: str, port: int) -> tuple[str, int]:
    """Take a server apart that `is_server`; *port* is that of one which names none."""
    found = re.fullmatch(_SERVER, server)
    if found is None:
        raise ValueError(server)
    return found[1].strip("[]"), int(found[2][1:]) if found[2] else port
