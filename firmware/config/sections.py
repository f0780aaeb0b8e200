"""Every setting of a unit, by section: type, limits, default and description; those of its devices are in `devices`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from firmware.config.devices import Board, Health, Television
from firmware.config.nat import Nat
from firmware.config.words import is_account, is_address, is_caller, is_gatekeeper, is_host_name, is_name, is_server

Port = Annotated[int, Meta(ge=1, le=65_535)]


Host = Annotated[str, Meta(extra={"valid": is_address, "allowed": "an IPv4 or IPv6 address of this machine"})]


Listeners = Annotated[
    tuple[Host, ...],
    Meta(
        min_length=1,
        max_length=16,
        description='Where to listen: "0.0.0.0" is every IPv4 and "::" every IPv6 address of the machine '
        "(a family that the machine doesn't have is passed over).",
    ),
]


Caller = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        extra={"valid": is_caller, "allowed": "an address, a network, a user, user@domain or a domain"},
    ),
]


Alias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        extra={"valid": is_name, "allowed": "1 to 256 characters on one line that can be shown"},
    ),
]


class Room(Struct, frozen=True, kw_only=True):
    """What the room does with calls."""

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            description="What others read on their screen when this room calls them.",
            extra={"valid": is_name, "allowed": "1 to 64 characters on one line that can be shown"},
        ),
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
    allowed_callers: Annotated[
        tuple[Caller, ...],
        Meta(
            max_length=64,
            description="Who may call, by any protocol: addresses, networks (10.0.0.0/8), users (alice@example.com, "
            "4711) or domains; empty: everybody. What a caller calls itself proves nothing, unless a server vouches "
            "for it.",
        ),
    ] = ()
    follow_transfers: Annotated[
        bool, Meta(description="When a far end passes this room on to somebody else, call them.")
    ] = True
    call_button: Annotated[
        str, Meta(max_length=256, description='The address that the call button dials when nothing rings; "": none.')
    ] = ""
    default_protocol: Annotated[
        Literal["SIP", "H.323"], Meta(description="What a bare number or name is dialled with first.")
    ] = "SIP"
    volume: Annotated[int, Meta(ge=0, le=100, description="Loudness of the speaker at the start, percent.")] = 70
    screen_rest_time: Annotated[
        float,
        Meta(ge=0, le=86_400, description="How long after the last call or button the screen goes dark, s; 0: never."),
    ] = 900.0
    ring_time: Annotated[
        float, Meta(ge=5, le=600, description="How long a call, ours or the far end's, may ring unanswered, s.")
    ] = 60.0
    silence_time: Annotated[
        float,
        Meta(ge=5, le=600, description="After how long without any packet from the far end a call is given up, s."),
    ] = 30.0


class SipAccount(Struct, frozen=True, kw_only=True):
    """An address of this unit at a SIP server."""

    address: Annotated[
        str,
        Meta(
            max_length=256,
            description='The address, such as "room@example.com"; "sips:room@example.com" is reached by TLS only.',
            extra={"valid": is_account, "allowed": "an address such as room@example.com"},
        ),
    ] = ""
    user: Annotated[
        str,
        Meta(max_length=128, description='The name that goes with the password; "": what the address begins with.'),
    ] = ""
    password: Annotated[
        str,
        Meta(
            max_length=256,
            description='The password; "": none is used.',
            extra={"secret": True, "allowed": "a text at most 256 characters long"},
        ),
    ] = ""
    realm: Annotated[
        str,
        Meta(
            max_length=256,
            description='The only realm that the password is shown to; "": what this account\'s own servers call '
            "themselves.",
        ),
    ] = ""
    registrar: Annotated[
        str,
        Meta(
            max_length=255,
            extra={"valid": is_server, "allowed": "a host, host:port or an empty text"},
            description='Where to register: a host or host:port; "": at what stands after the @.',
        ),
    ] = ""
    proxy: Annotated[
        str,
        Meta(
            max_length=255,
            extra={"valid": is_server, "allowed": "a host, host:port or an empty text"},
            description='The host or host:port by which all of this account goes; "": straight to the registrar.  Two '
            "accounts may have one address if their proxies are two: if one fails, the other serves.",
        ),
    ] = ""
    transport: Annotated[
        Literal["", "udp", "tcp", "tls"],
        Meta(description='How to reach the server; "": as DNS says, or else by the first of sip.transports.'),
    ] = ""
    register: Annotated[
        bool, Meta(description="Register, so that calls to the address come here; otherwise only call by it.")
    ] = True
    expires: Annotated[
        int,
        Meta(ge=60, le=86_400, description="For how long to register at a time, s; the registrar has the last word."),
    ] = 3600
    default: Annotated[
        bool,
        Meta(description="Call bare numbers and names by this account; otherwise they are called by the first one."),
    ] = False


class Sip(Struct, frozen=True, kw_only=True):
    """Calls by SIP."""

    enabled: Annotated[bool, Meta(description="Make and take calls by SIP.")] = True
    addresses: Listeners = ("0.0.0.0", "::")
    port: Annotated[Port, Meta(description="The port to listen on for UDP and TCP.")] = 5060
    tls_port: Annotated[Port, Meta(description="The port to listen on for TLS.")] = 5061
    transports: Annotated[
        tuple[Literal["udp", "tcp", "tls"], ...],
        Meta(
            min_length=1,
            max_length=3,
            description="How messages may travel; the first is used to call, unless the address or its domain's name "
            "server says otherwise.  Addresses that begin with sips: are called by TLS only.",
        ),
    ] = ("udp", "tcp", "tls")
    user: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            pattern=r"^[A-Za-z0-9_.!~*'()&=+$,;?/-]+\Z",
            description="The part before the @ of this unit's own address.",
            extra={"allowed": "1 to 64 of the letters A to Z, digits and -_.!~*'()&=+$,;?/"},
        ),
    ] = "room"
    srtp: Annotated[
        tuple[Literal["sdes", "dtls"], ...],
        Meta(
            min_length=1,
            max_length=2,
            description="How keys for sound and picture may be agreed, the preferred way first: told in the call's "
            "messages (SDES), or by a handshake on the ports of sound and picture (DTLS).  Where messages are not "
            "encrypted themselves (TLS), keys in them are no secret: then DTLS goes first, and SDES does not count "
            'where media.encryption is "required".',
        ),
    ] = ("sdes", "dtls")
    accounts: Annotated[
        tuple[SipAccount, ...],
        Meta(max_length=4, description="Addresses of this unit at SIP servers: at most 4, each in a table of its own."),
    ] = ()


class H323(Struct, frozen=True, kw_only=True):
    """Calls by H.323."""

    enabled: Annotated[bool, Meta(description="Make and take calls by H.323.")] = True
    addresses: Listeners = ("0.0.0.0", "::")
    port: Annotated[Port, Meta(description="The TCP port to listen on for calls.")] = 1720
    tls: Annotated[
        bool,
        Meta(
            description="Take calls whose signalling is encrypted by TLS, and call so where the address begins with "
            "h323s: or where the gatekeeper says it (H.460.22)."
        ),
    ] = False
    tls_port: Annotated[Port, Meta(description="The TCP port to listen on for calls by TLS.")] = 1300
    h245_first_port: Annotated[
        Port, Meta(description="The first TCP port for H.245 connections; a call takes one where the far end wants it.")
    ] = 16_300
    h245_last_port: Annotated[Port, Meta(description="The last TCP port for H.245 connections.")] = 16_315
    fast_connect: Annotated[
        bool,
        Meta(description="Propose sound when calling: it is heard sooner, but some far ends then send no picture."),
    ] = False
    tunnelling: Annotated[
        bool,
        Meta(description="Carry H.245 inside call signalling where the far end can, instead of a connection more."),
    ] = True
    allow_weak_dh: Annotated[
        bool,
        Meta(description="Agree on keys by 1024-bit Diffie-Hellman with far ends that know no better."),
    ] = False
    gatekeeper: Annotated[
        str,
        Meta(
            max_length=255,
            extra={
                "valid": is_gatekeeper,
                "allowed": 'a host, host:port, "auto" or an empty text',
            },
            description='Where to register: a domain (SRV), a host or host:port (RAS, 1719); "auto": whoever answers '
            'in this network; "": nowhere, calls go to addresses directly.',
        ),
    ] = ""
    gatekeeper_transport: Annotated[
        Literal["udp", "tcp", "tls"],
        Meta(
            description="How to talk to the gatekeeper: by UDP, or by one TCP or TLS connection that carries "
            "registration and all calls (H.460.17: port 1720, by TLS 1300), where nobody outside can reach this unit."
        ),
    ] = "udp"
    ras_port: Annotated[Port, Meta(description="The UDP port by which a gatekeeper reaches this unit.")] = 1719
    user: Annotated[str, Meta(max_length=128, description='The name that goes with the password; "": the room\'s.')] = (
        ""
    )
    password: Annotated[
        str,
        Meta(
            max_length=128,
            description='The password for the gatekeeper; "": none is used.',
            extra={"secret": True, "allowed": "at most 128 characters"},
        ),
    ] = ""
    authentication: Annotated[
        tuple[Literal["h235.1", "md5", "cat"], ...],
        Meta(min_length=1, max_length=3, description="How the password may be shown, the best first."),
    ] = ("h235.1", "md5")
    number: Annotated[
        str,
        Meta(
            max_length=128,
            pattern=r"^[0-9*#,]*\Z",
            description='This unit\'s number (E.164), or "".',
            extra={"allowed": "at most 128 of the digits 0 to 9 and *#,"},
        ),
    ] = ""
    aliases: Annotated[
        tuple[Alias, ...],
        Meta(
            max_length=8,
            description='More names by which a gatekeeper finds this unit, beside the room\'s: "room@example.com".',
        ),
    ] = ()


class Tls(Struct, frozen=True, kw_only=True):
    """Encrypted signalling: who this unit is, and whom it trusts."""

    certificate: Annotated[
        str,
        Meta(
            max_length=1024,
            description="The file of this unit's certificate and of those that lead to its authority (PEM), which is "
            "read again once it was renewed, as the key and tls.ca are: new connections have the new one without a "
            'restart; "": one that the unit makes for itself at its first start and keeps in its storage folder.',
        ),
    ] = ""
    key: Annotated[
        str, Meta(max_length=1024, description="The file of the certificate's private key (PEM, without a password).")
    ] = ""
    ca: Annotated[
        str,
        Meta(
            max_length=1024,
            description='A file or a folder of certificates (PEM) of authorities or far ends to trust; "": the '
            "authorities that the system trusts.",
        ),
    ] = ""
    verify: Annotated[
        Literal["off", "called", "all"],
        Meta(
            description="Whose certificate must be valid and for the right name: nobody's, that of far ends that this "
            "unit calls, or also that of far ends that call it."
        ),
    ] = "called"


class Media(Struct, frozen=True, kw_only=True):
    """Sound and picture of calls."""

    rtp_first_port: Annotated[
        Port, Meta(description="The first port for sound and picture; each medium of a call takes two.")
    ] = 16_384
    rtp_last_port: Annotated[Port, Meta(description="The last port for sound and picture.")] = 16_583
    bitrate: Annotated[
        int, Meta(ge=64_000, le=20_000_000, description="The most a call may send or be sent, bit/s in one direction.")
    ] = 2_000_000
    encryption: Annotated[
        Literal["off", "preferred", "required"],
        Meta(description="Encrypt sound and picture: never, where the far end can, or else have no call."),
    ] = "preferred"
    width: Annotated[int, Meta(ge=128, le=1920, multiple_of=2, description="Width of the sent picture, pixels.")] = 1280
    height: Annotated[int, Meta(ge=96, le=1088, multiple_of=2, description="Height of the sent picture, pixels.")] = 720
    frame_rate: Annotated[int, Meta(ge=1, le=60, description="Pictures a second at most.")] = 30
    codecs: Annotated[
        tuple[Literal["opus", "G722", "PCMU", "PCMA", "H264", "H263", "H261"], ...],
        Meta(
            min_length=1,
            max_length=7,
            description="What may be used in a call, the preferred one of each medium first.  SIP offers H263 and H261 "
            "only where they stand before H264, but takes them where they are offered.",
        ),
    ] = ("opus", "G722", "PCMU", "PCMA", "H264", "H263", "H261")


CodePoint = Annotated[int, Meta(ge=0, le=63)]


class Qos(Struct, frozen=True, kw_only=True):
    """How packets are marked for routers: the differentiated services code point (RFC 4594), by what is in them."""

    signalling: Annotated[CodePoint, Meta(description="Messages of SIP and H.323; 24 is CS3.")] = 24
    audio: Annotated[CodePoint, Meta(description="Sound, and its RTCP; 46 is EF.")] = 46
    video: Annotated[CodePoint, Meta(description="Pictures, and their RTCP; 34 is AF41.")] = 34


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
            pattern=r"^(scrypt\$[0-9]+\$[0-9]+\$[0-9]+\$[0-9a-f]+\$[0-9a-f]+)?\Z",
            description='What `visavis password` made of the password; "": no password, loopback only.',
            extra={"secret": True, "allowed": "what `visavis password` prints, or an empty text"},
        ),
    ] = ""
    host_names: Annotated[
        tuple[
            Annotated[
                str,
                Meta(
                    min_length=1,
                    max_length=253,
                    extra={"valid": is_host_name, "allowed": "a host name such as room.example.com"},
                ),
            ],
            ...,
        ],
        Meta(
            max_length=16,
            description="Names by which browsers reach this unit, besides its addresses and `localhost`.",
        ),
    ] = ()


class Storage(Struct, frozen=True, kw_only=True):
    """What a unit makes or learns by itself, such as its certificate."""

    folder: Annotated[
        str,
        Meta(
            max_length=1024,
            description='Where it is kept; "": what systemd gives to the service, or ~/.local/state/visavis.',
        ),
    ] = ""


class Log(Struct, frozen=True, kw_only=True):
    """What is written to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least important lines that are written.")
    ] = "info"


class Config(Struct, frozen=True, kw_only=True):
    """All settings of a unit."""

    room: Room = Room()
    sip: Sip = Sip()
    h323: H323 = H323()
    tls: Tls = Tls()
    media: Media = Media()
    nat: Nat = Nat()
    qos: Qos = Qos()
    web: Web = Web()
    television: Television = Television()
    health: Health = Health()
    board: Board = field(default_factory=Board)
    storage: Storage = Storage()
    log: Log = Log()


Boards = Mapping[str, type[Struct]]
"""The settings that a board's own table may have, by the board's name."""
