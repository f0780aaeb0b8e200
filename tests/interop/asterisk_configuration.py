"""The files that tell an Asterisk what to be: SIP twice, H.323, and extensions for a test to call.

Rule: everything listens on one address alone, and every path is in the test's folder, so that many run side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from certificates import Authority

MANAGER_PORT = 5038
PORTS = {"PJSIP": 5060, "SIP": 5070, "OOH323": 1720}
"""Where each of its channel technologies listens: two independent SIP stacks, and H.323."""
DEAF_PORT = 9
"""Nobody listens there."""
EXTENSIONS = {"tone": "100", "echo": "101", "busy": "102", "ring": "103", "silence": "104", "early": "105"}
"""What may be called, by name, and by a number that is the same."""
RECORDED_RATE = 16_000
MODULES = """
    res_timing_timerfd res_crypto res_srtp res_rtp_asterisk pbx_config app_echo app_mixmonitor app_playback app_senddtmf
    app_dial bridge_simple codec_alaw codec_g722 codec_resample codec_ulaw format_wav
    res_format_attr_h264 res_sorcery_config res_sorcery_memory res_sorcery_astdb res_pjproject
    res_pjsip res_pjsip_session res_pjsip_pubsub res_pjsip_sdp_rtp res_pjsip_dtmf_info
    app_transfer res_pjsip_refer res_pjsip_registrar res_pjsip_authenticator_digest res_pjsip_endpoint_identifier_user
    res_pjsip_endpoint_identifier_anonymous chan_pjsip res_http_websocket chan_sip chan_ooh323
"""


@dataclass(frozen=True)
class Settings:
    """What a test may want different.

    The dialplan is the same for all: ``tone`` answers and plays the tone, ``echo`` answers and sends back what it
    hears, ``silence`` answers and says nothing, ``busy`` is busy, ``ring`` rings for ever, and ``early`` plays the tone
    without answering.  Whoever is answered is recorded.  ``pass-SIP`` answers and passes on (REFER), ``move-SIP`` says
    who is to be called instead (302), and ``through-SIP`` calls and joins the two; and so with PJSIP.
    """

    codecs: tuple[str, ...] = ("ulaw",)
    """In order of preference, in its names: ``ulaw``, ``alaw``, ``g722`` (not by H.323)."""
    peer: str = ""
    """The IP address that H.323 calls come from and go to: it knows no other."""
    fast_start: bool = True
    tunnelling: bool = True
    digits: str = "rfc2833"
    """How it sends and expects digits: by SIP also ``info``; by H.323 ``h245alphanumeric``, ``h245signal``,
    ``q931keypad``."""
    gatekeeper: str = ""
    """The IP address of the gatekeeper that it registers with, as ``asterisk`` and by the number of ``tone``."""
    encryption: str = ""
    """What it wants of SIP calls: ``sdes``, ``dtls``, or nothing."""
    ice: bool = False
    """It looks for ways by ICE, in calls by PJSIP; its own addresses are those of the machine's interfaces."""
    users: tuple[tuple[str, str], ...] = ()
    """Names and passwords of those who may register, at either SIP stack."""
    pjsip: tuple[str, ...] = ()
    """More lines for those who call by PJSIP."""
    sip: tuple[str, ...] = ()
    """More lines for chan_sip."""
    passes_to: str = ""
    """To whom ``pass``, ``move`` and ``through`` lead who calls them: ``user@host:port``."""


def write(folder: Path, root: Path, address: str, settings: Settings) -> None:
    """Write all files into *folder*, for the Asterisk that is unpacked in *root*."""
    files = {
        "asterisk": _asterisk(folder, root),
        "modules": "[modules]\nautoload=no\n" + "".join(f"load={name}.so\n" for name in MODULES.split()),
        "logger": "[general]\ndateformat=%T.%3q\n[logfiles]\nfull => notice,warning,error,verbose(4),dtmf\n",
        "manager": f"[general]\nenabled=yes\nbindaddr={address}\nport={MANAGER_PORT}\n"
        "[test]\nsecret=test\nread=all\nwrite=all\n",
        "rtp": f"[general]\nrtpstart=10000\nrtpend=19999\nicesupport={_yes(settings.ice)}\n",
        "pjsip": _pjsip(address, settings),
        "sip": _sip(folder, address, settings),
        "ooh323": _ooh323(address, settings),
        "extensions": _extensions(folder, settings.passes_to),
    }
    for name, text in files.items():
        (folder / f"{name}.conf").write_text(text)


def _asterisk(folder: Path, root: Path) -> str:
    here = ("cache", "varlib", "db", "key", "agi", "spool", "run", "log")  # short: a socket's path has 107 octets
    return (
        "[directories]\n"
        + "".join(f"ast{name}dir => .\n" for name in here)
        + f"astetcdir => {folder}\nastsbindir => {root}/usr/sbin\n"
        + f"astmoddir => {root}/usr/lib/asterisk/modules\nastdatadir => {root}/usr/share/asterisk\n"
        + "[options]\nnocolor = yes\n"
    )


def _pjsip(address: str, settings: Settings) -> str:
    transports = "".join(
        f"[{protocol}]\ntype=transport\nprotocol={protocol}\nbind={address}:{PORTS['PJSIP']}\n"
        for protocol in ("udp", "tcp")
    )
    endpoint = (
        f"type=endpoint\ncontext=test\ndisallow=all\nallow={','.join(settings.codecs)}\n"
        f"media_address={address}\nbind_rtp_to_media_address=yes\nice_support={_yes(settings.ice)}\n"
        f"dtmf_mode={'info' if settings.digits == 'info' else 'rfc4733'}\n"
        + "".join(f"{line}\n" for line in settings.pjsip)
        + {
            "": "",
            "sdes": "media_encryption=sdes\n",
            "dtls": "media_encryption=dtls\ndtls_auto_generate_cert=yes\ndtls_setup=actpass\nrtcp_mux=yes\n",
        }[settings.encryption]
    )
    users = "".join(
        f"[{user}]\n{endpoint}auth={user}\naors={user}\n"
        f"[{user}]\ntype=auth\nauth_type=userpass\nusername={user}\npassword={password}\n"
        f"[{user}]\ntype=aor\nmax_contacts=1\nminimum_expiration=60\n"
        for user, password in settings.users
    )
    return f"{transports}[anonymous]\n{endpoint}{users}"


def _sip(folder: Path, address: str, settings: Settings) -> str:
    where = f"{address}:{PORTS['SIP']}"
    dtls = (
        "encryption=yes\navpf=yes\nrtcp_mux=yes\ndtlsenable=yes\ndtlsverify=no\ndtlssetup=actpass\n"
        f"dtlscertfile={Authority(folder / 'dtls').issue().both}\n"
    )
    return (
        f"[general]\ncontext=test\nallowguest=yes\nudpbindaddr={where}\ntcpenable=yes\ntcpbindaddr={where}\n"
        f"dtmfmode={'info' if settings.digits == 'info' else 'rfc2833'}\n"
        f"disallow=all\nallow={','.join(settings.codecs)}\n"
        + {"": "", "sdes": "encryption=yes\n", "dtls": dtls}[settings.encryption]
        + "".join(f"{line}\n" for line in settings.sip)
        + "".join(
            f"[{user}]\ntype=friend\nhost=dynamic\nsecret={password}\ncontext=test\ntransport=udp,tcp\n"
            for user, password in settings.users
        )
    )


def _ooh323(address: str, settings: Settings) -> str:
    each = (
        f"context=test\nfaststart={_yes(settings.fast_start)}\nh245tunneling={_yes(settings.tunnelling)}\n"
        f"dtmfmode={settings.digits}\nfaxdetect=no\nt38support=no\ndisallow=all\n"
        f"allow={','.join(codec for codec in settings.codecs if codec != 'g722') or 'ulaw'}\n"
    )
    # With a higher trace level, ooh323 overflows its buffer when it prints a Diffie-Hellman half key.
    general = (
        f"[general]\nbindaddr={address}\nport={PORTS['OOH323']}\nh323id=asterisk\ncallerid=asterisk\n"
        f"e164={EXTENSIONS['tone']}\ngatekeeper={settings.gatekeeper or 'DISABLE'}\n"
        f"logfile=h323_log\ntracelevel=4\n{each}"
    )
    peers = {"peer": (settings.peer, PORTS["OOH323"]), "nowhere": (address, DEAF_PORT)} if settings.peer else {}
    return general + "".join(
        f"[{name}]\ntype=friend\nip={ip}\nport={port}\n{each}" for name, (ip, port) in peers.items()
    )


def _extensions(folder: Path, passes_to: str) -> str:
    record = f"MixMonitor({folder}/both-${{UNIQUEID}}.wav16,r({folder}/heard-${{UNIQUEID}}.wav16))"
    steps = {
        "tone": ["Answer()", record, f"Playback({folder}/tone)", "Goto(3)"],
        "echo": ["Answer()", record, "Echo()"],
        "silence": ["Answer()", record, "Wait(3600)"],
        "busy": ["Busy()"],
        "ring": ["Ringing()", "Wait(3600)"],
        "early": ["Progress()", f"Playback({folder}/tone,noanswer)", "Goto(2)"],
    }
    steps |= {"through-PJSIP": [f"Dial(PJSIP/anonymous/sip:{passes_to})"], "through-SIP": [f"Dial(SIP/{passes_to})"]}
    for technology, destination in (("PJSIP", f"PJSIP/sip:{passes_to}"), ("SIP", f"SIP/{passes_to}")):
        does_pass = f"Transfer({destination})"
        steps[f"pass-{technology}"] = ["Answer()", "Wait(1)", does_pass, "Wait(5)"]
        steps[f"move-{technology}"] = [does_pass, "Wait(5)"]
    lines = [
        f"exten => {extension},{priority},{step}"
        for name, does in steps.items()
        for extension in {name, EXTENSIONS.get(name, name)}
        for priority, step in enumerate(does, 1)
    ]
    return "\n".join(["[test]", *lines]) + "\n"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
