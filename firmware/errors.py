"""The one exception tree: what can go wrong, by who has to act on it."""


class FirmwareError(Exception):
    """Anything this firmware raises on purpose."""


class ConfigError(FirmwareError, ValueError):
    """A setting is wrong; the text names the key, the value and what is allowed."""


class ProtocolError(FirmwareError):
    """A protocol's rules were broken, by us or by the far end."""


class LocalProtocolError(ProtocolError):
    """We asked a core for what its protocol forbids now; the called method says what is allowed."""


class RemoteProtocolError(ProtocolError):
    """The far end broke the protocol; ``status`` is what to answer in the protocol's own numbers."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class DecodeError(RemoteProtocolError, ValueError):
    """These bytes are not a message; the text says where they stop being one."""


class CallError(FirmwareError):
    """A command that makes no sense in the call's present state, or that the unit has no room for."""


class DeviceError(FirmwareError, OSError):
    """A device is missing or failed; the room goes on without it."""
