"""ICE, STUN and TURN (RFC 8445, RFC 8489, RFC 8656): how two ends behind NATs find a way for their media."""
