import threading
from pathlib import Path

import pytest
from kit.issuing import CHROME, FIREFOX, cheap_hasher
from kit.mmdb import mmdb
from maxminddb import InvalidDatabaseError

from eventlog.errors import Overloaded
from services.issuer.contexts import NOWHERE, RequestContext
from services.issuer.decisions.presence import UNKNOWN
from services.issuer.errors import InvalidRequest
from services.issuer.networks import Networks, Origin, canonical, open_networks
from services.issuer.observing import observe
from services.issuer.passwords import Passwords, check_new
from services.issuer.user_agents import Agent, cleaned, parse

RECORD = {"autonomous_system_number": 64500, "country": {"iso_code": "FR"}}
MAP = Networks({"192.0.2.7": RECORD, "2001:db8::1": {"autonomous_system_number": "64500"}, "192.0.2.9": [1]}.get)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("010.0.0.1", None),
        ("0x7f.1", None),
        ("unknown", None),
        ("<script>", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_has_one_spelling_or_is_unknown(text: str | None, expected: str | None) -> None:
    assert canonical(text) == expected


def test_an_origin_is_read_from_what_the_file_says_and_nothing_else() -> None:
    assert MAP.origin("192.0.2.7") == Origin(64500, "FR")
    assert MAP.origin("2001:db8::1") == Origin()
    assert MAP.origin("192.0.2.9") == Origin()
    assert MAP.origin("203.0.113.1") == Origin()


def test_without_a_file_nothing_is_known() -> None:
    assert open_networks("").origin("192.0.2.7") == Origin()


def test_a_missing_file_is_an_error_at_start() -> None:
    with pytest.raises(OSError, match="No such file"):
        open_networks("no-such-file.mmdb")


def test_a_real_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "asn.mmdb"
    file.write_bytes(mmdb({"192.0.2.0/24": RECORD, "2001:db8::/32": {"autonomous_system_number": 64501}}))
    networks = open_networks(str(file))
    assert networks.origin("192.0.2.77") == Origin(64500, "FR")
    assert networks.origin("2001:db8:7::1") == Origin(64501)
    assert networks.origin("198.51.100.1") == Origin()


def test_a_file_that_is_no_database_is_an_error_at_start(tmp_path: Path) -> None:
    (tmp_path / "asn.mmdb").write_text("no database")
    with pytest.raises(InvalidDatabaseError):
        open_networks(str(tmp_path / "asn.mmdb"))


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        (CHROME, Agent("Chrome", "Linux")),
        (FIREFOX, Agent("Firefox", "Linux")),
        ("MyApp/1.0", Agent()),
        ("curl/8.0", Agent("curl")),
    ],
)
def test_a_user_agent_has_families(text: str, agent: Agent) -> None:
    assert parse(text) == agent


def test_a_user_agent_is_cleaned_before_it_is_kept() -> None:
    assert cleaned("a\0b\n") == "ab"
    assert cleaned("x" * 5000) == "x" * 512
    assert cleaned(" ") is None
    assert cleaned(None) is None


def test_a_request_is_observed() -> None:
    seen = observe(RequestContext(ip="::ffff:192.0.2.7", user_agent=CHROME, device="d\0"), MAP)
    assert (seen.ip, seen.browser, seen.os, seen.device, seen.asn, seen.place) == (
        "192.0.2.7",
        "Chrome",
        "Linux",
        "d",
        64500,
        "FR",
    )
    assert observe(NOWHERE, MAP) == UNKNOWN
    assert observe(RequestContext(), MAP).known


def test_a_password_is_verified_once_whether_or_not_there_is_one() -> None:
    passwords = Passwords(cheap_hasher(), at_once=1)
    stored = passwords.hash("correct horse")
    passwords.calls = 0
    assert passwords.verify(stored, "correct horse")
    assert not passwords.verify(stored, "wrong")
    assert not passwords.verify(None, "correct horse")
    assert not passwords.verify(None, "nobody has this password")
    assert not passwords.verify("no hash", "x")
    assert not passwords.verify(stored, "\ud800")
    assert passwords.calls == 6


def test_too_many_at_once_are_told_to_come_again() -> None:
    entered, leave = threading.Event(), threading.Event()

    class Slow(type(cheap_hasher())):  # type: ignore[misc]
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002, ARG002  (argon2's names)
            entered.set()
            return leave.wait(30)

    passwords = Passwords(Slow(time_cost=1, memory_cost=8, parallelism=1), at_once=1, wait_s=0.0)
    first = threading.Thread(target=passwords.verify, args=(None, "x"))
    first.start()
    entered.wait(30)
    with pytest.raises(Overloaded):
        passwords.verify(None, "y")
    leave.set()
    first.join()


@pytest.mark.parametrize("bad", ["", "seven77", "x" * 1025, "eight888\ud800"])
def test_a_new_password_has_a_length_and_nothing_else(bad: str) -> None:
    with pytest.raises(InvalidRequest):
        check_new(bad)
    check_new("        ")
