"""A mock pin that debounces, which gpiozero's own leaves out."""

from __future__ import annotations

import threading
import time

from gpiozero.pins.mock import MockPin


class DebouncedPin(MockPin):
    """Reports a level when it has lasted for the bounce time, as lgpio does (lgGpioSetDebounce)."""

    def __init__(self, factory: object, info: object) -> None:
        super().__init__(factory, info)
        self._changing = threading.Lock()
        self._settling = False
        self._reported = self._state

    def _enable_event_detect(self) -> None:
        self._reported = self._state
        super()._enable_event_detect()

    def _call_when_changed(self) -> None:
        if self._bounce is None:
            super()._call_when_changed()
            return
        with self._changing:
            if self._settling:
                return  # whoever waits for the level to settle sees this change too
            self._settling = True
        threading.Thread(target=self._settle, name="debounce", daemon=True).start()

    def _settle(self) -> None:
        """Wait until the level has lasted, then report it if it is another."""
        while True:
            with self._changing:
                left = self._last_change + self._bounce - time.monotonic()
                if left <= 0:
                    self._settling = False
                    changed = self._state != self._reported
                    self._reported = self._state
                    break
            time.sleep(left)
        if changed and self._when_changed is not None:
            super()._call_when_changed()
