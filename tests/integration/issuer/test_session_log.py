import pytest
from kit.issuing import HOME, World, open_world
from sqlalchemy import Engine

from eventlog.sealing import key_name, open_sealed
from rescind.events.administration import PersonalDataRead
from rescind.events.registry import decode_personal
from rescind.position import BEGINNING
from services.issuer.contexts import LogQuery, StartSession
from services.issuer.errors import InvalidRequest, NoActiveAccount, NotFound, SessionEnded
from services.issuer.settings import DAY_S
from services.issuer.views import LogPage


@pytest.fixture
def world(engine: Engine) -> World:
    opened = open_world(engine)
    opened.account()
    return opened


def read(world: World, *, reader: str | None = None, **asked: object) -> LogPage:
    world.records()
    return world.issuer.session_log.read(LogQuery(**asked), with_personal_for=reader)  # type: ignore[arg-type]


def test_pages_follow_one_another(world: World) -> None:
    pair = world.sign_in()
    for _ in range(5):
        pair = world.refresh(pair.refresh)
    seen: list[str] = []
    after = ""
    while True:
        page = read(world, after=after, limit=3)
        seen += [each.type for each in page.entries]
        if page.next is None:
            break
        after = page.next
    assert seen == world.names()


def test_filters_narrow(world: World) -> None:
    pair = world.sign_in()
    world.account("bob")
    other = world.sign_in("bob")
    world.clock.pass_s(10)
    world.refresh(pair.refresh)
    subject = world.issuer.access.check(other.access)
    assert [each.type for each in read(world, sid=pair.sid).entries] == ["TokenIssued", "TokenRefreshed"]
    assert [each.type for each in read(world, sub=getattr(subject, "sub", "")).entries] == ["SubjectCreated", "TokenIssued"]
    assert [each.sid for each in read(world, type="TokenRefreshed").entries] == [pair.sid]
    assert [each.type for each in read(world, since=world.clock.ms).entries] == ["TokenRefreshed"]
    assert "TokenRefreshed" not in [each.type for each in read(world, until=world.clock.ms).entries]
    assert read(world, sub="nobody").entries == ()
    assert read(world, sub="a\0").entries == ()


@pytest.mark.parametrize("asked", [{"after": "one"}, {"type": "TokenStolen"}])
def test_what_is_no_position_and_no_event_is_refused(world: World, asked: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        read(world, **asked)


def test_personal_data_is_decrypted_for_those_who_may_and_audited(world: World) -> None:
    world.sign_in()
    assert all(each.personal is None for each in read(world).entries)
    issued = next(each for each in read(world, reader="client:c").entries if each.type == "TokenIssued")
    assert issued.personal is not None
    assert (issued.personal["ip"], issued.personal["username"]) == (HOME.ip, "alice")
    (audit,) = [each for each in world.events() if isinstance(each, PersonalDataRead)]
    assert audit == PersonalDataRead(by="client:c", purpose="log", subjects=1, events=1)
    read(world, reader="client:c", type="KeyRotated")
    assert world.names().count("PersonalDataRead") == 1


def test_keys_are_given_out_audited_and_open_what_the_log_has(world: World) -> None:
    pair = world.sign_in()
    record = next(each for each in world.records() if each.event.session == pair.sid)
    name = key_name(record.event.subject, record.event.time)
    keys = world.issuer.session_log.subject_keys([name, "unknown"], by="client:anomaly")
    assert list(keys) == [name]
    assert decode_personal(open_sealed(keys[name], record.event.id, record.event.personal)).ip == HOME.ip
    assert [each.purpose for each in world.events() if isinstance(each, PersonalDataRead)] == ["subject-keys"]


def test_rows_are_copied_as_they_stand(world: World) -> None:
    world.sign_in()
    rows = world.records()
    assert list(world.issuer.session_log.records(BEGINNING, limit=1000)) == rows
    assert rows[1].position is not None
    assert list(world.issuer.session_log.records(rows[1].position, limit=1)) == [rows[2]]


def test_a_forgotten_subject_cannot_be_read_found_or_used(world: World) -> None:
    pair = world.sign_in()
    subject = getattr(world.issuer.access.check(pair.access), "sub", "")
    world.issuer.subjects.forget(subject, by="admin:test")
    with pytest.raises(SessionEnded) as caught:
        world.refresh(pair.refresh)
    assert caught.value.why == "subject_forgotten"
    for entry in read(world, reader="client:c").entries:
        assert (entry.sub, entry.personal) == (None, None)
    with pytest.raises(NotFound):
        world.issuer.subjects.find(subject)
    with pytest.raises(NotFound):
        world.issuer.subjects.forget(subject, by="admin:test")
    with pytest.raises(NoActiveAccount):
        world.sign_in()
    assert world.names()[-3:-1] == ["SubjectRevoked", "SubjectForgotten"]
    assert world.account().sub != subject  # the name is free again


def test_a_forgotten_subject_of_a_back_end_may_come_back_as_somebody_new(world: World) -> None:
    client = world.client()
    before = world.issuer.sessions.start(client, StartSession(subject="bob"), HOME)
    old = world.issuer.subjects.find("bob")
    world.issuer.subjects.forget("bob", by="admin:test")
    after = world.issuer.sessions.start(client, StartSession(subject="bob"), HOME)
    assert world.issuer.subjects.find("bob").id != old.id
    with pytest.raises(SessionEnded):
        world.refresh(before.refresh)
    world.refresh(after.refresh)


def test_days_are_forgotten_after_the_retention(world: World) -> None:
    with pytest.raises(NoActiveAccount):
        world.sign_in("nobody")
    assert read(world, reader="client:c", type="LoginFailed").entries[0].personal is not None
    world.clock.pass_s(90 * DAY_S)
    world.issuer.sweeping.sweep()
    assert read(world, reader="client:c", type="LoginFailed").entries[0].personal is not None
    world.clock.pass_s(DAY_S)
    world.issuer.sweeping.sweep()
    assert read(world, reader="client:c", type="LoginFailed").entries[0].personal is None


def test_after_a_restore_no_number_is_given_twice(world: World) -> None:
    before = getattr(world.issuer.access.check(world.sign_in().access), "sn", 0)
    world.issuer.restored()
    assert getattr(world.issuer.access.check(world.sign_in().access), "sn", 0) >= before + 2**24


def test_a_restored_log_without_sessions_skips_numbers_too(engine: Engine) -> None:
    world = open_world(engine)
    world.issuer.restored()
    world.account()
    assert getattr(world.issuer.access.check(world.sign_in().access), "sn", 0) >= 2**24
