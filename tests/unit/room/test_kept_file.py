"""`firmware.room.kept_file`: what is to be kept is written, the newest last, and nobody waits for it."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from simple_web import until

from firmware.config import write
from firmware.room.kept_file import KeptFile


class SlowStorage:
    """Takes each text only when it is let."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self.let = threading.Semaphore(0)
        self._save = write.save
        monkeypatch.setattr(write, "save", self.save)

    def save(self, text: str, path: Path) -> None:
        self.begun.append(text)
        assert self.let.acquire(timeout=30)
        self._save(text, path)


def test_it_is_written_while_the_loop_goes_on_and_the_newest_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, file = SlowStorage(monkeypatch), KeptFile(tmp_path / "folder" / "file", "it")

    async def main() -> None:
        for text in ("one", "two", "three"):
            file.keep(text)
        await until(lambda: bool(storage.begun))  # with a storage that the loop waited for, nobody would get here
        for text in ("four", "five"):
            file.keep(text)
        storage.let.release(100)
        await file.settle()
        assert file.path.read_text() == "five"
        file.keep("six")
        await file.settle()

    asyncio.run(main())
    assert storage.begun == ["three", "five", "six"]
    assert file.path.read_text() == "six"


def test_a_full_disk_is_said_and_the_next_text_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = [True]
    save = write.save

    def may_save(text: str, path: Path) -> None:
        if full:
            raise OSError(28, "No space left on device")
        save(text, path)

    monkeypatch.setattr(write, "save", may_save)
    file = KeptFile(tmp_path / "file", "the list")

    async def main() -> None:
        file.keep("one")
        await file.settle()
        assert caplog.messages == ["the list can't be kept: [Errno 28] No space left on device"]
        full.clear()
        file.keep("two")
        await file.settle()

    asyncio.run(main())
    assert file.path.read_text() == "two"
    assert len(caplog.messages) == 1


def test_nothing_to_keep_is_nothing_to_wait_for(tmp_path: Path) -> None:
    asyncio.run(KeptFile(tmp_path / "file", "it").settle())
    assert not (tmp_path / "file").exists()
