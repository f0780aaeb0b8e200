"""The project's bytecode, made outside: an emulated machine is twenty times slower at that.

It is the machine's own Python that compiles, taken out of the image: the version has to be the same, and of the project
the machine sees what is in its folders, ``__pycache__`` with it.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from hil.image import PYTHON, ROOT, Image

_LIBRARIES = "usr/lib/*-linux-gnu"
_NEEDED = (
    *(f"usr/bin/python{PYTHON}", f"usr/lib/python{PYTHON}"),
    *(f"{_LIBRARIES}/{name}" for name in ("ld-linux-*", "libc.so*", "libm.so*", "libz.so*", "libexpat.so*")),
)
_FOLDERS = ("firmware", "board")
_FLAT_FOLDERS = ("tests", "tests/hil", "tests/interop")
"""Without the folders below them."""


def compile_project(image: Image) -> None:
    """Compile what the machine's Python will import."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        subprocess.run(
            ["unsquashfs", "-q", "-n", "-d", root, image.root, *_NEEDED], stdout=subprocess.DEVNULL, check=True
        )
        (loader,) = root.glob(f"{_LIBRARIES}/ld-linux-*")
        python = [loader, "--library-path", loader.parent, root / f"usr/bin/python{PYTHON}", "-m", "compileall", "-q"]
        for words in (_FOLDERS, ("-l", *_FLAT_FOLDERS)):
            subprocess.run([*python, *words], cwd=ROOT, env={"PYTHONHOME": str(root / "usr")}, check=True)
