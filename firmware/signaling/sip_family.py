"""Offers whose media go by the other version of IP than the signalling (RFC 6157): a server between may know both.

Rule: such an offer is answered with an address of ours of its version, if we listen on one.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING

from firmware.errors import DecodeError, FirmwareError
from firmware.net.address import source_address
from firmware.sdp.session import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.sansio import Address, Flow


def other_family(offer: bytes, flow: Flow, listeners: Iterable[tuple[str, Address]]) -> Flow | None:
    """Give a flow as this one would be from our address that can reach the offer's media.

    None: they are of the version that the flow has, or lead nowhere from here.  *listeners*: transports, and addresses.
    """
    far = _first_address(offer)
    if far is None or (":" in far[0]) is (":" in flow.local[0]):
        return None
    hosts = {host for _, (host, _) in listeners if (":" in host) is (":" in far[0])}
    if not hosts:
        return None
    try:
        ours = source_address(far)
    except FirmwareError:
        return None
    if ours not in hosts and not any(ipaddress.ip_address(host).is_unspecified for host in hosts):
        ours = min(hosts)
    return replace(flow, local=(ours, flow.local[1]))


def _first_address(offer: bytes) -> Address | None:
    """Give where the first line in use goes that goes to somebody."""
    try:
        session = parse(offer)
    except DecodeError:
        return None
    for media in session.media:
        try:
            address = ipaddress.ip_address(session.address_of(media) or "")
        except ValueError:  # a name, or nothing
            continue
        if media.port and not (address.is_multicast or address.is_unspecified or "%" in str(address)):
            return str(address), media.port
    return None
