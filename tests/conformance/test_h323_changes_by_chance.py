"""Two units in a call that change their minds by chance: whatever they do, they end up agreed, and leave nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from h323_bench import H323Bench
from parties import established, settle

from firmware.asn1 import Value
from firmware.call.call import Call, State
from firmware.call.media import (
    G722,
    H261,
    H263,
    H264_BASELINE,
    OPUS,
    PCMA,
    PCMU,
    Capabilities,
    Codec,
    Direction,
    Encryption,
    Kind,
)
from firmware.h323.events import Bandwidth
from firmware.signaling.h323_formats import describe, same
from firmware.signaling.h323_leg import H323Leg
from firmware.signaling.h323_media import H323Media
from firmware.signaling.h323_picture_sizes import CODECS

SOUND, PICTURES = (OPUS, G722, PCMU, PCMA), (H264_BASELINE, H263, H261)
H263_FLAGS = ("unrestrictedVector", "arithmeticCoding", "advancedPrediction", "pbFrames", "errorCompensation")
STEPS = 20

Step = Callable[["Changes", Call], None]


class Changes:
    """A call, and what either end may do to it."""

    def __init__(self, seed: int, **how: Any) -> None:
        self.rng = random.Random(seed)
        self.bench = H323Bench(**how)
        self.calls = established(self.bench)

    def leg(self, call: Call) -> H323Leg:
        leg = call._leg
        assert isinstance(leg, H323Leg)
        return leg

    def media(self, call: Call) -> H323Media:
        media = self.leg(call)._media
        assert media is not None
        return media

    def control(self, call: Call) -> Any:
        session = self.leg(call).session
        assert session is not None
        return session.control

    # What they do

    def hold(self, call: Call) -> None:
        call.hold(not call.held)

    def say_another_set(self, call: Call) -> None:
        """Another set, which withdraws what it does not name."""
        media = self.media(call)
        if media.held:
            return
        codecs: list[Codec] = [codec for codec in (*SOUND, *PICTURES) if self.rng.random() < 0.6]
        media._capabilities = Capabilities(
            (*codecs, PCMU), bitrate=self.rng.choice((384_000, 2_000_000)), encryption=media._capabilities.encryption
        )
        said = media.capability_set()
        named = {entry["capabilityTableEntryNumber"] for entry in said["capabilityTable"]}
        said["capabilityTable"] += [{"capabilityTableEntryNumber": n} for n in range(1, 30) if n not in named]
        self.control(call).send_capabilities(said, self.bench.wire.now)

    def ask_for_a_mode(self, call: Call) -> None:
        elements: list[Value] = []
        name, content = describe(self.rng.choice(SOUND))  # type: ignore[misc]
        content = None if isinstance(content, int) else content
        elements.append({"type": ("audioMode", (name.replace("Capability", "Mode"), content))})
        if self.rng.random() < 0.7:
            codec = self.rng.choice(PICTURES)
            name, content = describe(codec, 256_000)  # type: ignore[misc]
            if name in CODECS:
                flags = (
                    "unrestrictedVector",
                    "arithmeticCoding",
                    "advancedPrediction",
                    "pbFrames",
                    "errorCompensation",
                )
                content = {"resolution": ("qcif", None), "bitRate": 2_560, **dict.fromkeys(flags, False)}
                content["stillImageTransmission"] = False
                wanted = flags if name.startswith("h263") else ("stillImageTransmission",)
                content = {key: content[key] for key in ("resolution", "bitRate", *wanted)}
            elements.append({"type": ("videoMode", (name.replace("Capability", "Mode"), content))})
        self.control(call).request_mode([elements], self.bench.wire.now)

    def limit(self, call: Call) -> None:
        bitrate = self.rng.choice((0, 100_000, 512_000, None))
        numbers = [None, *self.media(call).receiving]
        self.control(call).limit(self.rng.choice(numbers), bitrate, self.bench.wire.now)

    def be_allowed(self, call: Call) -> None:
        leg = self.leg(call)
        assert leg.session is not None
        leg.handle(Bandwidth(leg.session, self.rng.choice((64_000, 384_000, 2_000_000))))

    def ask_for_the_end(self, call: Call) -> None:
        for number in list(self.media(call).receiving)[:1]:
            self.control(call).request_close(number, self.bench.wire.now)

    def ask_for_another_key(self, call: Call) -> None:
        for number in list(self.media(call).receiving):
            direction = "slaveToMaster" if self.control(call).master else "masterToSlave"
            content = {"logicalChannelNumber": number, "type": ("encryptionUpdateRequest", {})}
            content["direction"] = (direction, None)
            self.control(call)._link.command("miscellaneousCommand", content)

    def press_a_key(self, call: Call) -> None:
        call.send_digit("5")

    STEPS: tuple[Step, ...] = (
        *(hold, say_another_set, ask_for_a_mode, limit, be_allowed, ask_for_the_end, ask_for_another_key),
        *(press_a_key, say_another_set, ask_for_a_mode, ask_for_another_key),
    )

    # What must be so

    def check(self) -> None:
        """What one sends is received by the other as it is sent: nothing is thrown away, nothing misread."""
        for sender, receiver in (self.calls, self.calls[::-1]):
            assert sender.state is State.ACTIVE
            received = {c.kind: c for c in receiver.channels if c.direction is Direction.RECEIVE}
            for sent in (c for c in sender.channels if c.direction is Direction.SEND):
                assert sent.kind in received, f"{sent.kind} is sent to nobody"
                there = received[sent.kind]
                assert sent.remote == there.local
                assert sent.crypto == there.crypto
                ours = self.media(receiver)._capabilities.codecs
                assert any(same(sent.format.codec, codec) for codec in ours), f"{sent.format.codec.name} is withdrawn"
                types = {form.payload_type: form.codec.name for form in there.formats}
                assert types.get(sent.format.payload_type) == sent.format.codec.name
            assert len([c for c in sender.channels if c.kind is Kind.AUDIO]) <= 2

    def resume(self) -> None:
        for call in self.calls:
            if call.held:
                call.hold(False)
        settle(self.bench, 3.0)


@pytest.mark.parametrize("tunnelling", [True, False], ids=["tunnelled", "separate"])
@pytest.mark.parametrize("encryption", [Encryption.OFF, Encryption.PREFERRED], ids=["clear", "encrypted"])
@pytest.mark.parametrize("seed", range(12))
def test_changes(seed: int, encryption: Encryption, tunnelling: bool) -> None:
    fast = seed % 3 == 0
    changes = Changes(seed, tunnelling=tunnelling, fast_connect=fast, encryption=(encryption, encryption))
    rng = changes.rng
    for _ in range(STEPS):
        for _ in range(rng.choice((1, 1, 2, 4))):
            rng.choice(Changes.STEPS)(changes, rng.choice(changes.calls))
            if rng.random() < 0.5:
                settle(changes.bench, rng.choice((0.005, 0.015, 0.05)))
        settle(changes.bench, 3.0)
        changes.check()
        if rng.random() < 0.8:
            changes.resume()
            changes.check()
    changes.calls[rng.randrange(2)].hang_up()
    settle(changes.bench, 5)
    changes.bench.check_clean()
