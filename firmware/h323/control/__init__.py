"""The control of a call, H.245: what each end can do, what flows between them, and how that changes.

Call signalling (H.225.0) makes a call; what is heard and seen in it is agreed by these procedures, each an entity of
H.245 annex C with a table for each of its figures.  All of it is free of transport: `control.Control` takes and gives
decoded messages, and call signalling carries them in a connection of their own or inside its own messages::

    messages   control                the door: commands, events, which message is whose
      │        allowance  link        how many may come; how a procedure answers and reports
      ▼
    entities   procedure              a state, a timer, the walk through a table
      │        master_slave           who decides (MSDSE)                              C.2
      │        capability_exchange    what each end can do (CESE)                      C.3
      │          capability_set       sets put together                                B.2
      │        logical_channel        opening and closing (LCSE)                       C.4
      │          channels             all of them, their numbers, what is refused      C.4, C.5
      │        close_channel          asking the sender to close (CLCSE)               C.6
      │        mode_request           asking the sender for another coding (MRSE)      C.9
      │        round_trip             are you there? (RTDSE)                           C.10
      ▼
    no state   media_command          flow control, key frames, muting                 B.13, B.14
               user_input             keys                                             B.14
               refusal                all that we have not                             C.7, C.8, C.11
               end_session            the last word                                    H.323 8.5
    values     events                 what the owner hears
               fast_start             channels that travel in call signalling          H.323 8.1.7

A call's usual course, both ends at once::

    ──── TerminalCapabilitySet ───▶      start           the set, and which of its entries go together
    ──── MasterSlaveDetermination ▶
    ◀─── both Acks, and theirs ────      Determined, CapabilitiesAcknowledged, CapabilitiesReceived: `ready`
    ──── OpenLogicalChannel ──────▶      open_channel    one channel for each stream of each direction
    ◀─── OpenLogicalChannelAck ────      ChannelOpened   with the address to send to
    ◀─── OpenLogicalChannel ───────      ChannelRequested
    ──── OpenLogicalChannelAck ───▶      accept_channel

Where the standard lets a terminal choose, we choose as follows.  What the far end asks for is answered at once, but for
channels, which the owner decides on.  A first exchange or determination that fails is tried three times (H.323 8.2); as
long as a call may be ringing, a far end need not say anything here, since old terminals begin with Connect.  A channel
that fails is the channel's end, not the call's.  Sets that come one after another are put together as H.245 B.2 has it.
A request that we don't know or have not is refused by its own reject, or by functionNotSupported; what a far end merely
indicates, and we don't know, is passed over.  Messages in the wrong state do what the figures say: mostly nothing, and
that is counted.
"""
