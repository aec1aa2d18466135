"""Services' own tokens, from the real issuer to the real revocation service; and what happens when they are no good any more."""

from __future__ import annotations

import logging
import traceback
from contextlib import closing
from http import HTTPStatus

import pytest
from kit.raw_server import HOLD, HTML, http_answer, raw_server
from kit.two_services import TwoServices
from kit.waiting import until

from rescind.vocabulary import Reason, TargetType
from services.principal import Principal
from services.revocation.decisions.commands import MakeRevocation
from services.roads.errors import NoAnswer
from services.roads.service_token import Granted, ServiceToken, ask_issuer
from services.roads.wire import Wire

ADMIN = Principal("admin", "admin", None, -1, frozenset({"admin"}))


def reads(apart: TwoServices, token: ServiceToken) -> HTTPStatus:
    return HTTPStatus(apart.to_revocation(token).get("/v1/facts", {"iss": apart.iss}).status)


def test_a_token_of_the_issuer_opens_the_other_service(apart: TwoServices) -> None:
    assert reads(apart, apart.relay_token()) == 200


def test_a_scope_that_the_client_lacks_is_not_given(apart: TwoServices) -> None:
    with pytest.raises(NoAnswer, match=r"^the issuer answers 400 invalid_scope$"):
        apart.token(apart.relay_id, apart.relay_secret, "admin").current()


def test_a_scope_that_the_token_lacks_is_not_allowed(apart: TwoServices) -> None:
    token = apart.token(apart.relay_id, apart.relay_secret, "log:replicate")
    with pytest.raises(NoAnswer, match="does not allow this service that"):
        apart.to_revocation(token).get("/v1/verifiers", {}).expect(HTTPStatus.OK)


@pytest.mark.parametrize("odd", ["N0t-The-Secret", "ä:+% /", "x" * 200])
def test_a_wrong_secret_is_not_quoted(apart: TwoServices, odd: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(NoAnswer, match="does not accept this service's credential") as found:
        apart.token(apart.relay_id, odd, "facts:write").current()
    assert odd not in "".join(traceback.format_exception(found.value))
    assert odd not in caplog.text


def test_a_refused_token_is_replaced_within_the_request(apart: TwoServices) -> None:
    """It expired while this process slept, or its signing key was withdrawn."""
    good = apart.relay_token()
    tokens = iter(["eyJhbGciOiJFUzI1NiJ9.e30.AAAA", good.current(), good.current()])
    token = ServiceToken(lambda: Granted(next(tokens), 900))
    assert reads(apart, token) == 200


def test_control_a_token_that_cannot_be_replaced_is_refused(apart: TwoServices) -> None:
    token = ServiceToken(lambda: Granted("eyJhbGciOiJFUzI1NiJ9.e30.AAAA", 900))
    assert reads(apart, token) == 401


def test_a_revoked_client_is_refused_whatever_token_it_gets(apart: TwoServices) -> None:
    token = apart.relay_token()
    assert reads(apart, token) == 200
    apart.revocation.revocations.make(
        MakeRevocation(target_type=TargetType.CLIENT, target_id=apart.relay_id, reason=Reason.COMPROMISED), ADMIN
    )
    until(lambda: len(apart.revocation.projector.listed) == 1)
    held = token.current()
    stolen = ServiceToken(lambda: Granted(held, 900))
    with pytest.raises(NoAnswer, match="401 token_not_valid"):
        apart.to_revocation(stolen).get("/v1/facts", {"iss": apart.iss}).expect(HTTPStatus.OK)


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b'{"access_token":"a b","token_type":"Bearer","expires_in":900}'),
        http_answer(b'{"access_token":"a\\r\\nX: y","token_type":"Bearer","expires_in":900}'),
        http_answer(b'{"access_token":"","token_type":"Bearer","expires_in":900}'),
        http_answer(b'{"access_token":7,"token_type":"Bearer","expires_in":900}'),
        http_answer(b'{"token_type":"Bearer","expires_in":900}'),
        http_answer(b'{"access_token":"a","token_type":"mac","expires_in":900}'),
        http_answer(b'{"access_token":"a","expires_in":900}'),
        http_answer(b'{"access_token":"a","token_type":"Bearer","expires_in":true}'),
        http_answer(b'{"access_token":"a","token_type":"Bearer","expires_in":0}'),
        http_answer(b'{"access_token":"a","token_type":"Bearer","expires_in":"900"}'),
        http_answer(b'{"access_token":"a","token_type":"Bearer"}'),
        http_answer(b'{"access_token":"a","token_type":"Bearer","expires_in":900}')[:-1],
        http_answer(b'{"error":"temporarily_unavailable"}', status="503 Service Unavailable"),
        HTML,
        HOLD,
        b"",
    ],
)
def test_what_is_no_token_is_no_answer(answer: bytes) -> None:
    with raw_server(answer) as server, closing(Wire("the issuer", server.url, patience_s=0.3)) as wire, pytest.raises(NoAnswer):
        ask_issuer(wire, "client", "secret", "facts:write")


def test_control_a_token_is_one() -> None:
    answer = http_answer(b'{"access_token":"a","token_type":"bearer","expires_in":900,"scope":"facts:write"}')
    with raw_server(answer) as server, closing(Wire("the issuer", server.url)) as wire:
        assert ask_issuer(wire, "client", "secret", "facts:write") == Granted("a", 900)
    assert b"secret" not in server.asked[0]
    assert server.asked[0].endswith(b"\r\n\r\ngrant_type=client_credentials&scope=facts%3Awrite")
