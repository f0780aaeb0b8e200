"""A mock pin that debounces, which gpiozero's own leaves out."""

from __future__ import annotations

import threading

from gpiozero.pins.mock import MockPin


class DebouncedPin(MockPin):
    """Reports a level when it has lasted for the bounce time, as lgpio does (lgGpioSetDebounce)."""

    def __init__(self, factory: object, info: object) -> None:
        super().__init__(factory, info)
        self._settling: threading.Timer | None = None
        self._reported = self._state

    def close(self) -> None:
        """Report nothing more."""
        self._settle_later(None)
        super().close()

    def _enable_event_detect(self) -> None:
        self._reported = self._state
        super()._enable_event_detect()

    def _call_when_changed(self) -> None:
        if self._bounce is None:
            super()._call_when_changed()
        else:
            self._settle_later(threading.Timer(self._bounce, self._settle))

    def _settle_later(self, timer: threading.Timer | None) -> None:
        if self._settling is not None:
            self._settling.cancel()
        self._settling = timer
        if timer is not None:
            timer.daemon = True
            timer.start()

    def _settle(self) -> None:
        if self._state != self._reported and self._when_changed is not None:
            self._reported = self._state
            super()._call_when_changed()
