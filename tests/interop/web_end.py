"""A page in Chromium as the far end of a call: its `RTCPeerConnection` with a camera and a microphone made of nothing.

The camera shows the bar code of `board.sim.counter`, counting; the microphone is a pure tone.  What it receives can be
looked at and listened to.  Descriptions go in and out as text: who carries them is the caller's affair.
"""

from __future__ import annotations

import base64
import io
import json
from typing import Any

from interop.chromium import Page
from PIL import Image

from board.sim.counter import card_number, read_cards

FLAGS = (
    "--disable-features=WebRtcHideLocalIpsWithMdns",  # names in place of addresses
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
)

MAKE = """
(() => {
const CARD = %(card)d, TONE = %(tone)d;

function crc(octets) {                       // CRC-16 of CCITT, from 0xFFFF
    let value = 0xFFFF;
    for (const octet of octets) {
        value ^= octet << 8;
        for (let n = 0; n < 8; n++) value = (value & 0x8000 ? value << 1 ^ 0x1021 : value << 1) & 0xFFFF;
    }
    return value;
}

function modules(counter) {
    const octets = [CARD, counter >> 16 & 255, counter >> 8 & 255, counter & 255];
    const sum = crc(octets);
    const bits = [...octets, sum >> 8, sum & 255].map(octet => octet.toString(2).padStart(8, '0')).join('');
    return '1111010' + bits + '0101111';
}

const camera = document.createElement('canvas');
[camera.width, camera.height] = [640, 360];
const pen = camera.getContext('2d');
let counter = 0;
function draw() {
    counter++;
    pen.fillStyle = `hsl(${counter * 7 %% 360} 60%% 50%%)`;
    pen.fillRect(0, 0, 640, 360);
    for (let n = 0; n < 40; n++) {           // something to code
        pen.fillStyle = `hsl(${n * 29 + counter} 70%% ${30 + n}%%)`;
        pen.fillRect((n * 97 + counter * 5) %% 640, 160 + n * 53 %% 180, 60, 18);
    }
    const code = modules(counter), width = 8, left = Math.round((640 - code.length * width) / 2);
    pen.fillStyle = '#fff';
    pen.fillRect(left - 4 * width, 20, (code.length + 8) * width, 90);
    pen.fillStyle = '#000';
    [...code].forEach((bit, n) => bit === '1' && pen.fillRect(left + n * width, 20, width, 90));
}
draw();
setInterval(draw, 66);

const sound = new AudioContext({sampleRate: 48000});
const oscillator = new OscillatorNode(sound, {frequency: TONE});
const level = new GainNode(sound, {gain: 0.3});
const microphone = new MediaStreamAudioDestinationNode(sound, {channelCount: 1});
oscillator.connect(level).connect(microphone);
oscillator.start();

const stream = new MediaStream([...camera.captureStream(15).getTracks(), ...microphone.stream.getTracks()]);
const screen = document.createElement('video');
[screen.autoplay, screen.muted] = [true, true];
document.body.append(screen);
const analyser = new AnalyserNode(sound, {fftSize: 16384, smoothingTimeConstant: 0});
const pc = new RTCPeerConnection();
const gathered = new Promise(done => pc.onicegatheringstatechange = () => {
    if (pc.iceGatheringState === 'complete') done();
});
const shown = new MediaStream();
pc.ontrack = ({track}) => {
    shown.addTrack(track);
    screen.srcObject = shown;
    if (track.kind === 'audio') new MediaStreamAudioSourceNode(sound, {mediaStream: shown}).connect(analyser);
};

globalThis.end = {
    add() { for (const kind of ['audio', 'video']) for (const track of stream.getTracks()) {
        if (track.kind === kind) pc.addTrack(track, stream);
    } },
    async local(description) {
        await pc.setLocalDescription(description);
        await gathered;
        return pc.localDescription.sdp;
    },
    async offer() {
        if (!pc.getSenders().length) this.add();
        return await this.local(await pc.createOffer());
    },
    hold(held) {
        for (const each of pc.getTransceivers()) each.direction = held ? 'sendonly' : 'sendrecv';
    },
    async take(type, sdp) { await pc.setRemoteDescription({type, sdp}); },
    async answer(sdp) {
        await this.take('offer', sdp);
        if (!pc.getSenders().some(sender => sender.track)) this.add();
        return await this.local(await pc.createAnswer());
    },
    picture() {
        if (!screen.videoWidth) return null;
        const copy = document.createElement('canvas');
        [copy.width, copy.height] = [screen.videoWidth, screen.videoHeight];
        copy.getContext('2d').drawImage(screen, 0, 0);
        return copy.toDataURL('image/png').split(',')[1];
    },
    pitch() {
        const found = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(found);
        const loudest = found.indexOf(Math.max(...found));
        return found[loudest] > -60 ? loudest * sound.sampleRate / analyser.fftSize : 0;
    },
    async statistics() {
        const found = {};
        for (const [, each] of await pc.getStats()) {
            if (each.type.endsWith('bound-rtp')) found[`${each.type} ${each.kind}`] = each;
        }
        return found;
    },
};
return true;
})()
"""


class WebEnd:
    """The far end in a page; *label* is of its card, *tone* Hz.  `make` it before anything else."""

    def __init__(self, page: Page, label: str, tone: int) -> None:
        self.page, self.label, self.tone = page, label, tone

    async def make(self) -> None:
        await self.page.value(MAKE % {"card": card_number(self.label), "tone": self.tone})

    async def offer(self) -> str:
        """Give its offer, with all its candidates."""
        return str(await self.page.value("end.offer()"))

    async def accept(self, answer: str) -> None:
        """Take the answer to it."""
        await self.page.value(f"end.take('answer', {json.dumps(answer)})")

    async def hold(self, held: bool) -> None:
        """Let its next offer say that it doesn't want to see and hear; or does again."""
        await self.page.value(f"end.hold({json.dumps(held)})")

    async def answer(self, offer: str) -> str:
        """Give its answer to an offer."""
        return str(await self.page.value(f"end.answer({json.dumps(offer)})"))

    async def counter(self, label: str) -> int | None:
        """The counter of the test card of this label in what it shows; None: it isn't there."""
        text = await self.page.value("end.picture()")
        if text is None:
            return None
        with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
            return read_cards(picture).get(card_number(label))

    async def pitch(self) -> float:
        """What it hears most, Hz; 0: silence."""
        return float(await self.page.value("end.pitch()"))

    async def statistics(self) -> dict[str, Any]:
        """What it counts: ``inbound-rtp video``, ``outbound-rtp audio``, ..."""
        return dict(await self.page.value("end.statistics()"))
