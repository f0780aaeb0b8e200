"""The values that cores and drivers exchange."""

from firmware.sansio import Close, Flow, Open, Send


def test_only_datagrams_are_unreliable() -> None:
    ends = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
    assert [Flow(transport, *ends).reliable for transport in ("udp", "tcp", "tls")] == [False, True, True]


def test_flows_and_actions_are_values() -> None:
    one, same = (Flow("tcp", ("::1", 5060), ("::1", 5070)) for _ in range(2))
    assert {one: 1}[same] == 1
    assert (Open(one), Send(one, b"x"), Close(one)) == (Open(same), Send(same, b"x"), Close(same))
    assert one != Flow("tcp", ("::1", 5060), ("::1", 5071))
