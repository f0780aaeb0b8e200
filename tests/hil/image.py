"""The bench's root file system, kernel and modules: made once for every change of what they are made from.

Debian 13 by mmdebstrap, whatever Debian the bench runs on, with the unit's own locked dependencies and with the kernel
modules that Debian does not build.  No step needs to be root.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = ROOT / "tests" / "hil"
CACHE = ROOT / "build" / "hil"

SUITE = "trixie"
PYTHON = "3.13"
"""Of this suite."""
PACKAGES = (
    *("linux-image-amd64", "linux-headers-amd64", "linux-source-6.12", "gcc", "make", "libc6-dev"),
    *("python3", "python3-dev", "python3-pip", "python3-setuptools", "python3-wheel", "swig", "libasound2-dev"),
    *("python3-pytest", "python3-pytest-timeout"),
    *("kmod", "udev", "busybox-static", "xz-utils", "cpio", "iproute2", "procps"),
    *("alsa-utils", "v4l-utils", "libdrm2", "libopus0", "fonts-dejavu-core"),
    *("python3-libcamera", "libcamera-ipa", "libcamera-dev", "g++", "python3-numpy", "python3-prctl"),
)
SOURCES_ONLY = ("lgpio==0.2.2.0", "pyalsaaudio==0.11.0", "PiDNG==4.0.9")
"""Of PyPI, built in the root: there is no wheel for its Python."""
CAMERA = ("picamera2==0.3.38", "simplejpeg==1.9.0", "videodev2==0.0.4", "piexif==1.1.3")
"""Of PyPI: what a Pi has from its distribution, Debian hasn't."""
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "any")


@dataclass(frozen=True, slots=True)
class Image:
    """Where the parts of the machine are."""

    root: Path
    kernel: Path
    initramfs: Path


def image() -> Image:
    """The image of what the project is now; made where it is not there yet, in a few minutes."""
    folder = CACHE / _version()
    made = Image(folder / "root.squashfs", folder / "hil" / "kernel", folder / "hil" / "initramfs")
    if not made.root.exists():
        if CACHE.exists():
            shutil.rmtree(CACHE)
        folder.mkdir(parents=True)
        _make(folder)
    return made


def _version() -> str:
    """A name for all that the image is made of."""
    digest = hashlib.sha256(repr((SUITE, PYTHON, PACKAGES, SOURCES_ONLY, CAMERA)).encode())
    parts = (HERE / "machine" / name for name in ("build", "initramfs", "isp.cc", "pykms.py"))
    files = [ROOT / "requirements.txt", *parts]
    for path in [*files, *sorted((HERE / "modules").glob("[!_]*"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _make(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        parts = Path(name) / "hil"
        parts.mkdir()
        print("Fetching what the unit needs of PyPI", flush=True)
        _download(parts / "wheels")
        shutil.copy(ROOT / "requirements.txt", parts)
        ignored = shutil.ignore_patterns("__pycache__")
        for part in ("machine", "modules"):
            shutil.copytree(HERE / part, parts / part, ignore=ignored)
        print(f"Making the root: Debian {SUITE}, kernel modules", flush=True)
        _bootstrap(parts, folder)


def _download(wheels: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--dest", str(wheels)]
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    binary = ["--only-binary=:all:", "--python-version", PYTHON, *platforms]
    _run([*pip, *binary, "--require-hashes", "--requirement", str(ROOT / "requirements.txt")])
    _run([*pip, *binary, "--no-deps", *CAMERA])
    _run([*pip, "--no-deps", "--no-binary=:all:", *SOURCES_ONLY])


def _bootstrap(parts: Path, folder: Path) -> None:
    """Make the root in mmdebstrap's temporary folder, and of it a file system in one file."""
    hook = "etc/initramfs-tools"
    no_initramfs = f'mkdir -p "$1/{hook}"; echo update_initramfs=no >"$1/{hook}/update-initramfs.conf"'
    thin = 'cd "$1" && rm -rf hil boot/* usr/src usr/include usr/lib/gcc usr/libexec/gcc usr/share/swig*'
    bootstrap = [
        *("mmdebstrap", "--variant=minbase", "--quiet", f"--include={','.join(PACKAGES)}"),
        "--dpkgopt=force-confold",
        *(f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale")),
        f"--essential-hook={no_initramfs}",
        f"--customize-hook=copy-in {parts} /",
        '--customize-hook=chroot "$1" sh -c "cd /hil && sh machine/build"',
        f"--customize-hook=copy-out /boot/hil {folder}",
        f"--customize-hook={thin}",
        *(SUITE, "-"),
    ]
    unfinished = folder / "unfinished"
    squash = ["sqfstar", "-quiet", "-no-progress", "-no-xattrs", "-comp", "lz4", str(unfinished)]
    with subprocess.Popen(bootstrap, stdout=subprocess.PIPE) as debian:
        try:
            subprocess.run(squash, stdin=debian.stdout, stdout=subprocess.DEVNULL, check=True)
        except subprocess.CalledProcessError as error:
            sys.exit(f"the root can't be packed: {error}")
    if debian.returncode:
        sys.exit(f"mmdebstrap failed ({debian.returncode})")
    unfinished.replace(folder / "root.squashfs")


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"failed: {' '.join(command)}")


if __name__ == "__main__":
    image()
