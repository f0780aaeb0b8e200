"""The settings of a unit: what there is, what is allowed, and the TOML file they come from.

Rule 1: every setting has a type with its limits, a default that works and a description; what `dump` prints and what an
error calls allowed are made from these.
Rule 2: a wrong file is reported whole: every wrong key with its value and what is allowed, then nothing is started.
Rule 3: a password is kept as a hash only (see `firmware.web.auth`), and no setting that is secret is ever logged.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import tempfile
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar

import msgspec
import msgspec.inspect as mi
from msgspec import Meta, Struct, field

from firmware.errors import ConfigError


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


Port = Annotated[int, Meta(ge=1, le=65_535)]
Host = Annotated[str, Meta(extra={"valid": _is_address, "allowed": "an IPv4 or IPv6 address of this machine"})]


class Room(Struct, frozen=True, kw_only=True):
    """What the room does with calls."""

    name: Annotated[
        str,
        Meta(min_length=1, max_length=64, description="What others read on their screen when this room calls them."),
    ] = "Visavis"
    auto_answer: Annotated[
        bool, Meta(description="Answer by itself, as long as there is no other call that this would put on hold.")
    ] = False
    answer_delay: Annotated[float, Meta(ge=0, le=60, description="How long to ring before answering by itself, s.")] = (
        0.0
    )
    max_calls: Annotated[
        int, Meta(ge=1, le=16, description="Calls at the same time; whoever calls then hears that the room is busy.")
    ] = 4
    several_calls: Annotated[
        Literal["hold", "together"],
        Meta(description="When a call is answered during another: put the other on hold, or talk to all together."),
    ] = "hold"
    call_button: Annotated[
        str, Meta(max_length=256, description='The address that the call button dials when nothing rings; "": none.')
    ] = ""
    default_protocol: Annotated[
        Literal["SIP", "H.323"], Meta(description="What a bare number or name is dialled with first.")
    ] = "SIP"
    volume: Annotated[int, Meta(ge=0, le=100, description="Loudness of the speaker at the start, percent.")] = 70
    ring_time: Annotated[
        float, Meta(ge=5, le=600, description="How long a call, ours or the far end's, may ring unanswered, s.")
    ] = 60.0
    silence_time: Annotated[
        float,
        Meta(ge=5, le=600, description="After how long without any packet from the far end a call is given up, s."),
    ] = 30.0


class Sip(Struct, frozen=True, kw_only=True):
    """Calls by SIP."""

    enabled: Annotated[bool, Meta(description="Make and take calls by SIP.")] = True
    addresses: Annotated[
        tuple[Host, ...],
        Meta(
            min_length=1,
            max_length=16,
            description='Where to listen: "0.0.0.0" is every IPv4 and "::" every IPv6 address of the machine '
            "(a family that the machine doesn't have is passed over).",
        ),
    ] = ("0.0.0.0", "::")
    port: Annotated[Port, Meta(description="The port to listen on, for every transport.")] = 5060
    transports: Annotated[
        tuple[Literal["udp", "tcp"], ...],
        Meta(min_length=1, max_length=2, description="How messages may travel; the first is used to call."),
    ] = ("udp", "tcp")
    user: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            pattern=r"^[A-Za-z0-9_.!~*'()&=+$,;?/-]+$",
            description="The part before the @ of this unit's own address.",
            extra={"allowed": "1 to 64 of the letters A to Z, digits and -_.!~*'()&=+$,;?/"},
        ),
    ] = "room"


class Media(Struct, frozen=True, kw_only=True):
    """Sound and picture of calls."""

    rtp_first_port: Annotated[
        Port, Meta(description="The first port for sound and picture; each medium of a call takes two.")
    ] = 16_384
    rtp_last_port: Annotated[Port, Meta(description="The last port for sound and picture.")] = 16_583
    bitrate: Annotated[
        int, Meta(ge=64_000, le=20_000_000, description="The most a call may send or be sent, bit/s in one direction.")
    ] = 2_000_000
    width: Annotated[int, Meta(ge=128, le=1920, multiple_of=2, description="Width of the sent picture, pixels.")] = 1280
    height: Annotated[int, Meta(ge=96, le=1088, multiple_of=2, description="Height of the sent picture, pixels.")] = 720
    frame_rate: Annotated[int, Meta(ge=1, le=60, description="Pictures a second at most.")] = 30
    codecs: Annotated[
        tuple[Literal["opus", "G722", "PCMU", "PCMA", "H264"], ...],
        Meta(
            min_length=1,
            max_length=5,
            description="What may be used in a call, the preferred one of each medium first.",
        ),
    ] = ("opus", "G722", "PCMU", "PCMA", "H264")


class Web(Struct, frozen=True, kw_only=True):
    """The panel in the browser and the API."""

    enabled: Annotated[bool, Meta(description="Serve the panel and the API.")] = True
    addresses: Annotated[
        tuple[Host, ...],
        Meta(
            min_length=1,
            max_length=16,
            description="Where to listen.  Until a password is set, only loopback addresses are used.",
        ),
    ] = ("0.0.0.0", "::")
    port: Annotated[Port, Meta(description="The port to listen on.")] = 8080
    password_hash: Annotated[
        str,
        Meta(
            max_length=256,
            pattern=r"^(scrypt\$[0-9]+\$[0-9]+\$[0-9]+\$[0-9a-f]+\$[0-9a-f]+)?$",
            description='What `visavis password` made of the password; "": no password, loopback only.',
            extra={"secret": True, "allowed": "what `visavis password` prints, or an empty text"},
        ),
    ] = ""
    host_names: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=253)], ...],
        Meta(
            max_length=16,
            description="Names by which browsers reach this unit, besides its addresses and `localhost`.",
        ),
    ] = ()


class Board(Struct, frozen=True, kw_only=True):
    """The hardware."""

    kind: Annotated[
        Literal["auto", "pi", "sim"], Meta(description="A Raspberry Pi, the simulated board, or what the machine is.")
    ] = "auto"
    sim: Annotated[dict[str, Any], Meta(description="Settings of the simulated board.")] = field(default_factory=dict)
    pi: Annotated[dict[str, Any], Meta(description="Settings of the Raspberry Pi's devices.")] = field(
        default_factory=dict
    )


class Log(Struct, frozen=True, kw_only=True):
    """What is written to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least important lines that are written.")
    ] = "info"


class Config(Struct, frozen=True, kw_only=True):
    """All settings of a unit."""

    room: Room = Room()
    sip: Sip = Sip()
    media: Media = Media()
    web: Web = Web()
    board: Board = field(default_factory=Board)
    log: Log = Log()


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


Section = TypeVar("Section", bound=Struct)

_VALUE_LENGTH: Final = 60
"""Characters of a wrong value that are shown."""


Boards = Mapping[str, type[Struct]]
"""The settings that a board's own table may have, by the board's name."""


def load(path: Path, boards: Boards | None = None) -> Config:
    """Read the settings from a TOML file.  ConfigError: all that is wrong, one line each."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{path}: {reason}") from None
    config, wrong = parse(text, boards)
    if wrong:
        raise ConfigError("\n".join(f"{path}: {entry}" for entry in wrong))
    return config


def parse(text: str, boards: Boards | None = None) -> tuple[Config, list[Wrong]]:
    """Read settings from TOML text: what could be used, defaults for the rest, and all that is wrong."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Config(), [Wrong("", "", f"this is not TOML: {error}")]
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
    for name, kind in (boards or {}).items():
        read_table(getattr(config.board, name), kind, f"board.{name}", wrong)
    wrong += [entry for entry in contradictions(config) if entry.key not in {other.key for other in wrong}]
    return config, wrong


def read_table(table: Mapping[str, Any], kind: type[Section], path: str, wrong: list[Wrong]) -> Section:
    """Convert a TOML table to *kind*, adding to *wrong* what can't be used; that keeps its default."""
    fields = {info.encode_name: info for info in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            wrong.append(Wrong(f"{path}.{key}", "", f"there is no such setting; {_among(key, fields)}"))
            continue
        form = mi.type_info(fields[key].type)
        try:
            converted = msgspec.convert(value, fields[key].type)
            if not _valid(form, converted):
                raise msgspec.ValidationError
        except msgspec.ValidationError:
            shown = "(not shown)" if _extra(form).get("secret") else _shown(value)
            wrong.append(Wrong(f"{path}.{key}", shown, f"must be {describe(form)}"))
        else:
            values[fields[key].name] = converted
    return kind(**values)


def contradictions(config: Config) -> Iterator[Wrong]:
    """Give what is wrong between settings that are right by themselves."""
    media = config.media
    if media.rtp_last_port - media.rtp_first_port < 3:
        least = "must be at least 3 above media.rtp_first_port: sound and picture take two ports each"
        yield Wrong("media.rtp_last_port", str(media.rtp_last_port), least)
    lists = {
        "media.codecs": media.codecs,
        "sip.transports": config.sip.transports,
        "sip.addresses": config.sip.addresses,
    }
    for key, values in lists.items():
        if len(set(values)) < len(values):
            yield Wrong(key, _shown(list(values)), "must not name anything twice")


def _among(key: str, names: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, names, 1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"


def _shown(value: object) -> str:
    text = toml_value(value) if isinstance(value, str | bool | int | float | list | tuple) else str(value)
    return text if len(text) <= _VALUE_LENGTH else text[: _VALUE_LENGTH - 1] + "…"


# What a type allows, in words


def _extra(form: mi.Type) -> Mapping[str, Any]:
    return form.extra or {} if isinstance(form, mi.Metadata) else {}


def _valid(form: mi.Type, value: Any) -> bool:
    """Whether a value of the right type also passes the ``valid`` functions of its annotations."""
    valid = _extra(form).get("valid")
    if isinstance(form, mi.Metadata):
        return (valid is None or valid(value)) and _valid(form.type, value)
    return not isinstance(form, mi.VarTupleType) or all(_valid(form.item_type, item) for item in value)


def describe(form: mi.Type) -> str:
    """What a setting of this type may be, to follow the words "must be"."""
    match form:
        case mi.Metadata():
            return str(_extra(form).get("allowed") or describe(form.type))
        case mi.BoolType():
            return "true or false"
        case mi.LiteralType(values=values):
            return " or ".join(toml_value(value) for value in values)
        case mi.IntType():
            even = f", a multiple of {form.multiple_of}" if form.multiple_of else ""
            return f"a whole number{_range(form.ge, form.le)}{even}"
        case mi.FloatType():
            return f"a number{_range(form.ge, form.le)}"
        case mi.StrType(pattern=pattern):
            only = f" that matches {pattern}" if pattern else ""
            return f"a text{_range(form.min_length, form.max_length, ' characters long')}{only}"
        case mi.VarTupleType():
            return f"a list{_range(form.min_length, form.max_length, ' long')}, of {describe(form.item_type)}"
        case _:
            return "a section with settings of its own"


def _range(least: float | None, most: float | None, unit: str = "") -> str:
    if least is None and most is None:
        return ""
    if least is None or most is None:
        return f" at least {least}{unit}" if most is None else f" at most {most}{unit}"
    return f" from {least} to {most}{unit}"


# Writing


def dump(config: Config | None = None, boards: Boards | None = None) -> str:
    """All settings as TOML, each with its description and what it may be.

    With *boards*, those of the boards' own tables are shown too.
    """
    lines = ["# Settings of a Visavis unit.  Every line may be left out: then what stands here is used."]
    config = config or Config()
    for section in msgspec.structs.fields(Config):
        lines += ["", f"# {(section.type.__doc__ or '').strip()}", f"[{section.name}]"]
        lines += _dump_table(getattr(config, section.name))
    for name in ("sim", "pi"):
        table: dict[str, Any] = getattr(config.board, name)
        kind = (boards or {}).get(name)
        lines += ["", f"# {_description(Board, name)}", f"[board.{name}]"]
        lines += _dump_table(kind(**table)) if kind else [f"{key} = {toml_value(table[key])}" for key in table]
    return "\n".join(lines) + "\n"


def _dump_table(table: Struct) -> Iterator[str]:
    for info in msgspec.structs.fields(table):
        value = getattr(table, info.name)
        if isinstance(value, dict):
            continue
        form = mi.type_info(info.type)
        said = (form.extra_json_schema or {}).get("description", "") if isinstance(form, mi.Metadata) else ""
        yield from textwrap.wrap(f"{said}  ({describe(form)})", 110, initial_indent="# ", subsequent_indent="# ")
        yield f"{info.encode_name} = {toml_value(value)}"


def _description(kind: type[Struct], name: str) -> str:
    form = next(mi.type_info(info.type) for info in msgspec.structs.fields(kind) if info.name == name)
    return str((form.extra_json_schema or {}).get("description", "")) if isinstance(form, mi.Metadata) else ""


def toml_value(value: object) -> str:
    """Write a value as TOML does.  TypeError: TOML has no such value."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return (
                msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
            )  # a TOML basic string is a JSON string
        case Sequence():
            return f"[{', '.join(toml_value(item) for item in value)}]"
        case Mapping():
            return "{ " + ", ".join(f"{toml_value(key)} = {toml_value(item)}" for key, item in value.items()) + " }"
        case _:
            raise TypeError(f"{type(value).__name__} is nothing that TOML can hold")


def save(config: Config, path: Path, boards: Boards | None = None) -> None:
    """Write the settings in one step: whoever reads meanwhile, or after a power cut, finds the old file or the new one.

    ConfigError: it can't be written, and why; the old file stays.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(dump(config, boards))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
