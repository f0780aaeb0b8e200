"""What the room asks of the media process, see `firmware.media.engine`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.call.media import Channel
    from firmware.media import message
    from firmware.ports import View


class Media(Protocol):
    """Sound and picture of all calls."""

    @property
    def running(self) -> bool:
        """Whether the media process takes commands."""

    @property
    def audio_tick(self) -> message.AudioTick | None:
        """How late the audio tick was in the last second; None: no sound yet."""

    def apply(self, call_id: str, channels: Iterable[Channel]) -> None:
        """Make these the call's channels."""

    def send_digits(self, call_id: str, digits: str) -> None:
        """Send telephone events."""

    def force_key_frame(self, call_id: str) -> None:
        """Let the next picture be one that can be decoded by itself."""

    def freeze_picture(self, call_id: str) -> None:
        """Keep the far end's picture until its next key frame."""

    def mute(self, on: bool) -> None:
        """Send silence, or not."""

    def set_volume(self, percent: int) -> None:
        """Set the speaker's loudness."""

    def move_camera(self, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        """Move the camera for some time."""

    def point_camera(self, view: View) -> None:
        """Let the camera look there."""

    def statistics(self, call_id: str) -> message.Statistics | None:
        """What flowed in the last second."""

    async def screenshot(self, image_format: str, width: int, height: int) -> bytes:
        """What is on the screen.  DeviceError: there is no screen, or it gives nothing now."""
