"""H.323: video calls as the ITU-T laid them down; what courts, hospitals, universities and ministries speak.

An umbrella over three protocols, all of them ASN.1 in aligned PER (`firmware.asn1`) inside of something older:

======  ==================================  ====================================================================
H.225   *call signalling*, TCP port 1720    who calls whom, rings, answers, hangs up: Q.931's messages of ISDN,
                                            with the true contents in their User-user element
H.225   *RAS*, UDP port 1719                registration with a gatekeeper, and its word on each call
H.245   *control*, tunnelled or on TCP      what both sides can, who is master, which channels are open
======  ==================================  ====================================================================

::

    TCP      terminal    which flow is whose: port 1720, ports for H.245, connections of ours
      │      streams     tpkt                             packets in streams; bounds             RFC 1006
      ▼
    calls    setup       a Setup that comes in            H.225.0 7.3.10
      │      session     one call: commands, ends; everything put together                      H.323 8
      │      reception   what each message does           H.225.0 7.3, 7.4; H.323 8.1, 8.2
      │      call_signaling                               states and timers                      Q.931 5, H.225.0 7.5
      │      fast_connect                                 channels in Setup and its answer       H.323 8.1.7
      │      control_function  control_channel            when H.245 begins; tunnel, connection  H.323 8.2
      │      gate        the gatekeeper's word, where there is one                               H.323 8.1.2
      ▼
    H.245    control     its procedures, a package with a chapter of its own                     H.245 annex C
    RAS      ras         a core of its own for UDP, whose chapter stands in that module          H.225.0 7.7 to 7.19
             h460_tunnel  h460_ras       RAS and all calls by one connection to the gatekeeper   H.460.17

    words    q931  information_element  cause             messages, elements, causes             H.225.0 7.2, Q.931 4
             user_information  call_message               the User-user element, read, written   H.225.0 7.3, 7.6
             address  identity  events  layers            who, whom, what happened, what is shared
             h225  h245  h235_types  schema               the ASN.1                              annexes
             h235  h235_baseline  h235_password           who sent it                            H.235.1
             h235_dh  h235_media                          keys of encrypted media                H.235.6
             h460_feature  h460_security                  features by number; TLS, told in RAS   H.460.1, H.460.22

    services h450_services  h450_transfer                 hold, call waiting, transfer           H.450.4, .6, .2
             h450_operation  h450                         who asks whom for what; APDUs          H.450.1 8, X.880
             h450_types  h450_address  h450_event         types and values of both

A call between two terminals, slow start, tunnelled; three trips until it is answered, two more until channels open::

    caller                                        called
      ──── Setup (h245Tunnelling) ────────────────▶       `Incoming`
      ◀─── CallProceeding ─────────────────────────       so that T303 stops
      ◀─── Alerting ───────────────────────────────       alert        `Alerting`
      ◀─── Connect (capabilities, master/slave) ───       accept       `Connected`
      ──── Facility (acknowledgements, ours) ──────▶
      ◀─── Facility (acknowledgements) ────────────       `Control` events: channels may be opened
      ──── ReleaseComplete (endSession) ───────────▶      `Ended`

*Fast connect* puts proposals for channels into the Setup, and Connect (or Alerting) holds the called side's choice:
sound flows at once.  H.245 may follow, and does with us as soon as there is a way for it, because it carries requests
for key frames, limits and digits, and opens video where only sound was agreed.

How H.245 travels is settled message by message (`control_channel`).  If both sides say h245Tunnelling, it is tunnelled.
If not, who is called gives an address in Connect, or takes the one in the Setup; who calls and gets none gives its own
in a Facility with startH245.  Such a Facility also takes a tunnel's place.  If both connect at once, the smaller
address yields, and says again what was not heard.  If the Setup's own H.245 was not looked at, it is said again, too.

Where the Recommendations let a terminal choose, we choose as follows.  But for H.460.17, a call has a connection of its
own, which ends with it (no multipleCalls, no maintainConnection); a Setup for another call on it is answered
newConnectionNeeded.  Any alias is taken: a room has one door.  One call too many, or too many unanswered ones from one
host, is inConf, "called party busy".  Who releases says endSession and ReleaseComplete in one breath, and gives the
other side two seconds to close.  A far end that closes call signalling has ended the call; one that closes H.245 has
three seconds to say why, unless fast connect set the call up.  T303 runs twice, but without a second Setup, since TCP
loses none.  A message that can't be read is passed over; fifty of them on one connection are an attack.  An address
that a far end gives for H.245 is never one of this machine's own, and a connection for H.245 must come from the call's
own far end, unless a gatekeeper stands between.  Facility with callForwarded ends a call that is not answered;
following it is up to the application.

By TLS H.245 is tunnelled, whatever the settings say.  Whether a call goes by TLS says its address, or the gatekeeper
(H.460.22), which hears with the registration where we take it.

Behind a translator nobody can call us, and a gatekeeper's datagrams don't come through.  Then one connection of ours to
it carries everything (`h460_tunnel`): RAS inside of Facility messages of no call, and all calls, told apart by their
references.  Media goes its own ways, without H.460.18 and .19: the gatekeeper has to stand in for both ends there.

Not here: several calls on a connection that is no gatekeeper's.
"""
