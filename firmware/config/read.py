"""Reads settings from TOML: what is right is used, what is wrong is named."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar, runtime_checkable

import msgspec
import msgspec.inspect as mi
from msgspec import Struct

from firmware.config.allowed import describe, extra, is_valid, longest, tables_of
from firmware.config.sections import Boards, Config, SipAccount
from firmware.config.toml import toml_value
from firmware.errors import ConfigError

Section = TypeVar("Section", bound=Struct)

_VALUE_LENGTH: Final = 60
"""Characters of a wrong value that are shown."""


class Wrong(NamedTuple):
    """A setting that can't be used."""

    key: str
    """Its path, ``media.bitrate``; "" when the file as a whole can't be read."""
    value: str
    """As it was found, shortened; "" where it says nothing."""
    allowed: str

    def __str__(self) -> str:
        found = f" = {self.value}" if self.value else ""
        return f"{self.key}{found}: {self.allowed}" if self.key else self.allowed


@runtime_checkable
class Contradicted(Protocol):
    """A board's settings that can contradict one another."""

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """Give each setting that is wrong beside another one, by its name, and what is allowed."""


MAX_H245_PORTS: Final = 64
"""Each is listened on all the time; a call takes one."""


def load(path: Path, boards: Boards | None = None) -> Config:
    """Read the settings from a TOML file.  ConfigError: all that is wrong, one line each."""
    config, wrong = parse(read_text(path), boards)
    if wrong:
        raise ConfigError("\n".join(f"{path}: {entry}" for entry in wrong))
    return config


def read_text(path: Path) -> str:
    """Give what stands in a file, its ends of lines as they are.  ConfigError: it can't be read, and why."""
    try:
        return path.read_bytes().decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{path}: {reason}") from None


def parse(text: str, boards: Boards | None = None) -> tuple[Config, list[Wrong]]:
    """Read settings from TOML text: what could be used, defaults for the rest, and all that is wrong."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Config(), [Wrong("", "", f"this is not TOML: {error}")]
    except RecursionError:
        return Config(), [Wrong("", "", "this is not TOML: lists or tables stand too deep in one another")]
    wrong: list[Wrong] = []
    sections = {info.name: info.type for info in msgspec.structs.fields(Config)}
    values: dict[str, Any] = {}
    for name, table in tables.items():
        if name not in sections:
            wrong.append(Wrong(name, "", f"there is no such section; {_among(name, sections)}"))
        elif not isinstance(table, dict):
            wrong.append(Wrong(name, _shown(table), f"this is a section: write [{name}] and its settings below"))
        else:
            values[name] = read_table(table, sections[name], name, wrong)
    config = Config(**values)
    found = list(contradictions(config))
    for name, kind in (boards or {}).items():
        table = read_table(getattr(config.board, name), kind, f"board.{name}", wrong)
        if isinstance(table, Contradicted):
            found += [
                Wrong(f"board.{name}.{key}", _shown(getattr(table, key)), allowed)
                for key, allowed in table.contradictions()
            ]
    named = {entry.key for entry in wrong}
    return config, wrong + [entry for entry in found if entry.key not in named]


def read_table(table: Mapping[str, Any], kind: type[Section], path: str, wrong: list[Wrong]) -> Section:
    """Convert a TOML table to *kind*, adding to *wrong* what can't be used; that keeps its default."""
    fields = {info.encode_name: info for info in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            wrong.append(Wrong(f"{path}.{key}", "", f"there is no such setting; {_among(key, fields)}"))
            continue
        form = mi.type_info(fields[key].type)
        if (one := tables_of(form)) is not None:
            values[fields[key].name] = _read_tables(value, one, form, f"{path}.{key}", wrong)
            continue
        try:
            converted = msgspec.convert(value, fields[key].type)
            if not is_valid(form, converted):
                raise msgspec.ValidationError
        except msgspec.ValidationError:
            shown = "(not shown)" if extra(form).get("secret") else _shown(value)
            wrong.append(Wrong(f"{path}.{key}", shown, f"must be {describe(form)}"))
        else:
            values[fields[key].name] = converted
    return kind(**values)


def _read_tables(
    value: object, kind: type[Section], form: mi.Type, path: str, wrong: list[Wrong]
) -> tuple[Section, ...]:
    """Convert a list of TOML tables; in the path of what is wrong they are counted from 1."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        wrong.append(Wrong(path, "", f"must be {describe(form)}: write [[{path}]] and its settings below"))
        return ()
    most = longest(form)
    if most is not None and len(value) > most:
        wrong.append(Wrong(path, f"{len(value)} tables", f"must be {describe(form)}"))
    return tuple(read_table(item, kind, f"{path}[{number}]", wrong) for number, item in enumerate(value[:most], 1))


def contradictions(config: Config) -> Iterator[Wrong]:
    """Give what is wrong between settings that are right by themselves."""
    media = config.media
    if media.rtp_last_port - media.rtp_first_port < 3:
        least = "must be at least 3 above media.rtp_first_port: sound and picture take two ports each"
        yield Wrong("media.rtp_last_port", str(media.rtp_last_port), least)
    h323 = config.h323
    if h323.h245_last_port < h323.h245_first_port:
        yield Wrong("h323.h245_last_port", str(h323.h245_last_port), "must not be below h323.h245_first_port")
    elif h323.h245_last_port - h323.h245_first_port >= MAX_H245_PORTS:
        most = f"must be less than {MAX_H245_PORTS} above h323.h245_first_port"
        yield Wrong("h323.h245_last_port", str(h323.h245_last_port), most)
    if h323.gatekeeper == "auto" and h323.gatekeeper_transport != "udp":
        searched = 'must be "udp" where h323.gatekeeper is "auto"'
        yield Wrong("h323.gatekeeper_transport", f'"{h323.gatekeeper_transport}"', searched)
    tls = config.tls
    if bool(tls.certificate) != bool(tls.key):
        missing = "certificate" if tls.key else "key"
        yield Wrong(f"tls.{missing}", '""', "certificate and key must both be named, or none of them")
    if config.nat.turn and not config.nat.turn_user:
        yield Wrong("nat.turn_user", '""', "must be there: a TURN server relays for nobody without a name")
    lists = {
        "media.codecs": media.codecs,
        "sip.transports": config.sip.transports,
        "sip.addresses": config.sip.addresses,
        "h323.addresses": h323.addresses,
        "h323.authentication": h323.authentication,
        "nat.stun": config.nat.stun,
    }
    for key, values in lists.items():
        if len(set(values)) < len(values):
            yield Wrong(key, _shown(list(values)), "must not name anything twice")
    yield from _account_contradictions(config.sip.accounts)


def _account_contradictions(accounts: Sequence[SipAccount]) -> Iterator[Wrong]:
    for number, account in enumerate(accounts, 1):
        key, before = f"sip.accounts[{number}]", accounts[: number - 1]
        if not account.address:
            yield Wrong(f"{key}.address", "", "must be there: an address such as room@example.com")
        elif any(_way(account) == _way(other) for other in before):
            text = "must not be that of another account, unless their proxies are two"
            yield Wrong(f"{key}.address", _shown(account.address), text)
        if account.default and any(other.default for other in before):
            yield Wrong(f"{key}.default", "true", "must not be true of two accounts")


def _way(account: SipAccount) -> tuple[str, str]:
    """Give what two accounts must not have both in common: the address, and by whom it is reached."""
    return re.sub(r"^sips?:", "", account.address).lower(), account.proxy.lower()


def _among(key: str, names: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, names, 1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"


def _shown(value: object) -> str:
    text = toml_value(value) if isinstance(value, str | bool | int | float | list | tuple) else str(value)
    return text if len(text) <= _VALUE_LENGTH else text[: _VALUE_LENGTH - 1] + "…"
