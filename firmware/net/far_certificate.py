"""Whose name a certificate has (RFC 5922 7): the far end's, as `ssl.SSLSocket.getpeercert` gives it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

MAX_NAMES: Final = 100
"""Names of one certificate that are looked at."""

Certificate = Mapping[str, Any]


def names(certificate: Certificate) -> tuple[str, ...]:
    """Give the names that a certificate is for, in lower case: domains, and IP addresses in their shortest form."""
    alternatives = certificate.get("subjectAltName", ())
    if not alternatives:
        # RFC 5922 7.1: the common name counts if, and only if, there is no subjectAltName.
        found = [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
    else:
        uris = [domain for kind, value in alternatives if kind == "URI" and (domain := _domain_of_uri(value))]
        # RFC 5922 7.1: a DNS name counts if, and only if, there is no SIP URI.
        found = uris or [value for kind, value in alternatives if kind == "DNS"]
        # A room without a domain is dialled by its address, of which RFC 5922 does not speak.
        found += [value for kind, value in alternatives if kind == "IP Address"]
    return tuple(dict.fromkeys(_normal(name) for name in found[:MAX_NAMES]))


def fits(domain: str, certificate_names: tuple[str, ...]) -> bool:
    """Whether one of these names is that of a domain, or of an IP address without brackets."""
    # RFC 5922 7.2: by case-insensitive comparison of the whole; "*" is no wildcard.
    return _normal(domain) in certificate_names


def _domain_of_uri(uri: str) -> str:
    scheme, _, rest = uri.partition(":")
    # RFC 5922 7.1: only "sip", and a user is nobody's domain.
    if scheme.lower() != "sip" or "@" in rest:
        return ""
    host = rest.partition(";")[0].partition("?")[0]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _normal(name: str) -> str:
    name = name.strip().removesuffix(".").lower()
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name
