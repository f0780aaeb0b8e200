"""The call as the room sees it, whatever protocol carries it.

An *Endpoint* (`endpoint.py`) makes *Calls* (`call.py`), and may be registered at a server (`registration.py`).  A Call
has one state table and one *Leg*, which a protocol's adapter in `firmware.signaling` gives it.  What is heard and seen
is a set of *Channels* (`media.py`), each of one direction: the common denominator of SDP (a ``sendrecv`` line is two of
them) and H.245 (a logical channel is one).  By which addresses they go through NATs, where both ends look for them, is
in `ice.py`.  Who may call at all is in `callers.py`.

::

    room ── commands ──▶ Call ── commands ──▶ Leg (SIP or H.323)
         ◀── on_change ──     ◀── reports ───

Nothing here does I/O, reads a clock or knows a protocol's name.
"""
