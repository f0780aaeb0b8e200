"""The Raspberry Pi.

Buttons and lamps work (`board.gpio`, on lgpio).  Camera, microphone, speaker and display are not supported on this
board yet: opening one raises DeviceError, and the unit runs on without it, which the panel and the log say.
"""
