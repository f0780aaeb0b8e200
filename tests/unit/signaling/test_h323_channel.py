"""Channels as values: their keys are not shown."""

from firmware.call.media import PCMU, Format, Kind
from firmware.h323.h235_media import AES_128, SessionKey
from firmware.signaling.h323_channel import Receiving, Sending, Wanted

KEY = SessionKey(AES_128, 104, b"sixteen octets!!")
SENDING = Sending(Kind.AUDIO, Format(0, PCMU), 0, 0.02, algorithm=AES_128, key=KEY)


def test_keys_are_not_shown() -> None:
    receiving = Receiving(Kind.AUDIO, (Format(0, PCMU),), None, KEY)
    wanted = Wanted(Kind.AUDIO, ("audioData", None), {}, SENDING)
    for channel in (SENDING, receiving, wanted):
        assert "sixteen" not in repr(channel)
        assert KEY.octets.hex() not in repr(channel)


def test_a_channel_is_in_the_clear_unless_it_says_how_not() -> None:
    assert Sending(Kind.AUDIO, Format(0, PCMU), 0, 0.02).algorithm is None
    assert Receiving(Kind.AUDIO, (), None).key is None
