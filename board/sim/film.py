"""A film, that is any file with pictures that FFmpeg reads, shown before the camera again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
from av.filter import Graph

from firmware.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Generator

_CATCH_UP = 2.0
"""Seconds of film that are decoded and passed over at once; when the machine was away for longer, the film waits."""


class Film:
    """Pictures of a file at its own speed, fitted into ``width`` and ``height``."""

    def __init__(self, path: str, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._path = path
        try:
            self._container = av.open(path)
        except (av.FFmpegError, OSError) as error:
            raise DeviceError(f"the film {path} can't be opened: {_reason(error)}") from error
        if not self._container.streams.video:
            self._container.close()
            raise DeviceError(f"the film {path} has no pictures")
        self._pictures = self._decode()
        self._fit: Graph | None = None
        self._shape: tuple[object, ...] = ()
        self._late = 0.0
        self._shown: av.VideoFrame | None = None
        try:
            self._next_time, self._next = self._advance()
        except DeviceError:
            self._container.close()
            raise

    def picture(self, number: int, seconds: float) -> av.VideoFrame:  # noqa: ARG002
        """The picture of the film at this time; a new one each time.  DeviceError: the file went bad."""
        due = seconds - self._late
        if due - self._next_time > _CATCH_UP:
            self._late += due - self._next_time
            due = self._next_time
        current = None
        while self._next_time <= due:
            current = self._next
            self._next_time, self._next = self._advance()
        if current is not None or self._shown is None:
            self._shown = self._fitted(current or self._next)
        return _copy(self._shown)

    def close(self) -> None:
        """Close the file; there are no more pictures then."""
        self._pictures.close()  # libav crashes where a closed file is read
        self._container.close()

    def _advance(self) -> tuple[float, av.VideoFrame]:
        following = next(self._pictures, None)
        if following is None:  # it was closed, or failed before
            raise DeviceError(f"the film {self._path} can't be read")
        return following

    def _decode(self) -> Generator[tuple[float, av.VideoFrame]]:
        """Picture after picture without end, each with its time since the film first began."""
        stream = self._container.streams.video[0]
        rate = stream.average_rate or 25
        start = 0.0
        while True:
            count, first, last = 0, 0.0, 0.0
            try:
                for frame in self._container.decode(stream):
                    last = frame.time if frame.time is not None else last + 1 / float(rate)
                    if not count:
                        first = last
                    count += 1
                    yield start + max(0.0, last - first), frame
                self._container.seek(0)
            except (av.FFmpegError, OSError) as error:
                raise DeviceError(f"the film {self._path} can't be read: {_reason(error)}") from error
            if not count:
                raise DeviceError(f"the film {self._path} has no pictures")
            start += max(0.0, last - first) + 1 / float(rate)

    def _fitted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The picture in the camera's size and format, with black where its shape differs."""
        shape = (frame.width, frame.height, frame.format.name)
        try:
            if self._fit is None or shape != self._shape:
                self._shape, self._fit = shape, self._graph(frame)
            self._fit.push(frame)
            picture = self._fit.pull()
        except (av.FFmpegError, ValueError) as error:
            raise DeviceError(f"the film {self._path} can't be scaled: {_reason(error)}") from error
        assert isinstance(picture, av.VideoFrame)
        return picture

    def _graph(self, frame: av.VideoFrame) -> Graph:
        size = f"{self.width}:{self.height}"
        stream = self._container.streams.video[0]
        graph = Graph()
        graph.link_nodes(
            graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=stream.time_base),
            graph.add("scale", f"{size}:force_original_aspect_ratio=decrease:out_color_matrix=bt601:out_range=tv"),
            graph.add("format", "yuv420p"),
            graph.add("pad", f"{size}:-1:-1"),
            graph.add("buffersink"),
        ).configure()
        return graph


def _copy(frame: av.VideoFrame) -> av.VideoFrame:
    """A picture of its own for every capture: who keeps an earlier one sees no other time stamp in it."""
    copy = av.VideoFrame(frame.width, frame.height, "yuv420p")
    for plane, original in zip(copy.planes, frame.planes, strict=True):
        rows, copies, length = memoryview(original), memoryview(plane), plane.width
        for y in range(plane.height):
            start = y * original.line_size
            copies[y * plane.line_size : y * plane.line_size + length] = rows[start : start + length]
    copy.colorspace, copy.color_range = frame.colorspace, frame.color_range
    return copy


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
