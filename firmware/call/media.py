"""What can be sent and received, and what both sides agreed: codecs, capabilities and channels of one direction.

Values only.  Payload types and addresses are those of RTP, which SIP and H.323 share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from firmware.call.ice import Ice
from firmware.sansio import Address


class Kind(Enum):
    """A medium."""

    AUDIO = "audio"
    VIDEO = "video"


class Direction(Enum):
    """Which way a channel carries its medium, seen from this unit."""

    SEND = "send"
    RECEIVE = "receive"
    NEITHER = "neither"
    """Nothing flows, but the way that was found for it is kept open (ICE)."""


class Feedback(Enum):
    """RTCP feedback that both sides agreed (RFC 4585, RFC 5104)."""

    NACK = "nack"
    PLI = "pli"
    FIR = "fir"
    TMMBR = "tmmbr"
    REMB = "remb"
    """What browsers have for TMMBR (draft-alvestrand-rmcat-remb-03)."""


class H264Profile(Enum):
    """The profiles that rooms meet, by their names in H.264 annex A."""

    CONSTRAINED_BASELINE = "constrained-baseline"
    BASELINE = "baseline"
    MAIN = "main"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class H264:
    """What an H.264 *receiver* can take (RFC 6184 8.1, H.241 8.3): limits on whoever sends to it."""

    profile: H264Profile = H264Profile.CONSTRAINED_BASELINE
    level: int = 31
    """level_idc: ten times the level (31 is 3.1); 9 is level 1b."""
    packetization_mode: int = 1
    """0: single NAL units only; 1: STAP-A and FU-A too (RFC 6184 6.2, 6.3)."""
    max_frame_size: int = 0
    """Macroblocks a frame where more than the level says (max-fs, CustomMaxFS); 0: as the level says."""
    max_macroblock_rate: int = 0
    """Macroblocks a second where more than the level says (max-mbps, CustomMaxMBPS); 0: as the level says."""
    max_bitrate: int = 0
    """bit/s where more than the level says (max-br); 0: as the level says."""
    parameter_sets: bytes = b""
    """Of a receive channel: what the far end's encoder begins with, as it said beforehand (sprop-parameter-sets); Annex
    B.  b"": it is in the stream."""


@dataclass(frozen=True, slots=True)
class PictureSize:
    """A size of picture that an H.261 or H.263 *receiver* can take, and how often."""

    width: int
    height: int
    interval: int = 1
    """The minimum picture interval (MPI), in units of 1001/30000 s: 1 is 29.97 pictures a second."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to code a medium."""

    name: str
    """As IANA registered it for RTP: ``H264``, ``opus``, ``G722``, ``PCMU``, ``PCMA``, ``telephone-event``; ``H263`` is
    H.263 in the payload format of RFC 2190, ``H263-1998`` the same in that of RFC 4629."""
    kind: Kind
    clock_rate: int
    """RTP clock, Hz.  G.722 says 8000 though it samples at 16 kHz (RFC 3551 4.5.2)."""
    channels: int = 1
    h264: H264 | None = None
    """Only, and always, with ``H264``."""
    picture_sizes: tuple[PictureSize, ...] = ()
    """Only, and always, with ``H261``, ``H263`` and ``H263-1998``; the preferred one first."""


H264_BASELINE = Codec("H264", Kind.VIDEO, 90_000, h264=H264())
SUB_QCIF, QCIF, CIF = PictureSize(128, 96), PictureSize(176, 144), PictureSize(352, 288)
CIF4, CIF16 = PictureSize(704, 576), PictureSize(1408, 1152, 2)
H263 = Codec("H263", Kind.VIDEO, 90_000, picture_sizes=(CIF4, CIF, QCIF, SUB_QCIF, CIF16))
H263_1998 = Codec("H263-1998", Kind.VIDEO, 90_000, picture_sizes=H263.picture_sizes)
H261 = Codec("H261", Kind.VIDEO, 90_000, picture_sizes=(CIF, QCIF))
OPUS = Codec("opus", Kind.AUDIO, 48_000, channels=2)  # RFC 7587 7: always 48000/2 in signalling
G722 = Codec("G722", Kind.AUDIO, 8_000)
PCMU = Codec("PCMU", Kind.AUDIO, 8_000)
PCMA = Codec("PCMA", Kind.AUDIO, 8_000)
TELEPHONE_EVENT = Codec("telephone-event", Kind.AUDIO, 8_000)


AUDIO_BITRATE = 64_000
"""bit/s of a call that are kept for sound."""


class Encryption(Enum):
    """Whether this unit wants its media encrypted."""

    OFF = "off"
    PREFERRED = "preferred"
    """Wherever the far end can."""
    REQUIRED = "required"
    """In the clear there is no call."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this unit can do and is willing to do in a call, best first."""

    codecs: tuple[Codec, ...] = (OPUS, G722, PCMU, PCMA, TELEPHONE_EVENT, H264_BASELINE, H263_1998, H263, H261)
    bitrate: int = 2_000_000
    """Of a whole call in one direction, bit/s."""
    encryption: Encryption = Encryption.OFF
    sends: frozenset[Kind] = frozenset(Kind)
    """Of what there is something to send."""
    receives: frozenset[Kind] = frozenset(Kind)
    """For what there is any use."""

    @property
    def video_bitrate(self) -> int:
        """What is left for pictures, bit/s."""
        return max(self.bitrate - AUDIO_BITRATE, AUDIO_BITRATE)

    def of(self, kind: Kind) -> tuple[Codec, ...]:
        """The codecs of one medium, best first; (): it goes neither way."""
        if kind not in self.sends | self.receives:
            return ()
        return tuple(codec for codec in self.codecs if codec.kind is kind)


@dataclass(frozen=True, slots=True)
class Format:
    """A codec under the RTP payload type that stands for it in one channel."""

    payload_type: int
    codec: Codec


class Suite(Enum):
    """A way to encrypt the packets of a channel."""

    AES_128_CBC = "AES-128-CBC"
    """Payloads only, and no proof of who sent them (H.235.6)."""
    AES_256_CBC = "AES-256-CBC"
    AES_CM_128_HMAC_SHA1_80 = "AES_CM_128_HMAC_SHA1_80"
    """SRTP: packets and their RTCP, with proof (RFC 3711); these names are IANA's (RFC 4568 10.3.2.1)."""
    AES_CM_128_HMAC_SHA1_32 = "AES_CM_128_HMAC_SHA1_32"
    AES_256_CM_HMAC_SHA1_80 = "AES_256_CM_HMAC_SHA1_80"
    AES_256_CM_HMAC_SHA1_32 = "AES_256_CM_HMAC_SHA1_32"
    AEAD_AES_128_GCM = "AEAD_AES_128_GCM"
    AEAD_AES_256_GCM = "AEAD_AES_256_GCM"


@dataclass(frozen=True, slots=True)
class Crypto:
    """What the packets of a channel are encrypted with.  The secret parts are in no representation of it."""

    suite: Suite
    key: bytes = field(repr=False)
    """Of the suite's length, in octets."""
    payload_type: int | None = None
    """Under which the encrypted packets travel, whatever their format's payload type: with H.235.6 it stands for the
    key as well.  None: under that of their format."""
    salt: bytes = field(default=b"", repr=False)
    """SRTP: the master salt, of the suite's length; the key is the master key."""
    key_identifier: bytes = b""
    """SRTP: what each packet carries to name the key (the MKI, RFC 3711 3.1); b"": nothing."""
    control: Crypto | None = None
    """SRTP: another key for RTCP; None: the same."""
    exposed: bool = field(default=False, compare=False)
    """Signalling that is not encrypted told the key: whoever reads that has it as well."""

    @property
    def proves(self) -> bool:
        """Whether each packet proves that its sender has the key."""
        return self.suite not in (Suite.AES_128_CBC, Suite.AES_256_CBC)


@dataclass(frozen=True, slots=True)
class Handshake:
    """How both ends agree on keys where the packets go (DTLS-SRTP, RFC 5764), and whom we believe that he is."""

    begins: bool
    """We begin it: we are the DTLS client."""
    certificate: bytes
    """Ours, DER."""
    private_key: bytes = field(repr=False)
    """Of the certificate; DER, PKCS #8."""
    fingerprints: tuple[tuple[str, bytes], ...]
    """Of the far end's certificate, as signalling told them: the hash's name (``sha-256``), and its value."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One medium in one direction, as both sides agreed it.

    A send and a receive channel with the same ``local`` address share one RTP session.
    """

    kind: Kind
    direction: Direction
    formats: tuple[Format, ...]
    """All that may arrive, or (sending) the one to use first; telephone-event, where agreed, is one of them.
    In a send channel H264 limits are the far end's, in a receive channel ours."""
    local: Address
    """Our RTP socket, reserved in net.ports; its RTCP socket is the next port."""
    remote: Address | None = None
    """Where RTP goes (known also for a receive channel: RTCP receiver reports go to ``remote_rtcp``)."""
    remote_rtcp: Address | None = None
    rtcp_mux: bool = False
    """RTP and RTCP on one port (RFC 5761)."""
    bitrate: int = 0
    """Upper limit, bit/s; 0: none was said."""
    packet_time: float = 0.020
    """Sound in one packet, s (ptime)."""
    feedback: frozenset[Feedback] = frozenset()
    """What the far end understands (send: asks of us; receive: may be asked)."""
    retransmission: int | None = None
    """Payload type under which packets of the format go again (RFC 4588); None: as they were."""
    crypto: Crypto | None = None
    """None: packets travel in the clear."""
    return_crypto: Crypto | None = None
    """SRTP: what packets against the channel's direction are encrypted with.  There is RTCP at least, and where the
    other direction has a channel, this is its ``crypto``."""
    handshake: Handshake | None = None
    """Keys are agreed by it; nothing flows before.  Then ``crypto`` and ``return_crypto`` are what came of it, or None
    as long as nobody told."""
    ice: Ice | None = None
    """Packets go by the pair of addresses that ICE finds; ``remote`` and ``remote_rtcp`` are what the far end named for
    those who know no ICE.  A send and a receive channel of one ``local`` have the same."""
    others: tuple[Address, ...] = ()
    """More addresses of ours that ICE may choose, reserved as ``local`` is, each with its RTCP at the next port."""
    moved_from: Address | None = None
    """What ``local`` was before, where ICE was restarted: the RTP session and its keys are the same, the sockets are
    not."""

    @property
    def codec(self) -> Codec:
        """The codec to use: the first that is a medium by itself."""
        return self.format.codec

    @property
    def format(self) -> Format:
        """The format to use: the first that is a medium by itself."""
        return next(f for f in self.formats if f.codec.name != TELEPHONE_EVENT.name)

    @property
    def telephone_event(self) -> Format | None:
        """The format of named telephone events (RFC 4733), where agreed."""
        return next((f for f in self.formats if f.codec.name == TELEPHONE_EVENT.name), None)
