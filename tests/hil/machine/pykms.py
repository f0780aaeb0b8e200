"""In place of kms++: picamera2 takes names of pixel formats from it when it is imported, and uses them only to draw."""


class _Names(type):
    def __getattr__(cls, name: str) -> str:
        return name


class PixelFormat(metaclass=_Names):
    """Every pixel format, by its name."""
