"""The border of the media threads: what code in there could not do ends one channel or one device, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec

from firmware.errors import FirmwareError

logger = logging.getLogger(__name__)

P = ParamSpec("P")


def attempt(what: str, work: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> Exception | None:
    """Do the work; give what it raised, for the caller to report, or None.

    *what* names it in the log, where anything that was not raised on purpose comes with its traceback.
    """
    try:
        work(*arguments, **named)
    except FirmwareError as error:
        return error
    except Exception as error:
        logger.exception("%s failed", what)
        return error
    return None
