import pytest

from eventlog.sealing import CannotOpen, is_day_key, key_name, new_key, open_sealed, seal
from services.issuer.decisions import profile_json
from services.issuer.decisions.binding import Anchor
from services.issuer.decisions.presence import UNKNOWN, Presence
from services.issuer.decisions.session import Profile
from services.issuer.vault import Vault

KEY = new_key()


def test_what_is_sealed_opens_with_its_key_at_its_place_alone() -> None:
    sealed = seal(KEY, "event-1", b"192.0.2.7")
    assert open_sealed(KEY, "event-1", sealed) == b"192.0.2.7"
    for key, place, data in (
        (new_key(), "event-1", sealed),
        (KEY, "event-2", sealed),
        (KEY, "event-1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (KEY, "event-1", sealed[:5]),
        (KEY, "event-1", b""),
    ):
        with pytest.raises(CannotOpen):
            open_sealed(key, place, data)


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert seal(KEY, "e", b"x") != seal(KEY, "e", b"x")


def test_an_event_without_a_subject_uses_its_days_key() -> None:
    assert key_name("subject-1", 0) == "subject-1"
    assert key_name("", 1_800_000_000_000) == "day-2027-01-15"
    assert key_name("", 1_799_971_199_999) == "day-2027-01-14"
    assert is_day_key("day-2027-01-15")
    assert not is_day_key("subject-1")


def test_a_vault_opens_what_it_wrapped_under_the_same_name() -> None:
    vault = Vault(b"m" * 32)
    wrapped = vault.wrap("a", KEY)
    assert vault.unwrap("a", wrapped) == KEY
    assert KEY not in wrapped
    for other, name in ((vault, "b"), (Vault(b"n" * 32), "a")):
        with pytest.raises(CannotOpen):
            other.unwrap(name, wrapped)


def test_a_short_master_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(b"short")


def test_names_are_recognised_and_not_read() -> None:
    vault = Vault(b"m" * 32)
    assert vault.name_mac("hunter2") == vault.name_mac("hunter2")
    assert vault.name_mac("hunter2") != vault.name_mac("hunter3")
    assert vault.name_mac("hunter2") != Vault(b"n" * 32).name_mac("hunter2")
    assert len(vault.name_mac("\ud800")) == 32


def test_a_profile_survives_its_row() -> None:
    full = Profile(
        anchor=Anchor(networks=("192.0.2.0/24",), asn=1, device="d", browser="Chrome"),
        last=Presence(ip="192.0.2.7", user_agent="ua", device="d", browser="Chrome", os="Linux", asn=1, place="FR"),
        device_name="phone",
        claims={"tier": ["gold", 1, None]},
    )
    assert profile_json.load(profile_json.dump(full)) == full
    assert profile_json.load(profile_json.dump(Profile(last=UNKNOWN))) == Profile(last=UNKNOWN)
