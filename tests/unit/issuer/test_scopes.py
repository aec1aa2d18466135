import pytest

from services.issuer.decisions import names, scopes
from services.issuer.decisions.access_claims import RESERVED, check_extra
from services.issuer.errors import InvalidRequest, InvalidScope

OWN = frozenset({"admin", "log:read", "keys:write"})


@pytest.mark.parametrize(
    ("asked", "allowed", "expected"),
    [
        (None, {"a", "b"}, {"a", "b"}),
        ("", {"a", "b"}, {"a", "b"}),
        ("a", {"a", "b"}, {"a"}),
        ("b a", {"a", "b"}, {"a", "b"}),
        ("log:read", {"admin"}, {"log:read"}),
        ("admin", {"admin"}, {"admin"}),
        (None, set(), set()),
    ],
)
def test_a_client_gets_at_most_what_it_has(asked: str | None, allowed: set[str], expected: set[str]) -> None:
    assert scopes.narrowed(asked, frozenset(allowed), OWN) == expected


@pytest.mark.parametrize(("asked", "allowed"), [("c", {"a"}), ("log:read", {"a"}), ("orders", {"admin"})])
def test_more_is_refused(asked: str, allowed: set[str]) -> None:
    with pytest.raises(InvalidScope):
        scopes.narrowed(asked, frozenset(allowed), OWN)


@pytest.mark.parametrize("bad", ["", "a b", 'a"', "a\\", "é", "a\n", "x" * 101])
def test_a_scope_is_one_word(bad: str) -> None:
    with pytest.raises(InvalidRequest):
        scopes.parse([bad])


def test_equal_scopes_are_equal_text() -> None:
    assert scopes.words({"b", "a"}) == scopes.words(["a", "b"]) == "a b"
    assert scopes.split("b a") == {"a", "b"}


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_claims_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_extra({name: 1}, 10)


def test_large_claims_are_refused() -> None:
    check_extra({"tier": "gold"}, 2048)
    with pytest.raises(InvalidRequest):
        check_extra({"tier": "gold"}, 2049)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Alice", "alice"),
        (" alice ", "alice"),
        ("\uff41lice", "alice"),
        ("STRASSE", "strasse"),
        ("a\0", ""),
        ("", ""),
        ("\ud800", ""),
        ("x" * 256, ""),
    ],
)
def test_a_username_has_one_spelling(text: str, expected: str) -> None:
    assert names.username(text) == expected


def test_a_device_name_is_printable_and_short() -> None:
    assert names.device_name("  My\0 phone\n") == "My phone"
    assert names.device_name("\n") is None
    with pytest.raises(InvalidRequest):
        names.device_name("x" * 101)


@pytest.mark.parametrize(("text", "is_id"), [("a" * 32, True), ("A" * 32, False), ("a" * 31, False), ("a" * 32 + "\n", False)])
def test_an_id_is_32_hex_digits(text: str, is_id: bool) -> None:
    assert names.is_id(text) is is_id
