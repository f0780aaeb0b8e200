"""A watchdog that only says what the real one would do."""

from __future__ import annotations

import logging
import threading

logger = logging.getLogger(__name__)


class SimWatchdog:
    """A `firmware.ports.Watchdog`; ``barked`` tells whether the machine would have restarted."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.barked = False
        self._fed = threading.Event()
        self._closed = False
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def feed(self) -> None:
        """Say that all is well."""
        self._fed.set()

    def close(self) -> None:
        """Stop it."""
        self._closed = True
        self._fed.set()

    def _watch(self) -> None:
        while self._fed.wait(self.timeout) and not self._closed:
            self._fed.clear()
        if not self._closed:
            self.barked = True
            logger.error("the watchdog would restart the machine now: it was not fed for %g s", self.timeout)
