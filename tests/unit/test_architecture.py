"""The dependency rules, the sizes and the borders of the code, read from its syntax trees.

An import counts wherever it stands: in a function, under ``if TYPE_CHECKING`` (to name a layer's types is to know that
layer), relative, or by ``importlib``.  A name of a module that is computed can't be checked, so it is forbidden.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAYERS = (
    {"__main__"},
    {"command"},
    {"ui", "web"},
    {"room"},
    {"signaling", "media"},
    {"net"},
    {"sip", "sdp", "h323", "rtp", "ice", "bfcp", "h224"},
    {"asn1"},
    {"call", "ports", "config", "directory", "calendar", "health"},
    {"sansio"},
    {"errors"},
)
"""Parts of `firmware`, highest first; a part imports from lower lines only, never from its own line."""
DEPTH = {part: depth for depth, parts in enumerate(LAYERS) for part in parts}

PROTOCOLS = {"sip", "sdp", "h323", "bfcp", "signaling"}
PROTOCOL_NEUTRAL = {"room", "ui", "web", "media", "net", "call"}
"""Parts that never know which protocol a call uses."""

PURE = {"sip", "sdp", "h323", "rtp", "ice", "bfcp", "h224", "asn1", "call", "sansio", "errors"}
"""Parts that do no I/O and read no clock."""
IMPURE_MODULES = {
    *("asyncio", "socket", "ssl", "select", "selectors", "threading", "concurrent", "multiprocessing", "subprocess"),
    *("time", "signal", "av", "opuslib_next", "PIL", "uvloop", "aiohttp"),
}

BOARD_MAY_IMPORT = {"firmware.ports", "firmware.errors"}

CATCH_ALL: dict[str, str] = {
    "board/pi/camera_encoder.py": "a media thread: an encoder that fails is replaced, and its camera goes on",
    "board/pi/camera_output.py": "a media thread: nobody waits for a camera whose thread has ended",
    "firmware/media/border.py": "a media thread that fails stops one channel or one device, not the process",
    "firmware/net/driver.py": "a core that fails loses the flow, not the process",
    "firmware/room/room.py": "a listener that fails does not keep the others from hearing",
}
"""The borders where ``except Exception`` may stand, and what they protect."""

MAX_LINES = 500


def modules() -> list[Path]:
    return sorted(path for package in ("firmware", "board") for path in (ROOT / package).rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# Imports


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Give the dotted name of all that is imported anywhere; "?" for one that is computed.

    ``from a import b`` gives ``a.b``: *b* may be a module.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                yield from (".".join([*above, *filter(None, [module]), alias.name]) for alias in names)
            case ast.Call(
                func=ast.Attribute(attr="import_module" | "__import__") | ast.Name(id="import_module" | "__import__"),
                args=arguments,
            ):
                match arguments:
                    case [ast.Constant(value=str(name))]:
                        yield name
                    case _:
                        yield "?"


def violations(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """Give what is wrong with the imports of a module, in words."""
    package = module if is_package else module.rpartition(".")[0]
    found = [wrong for name in imported(ast.parse(source), package) if (wrong := objection(module, name))]
    return list(dict.fromkeys(found))


def objection(module: str, name: str) -> str:
    """Say what is wrong with this import in this module; "" when nothing is."""
    here, target = module.split("."), name.split(".")
    if name == "?":
        return f"{module} imports a module by a computed name"
    if here[0] == "board":
        return board_objection(module, name)
    part = here[1] if len(here) > 1 else ""
    if target[0] == "board":
        return "" if part == "__main__" else f"{module} imports {name}: only __main__ knows the board"
    if target[0] == "firmware":
        return part_objection(module, part, target)
    if part in PURE and target[0] in IMPURE_MODULES:
        return f"{module} imports {name}: {part} does no I/O and reads no clock"
    return ""


def board_objection(module: str, name: str) -> str:
    if name.split(".")[0] != "firmware" or any(f"{name}.".startswith(f"{allowed}.") for allowed in BOARD_MAY_IMPORT):
        return ""
    return f"{module} imports {name}: the board knows {', '.join(sorted(BOARD_MAY_IMPORT))} only"


def part_objection(module: str, part: str, target: list[str]) -> str:
    name = ".".join(target)
    if len(target) == 1 or target[1] not in DEPTH:
        return f"{module} imports {name}, which is no part of the firmware"
    if target[1] == part:
        return ""
    if part in PROTOCOL_NEUTRAL and target[1] in PROTOCOLS:
        return f"{module} imports {name}: {part} never knows which protocol a call uses"
    if part not in DEPTH or DEPTH[target[1]] <= DEPTH[part]:
        return f"{module} imports {name}: imports go downwards only"
    return ""


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_imports(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert violations(dotted(path), source, is_package=path.name == "__init__.py") == []


def test_every_part_has_a_layer() -> None:
    parts = {dotted(path).split(".")[1] for path in modules() if dotted(path).startswith("firmware.")}
    assert parts <= set(DEPTH), "give it a line in LAYERS"


FORBIDDEN = {
    "import": ("firmware.call.call", "import firmware.sip"),
    "import a module of the part": ("firmware.call.call", "import firmware.sip.uri as uri"),
    "from the part": ("firmware.call.call", "from firmware.sip import uri"),
    "from a module of the part": ("firmware.call.call", "from firmware.sip.uri import Uri"),
    "from the package": ("firmware.room.room", "from firmware import sip"),
    "everything from the package": ("firmware.room.room", "from firmware import *"),
    "the package itself": ("firmware.room.room", "import firmware"),
    "relative": ("firmware.room.room", "from ..sip import uri"),
    "relative, a part": ("firmware.room.room", "from .. import sip"),
    "relative from a module of the root": ("firmware.config", "from .room import Room"),
    "in a function": ("firmware.room.room", "def f():\n    from firmware.sip import uri"),
    "in a method of a class": ("firmware.room.room", "class A:\n    def f(self):\n        import firmware.sip"),
    "under TYPE_CHECKING": ("firmware.room.room", "if TYPE_CHECKING:\n    from firmware.sip.uri import Uri"),
    "in a try": ("firmware.room.room", "try:\n    import firmware.sip\nexcept ImportError:\n    pass"),
    "by importlib": ("firmware.room.room", "import importlib\nimportlib.import_module('firmware.sip')"),
    "by import_module": ("firmware.room.room", "from importlib import import_module\nimport_module('firmware.sip')"),
    "by __import__": ("firmware.room.room", "__import__('firmware.sip')"),
    "by a computed name": ("firmware.room.room", "importlib.import_module('firm' + 'ware.sip')"),
    "by a relative name": ("firmware.room.room", "importlib.import_module('..sip', 'firmware.room')"),
    "after another on one line": ("firmware.room.room", "import json, firmware.sip"),
    "upwards": ("firmware.media.engine", "from firmware.room import Room"),
    "upwards from a protocol": ("firmware.sip.uri", "from firmware.net.driver import Driver"),
    "a sibling": ("firmware.ui.screen", "from firmware.web.api import routes"),
    "a sibling protocol": ("firmware.sip.invite", "from firmware.sdp import parse"),
    "a protocol in media": ("firmware.media.worker", "from firmware.sdp import parse"),
    "signaling in the room": ("firmware.room.room", "from firmware.signaling.sip import SipEndpoint"),
    "the command line": ("firmware.room.room", "from firmware.__main__ import main"),
    "the board": ("firmware.media.worker", "from board import open_board"),
    "the board's part": ("firmware.ui.lamps", "import board.gpio"),
    "an unknown part": ("firmware.room.room", "from firmware.helpers import anything"),
    "the board imports too much": ("board.sim.camera", "from firmware.media.message import Ready"),
    "the board imports by name": ("board.sim.camera", "from firmware import config"),
    "the board imports all": ("board.sim.camera", "import firmware"),
    "the board looks alike": ("board.sim.camera", "import firmware.portsmith"),
    "the errors import": ("firmware.errors", "from firmware.sansio import Flow"),
    **{
        f"{name} in a pure part": ("firmware.rtp.session", f"def f():\n    import {name}")
        for name in sorted(IMPURE_MODULES)
    },
    "from time": ("firmware.sip.transaction", "from time import monotonic"),
    "a module of a package": ("firmware.sip.transaction", "import concurrent.futures"),
    "a clock in call": ("firmware.call.call", "import time"),
}


@pytest.mark.parametrize(("module", "source"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_forbidden_import_is_found(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1


def test_forbidden_import_is_found_in_a_package() -> None:
    assert violations("firmware.room", "from ..sip import uri", is_package=True)
    assert violations("firmware.room", "from .line import Line", is_package=True) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("firmware.__main__", "from board import open_board\nfrom firmware.signaling.sip import SipEndpoint"),
        ("firmware.signaling.sip", "from firmware.sip.user_agent import UserAgent\nimport asyncio"),
        ("firmware.media.worker", "from firmware.rtp.session import Session\nimport threading, time, av"),
        (
            "firmware.sip.invite",
            "from . import dialog\nfrom .message import parse\nfrom firmware.errors import DecodeError",
        ),
        ("firmware.call.media", "from firmware.sansio import Address\nimport random, dataclasses"),
        ("board.sim.camera", "import time, av\nfrom firmware.ports import Camera\nfrom firmware import errors"),
        ("board.gpio", "from board.sim import card\nimport gpiozero"),
    ],
)
def test_allowed_import_is_left_alone(module: str, source: str) -> None:
    assert violations(module, source) == []


# Sizes, tests, borders


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_length(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES, "two concepts? make two modules"


def has_code(path: Path) -> bool:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, kinds) for node in ast.parse(path.read_text(encoding="utf-8")).body)


def unit_test(path: Path) -> Path:
    """Where the test of a module stands: ``firmware/sip/uri.py`` -> ``sip/test_uri.py``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[-1] == "__init__":
        parts = (*parts[:-1], parts[-2])
    folders = parts[:-1] if parts[0] == "board" else parts[1:-1]
    return Path(*folders, f"test_{parts[-1].strip('_')}.py")


@pytest.mark.parametrize(
    "path", [path for path in modules() if has_code(path) or path.name != "__init__.py"], ids=dotted
)
def test_module_has_its_unit_test(path: Path) -> None:
    test = ROOT / "tests" / "unit" / unit_test(path)
    assert test.is_file(), f"{path.relative_to(ROOT)} wants {test.relative_to(ROOT)}"
    assert "def test_" in test.read_text(encoding="utf-8")


def test_unit_test_has_its_module() -> None:
    wanted = {unit_test(path) for path in modules()} | {Path("test_architecture.py")}
    there = {path.relative_to(ROOT / "tests" / "unit") for path in (ROOT / "tests" / "unit").rglob("test_*.py")}
    assert there <= wanted


def catches_all(source: str) -> bool:
    """Whether a source catches, or suppresses, every exception."""
    everything = {"Exception", "BaseException"}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ExceptHandler(type=None):
                return True
            case ast.ExceptHandler(type=caught) if everything & {
                n.id for n in ast.walk(caught) if isinstance(n, ast.Name)
            }:
                return True
            case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=arguments):
                if everything & {argument.id for argument in arguments if isinstance(argument, ast.Name)}:
                    return True
    return False


def test_everything_is_caught_at_the_borders_only() -> None:
    catching = {str(path.relative_to(ROOT)) for path in modules() if catches_all(path.read_text(encoding="utf-8"))}
    assert catching <= set(CATCH_ALL)


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept:\n    pass",
        "try:\n    f()\nexcept (OSError, BaseException) as error:\n    pass",
        "with contextlib.suppress(Exception):\n    f()",
        "with suppress(ValueError, Exception):\n    f()",
    ],
)
def test_catching_everything_is_found(source: str) -> None:
    assert catches_all(source)
    assert not catches_all(
        source.replace("BaseException", "KeyError")
        .replace("Exception", "KeyError")
        .replace("except:", "except KeyError:")
    )
