"""Asterisk 16 and its H.323, which no later Debian has: fetched from Debian 11, unpacked in a folder, never installed.

Rule 1: nothing of the system is changed, and no root is needed: apt, with lists and a cache of its own, finds the
packages with all that they depend on, down to the C library, and verifies them; dpkg-deb only unpacks them.
Rule 2: Debian 11 is asked of the mirrors, and through the proxies, that apt is configured with; one that isn't a Debian
mirror signs nothing that the Debian archive's keys verify.
Rule 3: the folder is there whole or not at all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

RELEASE = "bullseye"
PACKAGES = ("asterisk", "asterisk-ooh323")
FOLDER = Path(__file__).parents[2] / "build" / f"asterisk-{RELEASE}"
"""Where `make test` unpacks it."""
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
UNUSED = ("usr/share/doc", "usr/share/locale", "usr/share/man", "usr/share/perl", "usr/share/zoneinfo")
APT_TIME = 300.0
"""How long one run of apt may take, s."""


class UnavailableError(Exception):
    """Asterisk can't be had on this machine; says why."""


def mirrors(uris: Iterable[str]) -> list[str]:
    """Find the archives to ask for another release, in the lines of ``apt-get update --print-uris``."""
    found = (re.match(r"'(\S+)/dists/[^/-]+/InRelease' ", line) for line in uris)
    return list(dict.fromkeys(match[1] for match in found if match))


def install(folder: Path) -> None:
    """Unpack Asterisk and all that it needs into *folder*.  UnavailableError: it can't be had."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        root = Path(scratch) / "root"
        for package in download(Path(scratch) / "apt"):
            _run("dpkg-deb", "--extract", str(package), str(root))
        for unused in UNUSED:
            shutil.rmtree(root / unused, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        root.rename(folder)


def download(folder: Path) -> list[Path]:
    """Fetch the packages into *folder*, from the first mirror that has the release."""
    reasons = []
    for mirror in mirrors(_run("apt-get", "update", "--print-uris").splitlines()):
        shutil.rmtree(folder, ignore_errors=True)
        for needed in ("lists/partial", "archives/partial"):
            (folder / needed).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {RELEASE} main\n")
        options = _apt_options(folder)
        try:
            _run("apt-get", *options, "update")
            _run("apt-get", *options, "install", "--yes", "--download-only", "--no-install-recommends", *PACKAGES)
        except UnavailableError as error:
            reasons.append(str(error))
            continue
        return sorted((folder / "archives").glob("*.deb"))
    raise UnavailableError("\n".join(reasons) or "apt is configured with no mirror that could have it")


def _apt_options(folder: Path) -> list[str]:
    settings = {
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": folder,
        "Dir::State::Lists": folder / "lists",
        "Dir::State::Status": folder / "status",  # empty: as if nothing were installed
        "Dir::Cache": folder,
        "Dir::Cache::Archives": folder / "archives",
        "APT::Sandbox::User": "root",  # apt's own user may not look into this folder
        "APT::Update::Error-Mode": "any",
        "APT::Keep-Downloaded-Packages": "true",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
    }
    return ["-qq", *(f"--option={name}={value}" for name, value in settings.items())]


def _run(*command: str) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=APT_TIME, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{command[0]}: {error}") from None
    if done.returncode:
        raise UnavailableError(f"{command[0]}: {done.stderr.strip() or f'ended with {done.returncode}'}")
    return done.stdout


def main() -> None:
    """Have Asterisk in FOLDER, or say why not: the tests that want it will say so too."""
    if FOLDER.exists():
        return
    print("Fetching Asterisk 16 from Debian 11")
    try:
        install(FOLDER)
    except UnavailableError as error:
        print(f"There will be no Asterisk: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
