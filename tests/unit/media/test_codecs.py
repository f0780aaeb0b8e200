"""The table of audio codecs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from firmware.call.media import Capabilities, Kind
from firmware.errors import CallError
from firmware.media import codecs
from firmware.media.codecs import CODECS, VIDEO_CODECS, audio_codec, available, video_codec


def test_every_codec_that_a_call_may_use_has_a_row() -> None:
    names = {codec.name for codec in Capabilities().of(Kind.AUDIO)} - {"telephone-event"}
    assert names == set(CODECS)
    assert {codec.name for codec in Capabilities().of(Kind.VIDEO)} | {"H263-2000"} == set(VIDEO_CODECS)


def test_an_unknown_codec_is_an_error() -> None:
    with pytest.raises(CallError, match="G729"):
        audio_codec("G729")
    with pytest.raises(CallError, match="VP8"):
        video_codec("VP8")


def test_without_libopus_there_is_no_opus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "has_opus", lambda: False)
    assert "opus" not in available()
    assert "G722" in available()
    with pytest.raises(CallError, match="libopus0"):
        audio_codec("opus")


def test_asking_what_there_is_loads_no_codec() -> None:
    code = "import sys; from firmware.media.codecs import available; available(); print('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
