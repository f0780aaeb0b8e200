from __future__ import annotations

import hashlib
import re
import time

import pytest

from firmware.errors import DecodeError
from firmware.sip.digest import MAX_CHALLENGES, MAX_PARAMETERS, MAX_VALUE, Answers, Challenge, read_challenges
from firmware.sip.message import Headers

RFC7616 = '"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"'
RFC7616_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
RFC7616_2 = '"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK"'
RFC7616_2_CNONCE = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"

VECTORS = {
    # RFC 2617 3.5
    "RFC 2617": (
        (
            'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
            'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
        ),
        "0a4f113b",
        ("Mufasa", "Circle Of Life", "/dir/index.html"),
        "6629fae49393a05397450978507c4ef1",
    ),
    # RFC 7616 3.9.1
    "MD5": (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce={RFC7616}',
        RFC7616_CNONCE,
        ("Mufasa", "Circle of Life", "/dir/index.html"),
        "8ca523f5e9506fed4657c9700eebdbec",
    ),
    "SHA-256": (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce={RFC7616}',
        RFC7616_CNONCE,
        ("Mufasa", "Circle of Life", "/dir/index.html"),
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    ),
    # RFC 7616 3.9.2 with the response of erratum 4897
    "SHA-512-256": (
        f'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce={RFC7616_2}, charset=UTF-8',
        RFC7616_2_CNONCE,
        ("Jäsøn Doe", "Secret, or not?", "/doe.json"),
        "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
    ),
    # RFC 2069 2.4, with the response of its erratum 749: a server that knows no qop
    "RFC 2069": (
        'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
        "unused",
        ("Mufasa", "CircleOfLife", "/dir/index.html"),
        "1949323746fe6a43ef61f9606e7febea",
    ),
}


def answered(text: str) -> dict[str, str]:
    """The parameters of credentials, a quoted one with its quotes."""
    assert text.startswith("Digest ")
    return dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,]*)', text))


@pytest.mark.parametrize("name", VECTORS)
def test_the_standards_vectors(name: str) -> None:
    challenge, cnonce, (user, password, uri), expected = VECTORS[name]
    written = answered(Answers(Challenge.parse(challenge), cnonce).answer(user, password, "GET", uri, b""))
    assert written["response"] == f'"{expected}"'
    assert written["username"] == f'"{user}"'
    assert written["uri"] == f'"{uri}"'


def test_what_is_quoted_and_what_is_not() -> None:
    """RFC 7616 3.4."""
    challenge, cnonce, (user, password, uri), _ = VECTORS["RFC 2617"]
    written = answered(Answers(Challenge.parse(challenge), cnonce).answer(user, password, "GET", uri, b""))
    assert written["qop"] == "auth"
    assert written["nc"] == "00000001"
    assert written["cnonce"] == '"0a4f113b"'
    assert written["opaque"] == '"5ccc069c403ebaf9f0171e9517f40e41"'
    assert "algorithm" not in written  # the challenge had none


def test_a_server_without_qop_gets_no_count_and_no_nonce_of_ours() -> None:
    challenge, cnonce, (user, password, uri), _ = VECTORS["RFC 2069"]
    written = answered(Answers(Challenge.parse(challenge), cnonce).answer(user, password, "GET", uri, b""))
    assert written.keys() == {"username", "realm", "nonce", "uri", "response"}


def test_each_request_with_a_nonce_is_counted() -> None:
    answers = Answers(Challenge.parse(VECTORS["MD5"][0]), "c")
    counts = [answered(answers.answer("u", "p", "INVITE", "sip:a@b", b""))["nc"] for _ in range(17)]
    assert counts[:2] == ["00000001", "00000002"]
    assert counts[-1] == "00000011"


def test_auth_int_hashes_the_body() -> None:
    """RFC 7616 3.4.3; RFC 3261 22.4: an empty body is hashed too."""
    challenge = Challenge.parse('Digest realm="r", nonce="n", qop="auth-int", algorithm=MD5')

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    for body in (b"", b"v=0\r\n"):
        written = answered(Answers(challenge, "c").answer("u", "p", "INVITE", "sip:a@b", body))
        asked = md5(f"INVITE:sip:a@b:{hashlib.md5(body).hexdigest()}")
        expected = md5(md5("u:r:p") + f":n:00000001:c:auth-int:{asked}")
        assert written["response"] == f'"{expected}"'
        assert written["qop"] == "auth-int"


@pytest.mark.parametrize(("algorithm", "name"), [("MD5-sess", "md5"), ("SHA-256-sess", "sha256")])
def test_a_session_s_secret_has_both_nonces_in_it(algorithm: str, name: str) -> None:
    """RFC 7616 3.4.2."""

    def digest(text: str) -> str:
        return hashlib.new(name, text.encode()).hexdigest()

    challenge = Challenge.parse(f'Digest realm="r", nonce="n", qop="auth", algorithm={algorithm}')
    written = answered(Answers(challenge, "c").answer("u", "p", "BYE", "sip:a@b", b""))
    secret = digest(f"{digest('u:r:p')}:n:c")
    expected = digest(f"{secret}:n:00000001:c:auth:" + digest("BYE:sip:a@b"))
    assert written["response"] == f'"{expected}"'
    assert written["algorithm"] == algorithm


def test_quotes_in_a_name_don_t_end_it() -> None:
    challenge = Challenge.parse('Digest realm="a \\"b\\"", nonce="n"')
    assert challenge.realm == 'a \\"b\\"'
    written = Answers(challenge, "c").answer('x" , realm="y', "p", "BYE", "sip:a@b", b"")
    assert 'username="x\\" , realm=\\"y", realm="a \\"b\\"", nonce="n"' in written


def test_what_servers_write() -> None:
    """Values without quotes, more white space, other parameters, commas at the end."""
    challenge = Challenge.parse('digest  realm = asterisk ,nonce= "a,b" , Stale=TRUE,qop=auth, x="y",opaque="",,')
    assert challenge == Challenge("asterisk", "a,b", "", ("auth",), "", stale=True)
    assert Challenge.parse('Digest realm="", nonce=""', proxy=True) == Challenge("", "", proxy=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Digest",
        "Digest ",
        'Basic realm="x"',
        'Digest realm="x"',
        'Digest nonce="x"',
        'Digest realm="x", nonce="y',
        'Digest realm="x" nonce="y"',
        'Digest realm="x", nonce="y", realm="z"',
        'Digest realm="x", nonce="y", ="z"',
        f'Digest realm="x", nonce="{"y" * (MAX_VALUE + 1)}"',
        'Digest realm="x", nonce="y"' + "".join(f", a{n}=1" for n in range(MAX_PARAMETERS)),
        'Digest realm="x", nonce="\\',
    ],
)
def test_what_is_no_challenge(text: str) -> None:
    with pytest.raises(DecodeError):
        Challenge.parse(text)


def headers(*challenges: str, name: str = "WWW-Authenticate") -> Headers:
    return Headers([(name, challenge) for challenge in challenges])


def test_the_strongest_that_we_know_is_chosen() -> None:
    """RFC 8760 2.4."""
    texts = [
        f'Digest realm="r", nonce="{algorithm}", algorithm={algorithm}, qop="auth"'
        for algorithm in ("MD5", "SHA-256", "SHA-512-256", "SHA3-512", "AKAv1-MD5")
    ]
    assert [challenge.nonce for challenge in read_challenges(headers(*texts))] == ["SHA-512-256"]
    assert [challenge.nonce for challenge in read_challenges(headers(*texts[::-1]))] == ["SHA-512-256"]
    assert [challenge.nonce for challenge in read_challenges(headers(texts[3], texts[0], texts[1]))] == ["SHA-256"]
    assert read_challenges(headers(*texts[3:])) == []


def test_each_realm_has_its_own() -> None:
    """RFC 3261 22.3: a forking proxy gives the challenges of several servers."""
    both = Headers(
        [
            ("Proxy-Authenticate", 'Digest realm="a", nonce="1"'),
            ("WWW-Authenticate", 'Digest realm="a", nonce="2"'),
            ("Proxy-Authenticate", 'Digest realm="b", nonce="3"'),
            ("Proxy-Authenticate", 'Basic realm="c"'),
        ]
    )
    found = {(challenge.proxy, challenge.realm): challenge.nonce for challenge in read_challenges(both)}
    assert found == {(False, "a"): "2", (True, "a"): "1", (True, "b"): "3"}


def test_a_qop_that_we_don_t_know_can_t_be_answered() -> None:
    assert read_challenges(headers('Digest realm="a", nonce="1", qop="auth-conf"')) == []
    [challenge] = read_challenges(headers('Digest realm="a", nonce="1", qop="auth-conf, AUTH-INT"'))
    written = answered(Answers(challenge, "c").answer("u", "p", "BYE", "sip:a@b", b""))
    assert written["qop"] == "auth-int"


def test_what_a_server_sends_is_bounded() -> None:
    many = [f'Digest realm="{n}", nonce="1"' for n in range(100)]
    assert len(read_challenges(headers(*many))) == MAX_CHALLENGES
    began = time.process_time()
    for text in ("Digest " + "a=" * 4000, "Digest " + '"' * 8000, "Digest a=" + "\\" * 8000, "Digest" + " ," * 4000):
        assert read_challenges(headers(text)) == []
    assert time.process_time() - began < 1.0
