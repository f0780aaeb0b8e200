"""Kamailio as a registrar and proxy: it knows users by their passwords, keeps who is registered, and relays calls.

Its users are in its memory only (htable), so that it needs no database.  Requests of its own domain are challenged,
and so are REGISTERs.  It keeps to RFC 5626 (outbound): what is for a user goes by the flow that the user registered on.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from interop.namespaces import Namespace, entered, inside
from interop.ports import own_address
from interop.process import end
from interop.waiting import until

MODULE_FOLDERS = ("/usr/lib/*/kamailio/modules", "/usr/lib/kamailio/modules", "/usr/local/lib*/kamailio/modules")
PORT, TLS_PORT = 5060, 5061

MODULES = (
    *("kex", "tm", "tmx", "sl", "rr", "pv", "maxfwd", "usrloc", "registrar", "textops", "siputils", "xlog", "auth"),
    *("htable", "stun", "outbound", "tls"),
)

CONFIGURATION = """#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
socket_workers=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
tcp_crlf_ping=yes
{listen}
mpath="{modules}"
{load}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", {expires})
modparam("registrar", "outbound_mode", 1)
modparam("registrar", "flow_timer", 60)
modparam("rr", "enable_full_lr", 1)
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "nonce_expire", {nonce_life})
modparam("auth", "qop", "{qop}")
modparam("htable", "htable", "users=>size=4;")
{tls}

event_route[htable:mod-init] {{
{users}
}}

request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    {nat_all}
    if (has_totag()) {{
        if (loose_route()) {{
            {nat_dialog}
            t_relay();
        }} else if (is_method("ACK")) {{
            if (t_check_trans()) t_relay();
        }} else {{
            sl_send_reply("404", "Not here");
        }}
        exit;
    }}
    t_check_trans();
    remove_hf("Route");
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("$td", "$sht(users=>$au)", "0")) {{
            www_challenge("$td", "{challenge}");
            exit;
        }}
        {nat_register}
        if (!save("location")) sl_reply_error();
        exit;
    }}
    if ($fd == "{domain}") {{
        if (!pv_proxy_authenticate("$fd", "$sht(users=>$au)", "0")) {{
            proxy_challenge("$fd", "{challenge}");
            exit;
        }}
        consume_credentials();
    }}
    record_route();
    if (!lookup("location")) {{
        sl_send_reply("404", "Not Found");
        exit;
    }}
    t_relay();
}}

{nat_reply}
"""

NAT_MODULE = """
loadmodule "nathelper.so"
modparam("nathelper|registrar", "received_avp", "$avp(received)")"""
NAT = {
    "nat_all": 'if (!is_method("REGISTER")) { set_contact_alias(); t_on_reply("nat"); }',
    "nat_dialog": "handle_ruri_alias();",
    "nat_register": "fix_nated_register();",
    "nat_reply": "onreply_route[nat] { set_contact_alias(); }",
}
"""What users behind NATs need: each is reached where its messages come from."""


@dataclass
class Kamailio:
    """One Kamailio.  Use as a context manager: inside, it takes registrations."""

    program: str
    folder: Path
    users: Mapping[str, str] = field(default_factory=lambda: {"alice": "secret", "bob": "word"})
    """Passwords by name."""
    algorithm: str = "MD5"
    """``MD5`` or ``SHA-256``."""
    qop: str = "auth"
    """``auth``; "": none, as a server of RFC 2069.  (Its ``auth-int`` is of no use: it never hashes the body.)"""
    nonce_life: int = 300
    """s."""
    expires: int = 600
    """s that it registers somebody for at most."""
    certificate: Path | None = None
    """Where its certificate and key are, for TLS (PEM)."""
    domain: str = ""
    """What its users' addresses end in; "": its address."""
    address: str = field(default_factory=own_address)
    port: int = PORT
    namespace: Namespace | None = None
    nat: bool = False
    """Its users are behind NATs."""

    def __enter__(self) -> Kamailio:
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "kamailio.cfg"
        configuration.write_text(self._configuration())
        self._log = (self.folder / "log").open("wb")
        # -DD: stays where its parent can end it; -Y: its files are in the folder.
        arguments = [self.program, "-f", str(configuration), "-DD", "-E", "-Y", str(self.folder), "-m", "16", "-M", "4"]
        self.process = subprocess.Popen(
            inside(self.namespace, arguments),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        if not until(lambda: self.process.poll() is not None or self._listens()):
            self.stop()
            raise AssertionError(f"Kamailio does not listen:\n{self.log()[-4000:]}")
        if self.process.poll() is not None:
            raise AssertionError(f"Kamailio ended with status {self.process.returncode}:\n{self.log()[-4000:]}")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it and its children."""
        end(self.process, 10)
        self._log.close()

    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "log").read_text(errors="replace")

    def account(self, user: str, **settings: object) -> dict[str, object]:
        """The settings of an account here."""
        return {"address": f"{user}@{self.domain or self.address}", "password": self.users.get(user, ""), **settings}

    def _listens(self) -> bool:
        with entered(self.namespace), socket.socket() as probe:
            return probe.connect_ex((self.address, TLS_PORT if self.certificate else self.port)) == 0

    def _configuration(self) -> str:
        listen = [f"listen=udp:{self.address}:{self.port}", f"listen=tcp:{self.address}:{self.port}"]
        modules = [name for name in MODULES if name != "tls" or self.certificate is not None]
        tls = ""
        if self.certificate is not None:
            listen += [f"listen=tls:{self.address}:{TLS_PORT}", "enable_tls=yes"]
            tls = f'modparam("tls", "certificate", "{self.certificate}")\n'
            tls += f'modparam("tls", "private_key", "{self.certificate}")\nmodparam("tls", "tls_method", "TLSv1.2+")'
        folders = [str(found) for pattern in MODULE_FOLDERS for found in Path("/").glob(pattern[1:])]
        return CONFIGURATION.format(
            listen="\n".join(listen),
            modules=":".join(folders),
            load="\n".join(f'loadmodule "{name}.so"' for name in modules) + (NAT_MODULE if self.nat else ""),
            expires=self.expires,
            algorithm=self.algorithm,
            nonce_life=self.nonce_life,
            qop=self.qop or "auth",
            challenge=1 if self.qop else 0,
            users="\n".join(f'    $sht(users=>{user}) = "{word}";' for user, word in self.users.items()),
            domain=self.domain or self.address,
            tls=tls,
            **(NAT if self.nat else dict.fromkeys(NAT, "")),
        )
