from __future__ import annotations

from ras_zone import FIRST, SECOND, alternate

from firmware.h323.ras_alternate import MAX_ALTERNATES, Alternates, Gatekeeper, alternates_of, read_alternates

OURS = ("192.0.2.5", 1719)
THIRD = ("192.0.2.3", 1719)


def test_the_lowest_priority_goes_first_and_equals_keep_their_order() -> None:
    values = [alternate(FIRST, priority=5), alternate(SECOND), alternate(THIRD)]
    assert [g.address for g in read_alternates(values)] == [SECOND, THIRD, FIRST]


def test_all_of_an_alternate_is_read() -> None:
    value = alternate(SECOND, register=False, priority=9, identifier="GK2\0")
    assert read_alternates([value]) == (Gatekeeper(SECOND, "GK2", need_to_register=False, priority=9),)
    del value["gatekeeperIdentifier"]
    assert read_alternates([value])[0].identifier == ""


def test_what_can_t_be_asked_is_passed_over_and_the_list_has_a_bound() -> None:
    nowhere = {**alternate(FIRST), "rasAddress": ("netBios", bytes(16))}
    everybody = alternate(("224.0.0.1", 1719))
    assert read_alternates([nowhere, everybody, alternate(("192.0.2.1", 0))]) == ()
    many = [alternate((f"192.0.{n // 250}.{n % 250 + 1}", 1719)) for n in range(500)]
    assert len(read_alternates(many)) == MAX_ALTERNATES


def test_each_message_has_its_place_for_alternates() -> None:
    one = [alternate(SECOND)]
    assert alternates_of({}) is None
    assert alternates_of({"alternateGatekeeper": one}) == (read_alternates(one), False)
    for permanent in (True, False):
        body = {"altGKInfo": {"alternateGatekeeper": one, "altGKisPermanent": permanent}}
        assert alternates_of(body) == (read_alternates(one), permanent)
    assert alternates_of({"assignedGatekeeper": one[0], "alternateGatekeeper": []}) == (read_alternates(one), True)


def test_each_is_tried_once_until_one_has_taken_us() -> None:
    alternates = Alternates()
    assert alternates.learn(
        {"alternateGatekeeper": [alternate(FIRST), alternate(SECOND), alternate(THIRD, priority=1)]}
    )

    def tried() -> list[tuple[str, int]]:
        found = []
        while (gatekeeper := alternates.next(OURS, FIRST)) is not None:
            found.append(gatekeeper.address)
        return found

    assert tried() == [SECOND, THIRD]
    assert tried() == []
    alternates.settle()
    assert tried() == [SECOND, THIRD]


def test_a_new_list_replaces_the_old_one_and_none_leaves_it() -> None:
    alternates = Alternates()
    alternates.learn({"alternateGatekeeper": [alternate(FIRST)]})
    assert not alternates.learn({})
    assert [g.address for g in alternates.known] == [FIRST]
    assert not alternates.learn({"alternateGatekeeper": []})
    assert alternates.known == ()


def test_the_other_ip_version_is_passed_over() -> None:
    alternates = Alternates()
    six = {**alternate(FIRST), "rasAddress": ("ip6Address", {"ip": bytes(15) + b"\1", "port": 1719})}
    alternates.learn({"alternateGatekeeper": [six]})
    assert alternates.next(OURS, None) is None
    assert alternates.next(("::2", 1719), None) == Gatekeeper(("::1", 1719), "OtherGK")


def test_inside_call_signalling_they_are_where_the_first_is() -> None:
    alternates = Alternates(1300)
    alternates.learn({"alternateGatekeeper": [alternate(FIRST)]})
    assert [g.address for g in alternates.known] == [(FIRST[0], 1300)]
