"""A SIP endpoint that answers every call, without media, as a process of its own: ``python sip_answerer.py HOST PORT``.

Prints a line once it listens; ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from wire_transport import MemoryPorts

from firmware import config
from firmware.call.call import Call
from firmware.call.media import Capabilities
from firmware.signaling import sip

vars(sip).update(MAX_SESSIONS=1_000)  # what fails is to be the speed, not the limit of a room


async def serve(host: str, port: int) -> None:
    endpoint = sip.SipEndpoint(config.Sip(addresses=(host,), port=port), Capabilities(), MemoryPorts(), "A room")
    endpoint.on_call = Call.accept
    await endpoint.start()
    print("listening", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await endpoint.stop()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
