import dataclasses

import pytest

from services.issuer.settings import IssuerSettings
from services.options import table
from services.runtime import BadSetting, CannotStart
from services.settings import OPTIONS, Settings, from_arguments


def test_nothing_given_runs_embedded_on_loopback() -> None:
    settings = from_arguments([], {"PATH": "/bin", "RESCIND_TEST_DATABASE": "x"})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.database) == ("127.0.0.1", 8000, "")


def test_the_command_line_wins_over_the_variable() -> None:
    environ = {"RESCIND_PORT": "9000", "RESCIND_ACCESS_TTL": "60", "RESCIND_TRUSTED_PROXY": "10.0.0.0/8, fd00::/8"}
    settings = from_arguments(
        ["--port", "9001", "--allowed-origin", "https://a.example", "--allowed-origin=https://b.example"], environ
    )
    assert (settings.port, settings.access_ttl) == (9001, 60)
    assert settings.trusted_proxy == ("10.0.0.0/8", "fd00::/8")
    assert settings.allowed_origin == ("https://a.example", "https://b.example")


def test_every_option_can_be_a_variable() -> None:
    for option in OPTIONS:
        with pytest.raises(CannotStart, match="RESCIND_NONSENSE"):
            from_arguments([], {option.variable: "1", "RESCIND_NONSENSE": "1"})


@pytest.mark.parametrize(
    ("argv", "environ", "words"),
    [
        ([], {"RESCIND_POTR": "1"}, "Unknown variable RESCIND_POTR"),
        (["--potr", "1"], {}, "--potr"),
        (["--por", "1"], {}, "--por"),
        (["--port", "eighty"], {}, "--port must be a whole number from 0 to 65535."),
        ([], {"RESCIND_PORT": "70000"}, "RESCIND_PORT must be a whole number"),
        (["--access-ttl", "-1"], {}, "--access-ttl"),
        (["--access-ttl", "800000"], {}, "--access-ttl"),
        (["--access-ttl", "3600", "--refresh-ttl", "60"], {}, "--access-ttl must be shorter than --refresh-ttl"),
        (["--algorithm", "none"], {}, "--algorithm must be one of ES256, EdDSA, RS256."),
        (["--trusted-proxy", "all"], {}, "--trusted-proxy must be an address or a network"),
        (["--allowed-origin", "*"], {}, "--allowed-origin must be"),
        (["--allowed-origin", "https://a.example/app"], {}, "--allowed-origin must be an origin"),
        (["--public-url", "auth.example.com"], {}, "--public-url must be a URL"),
        (["--database", "mysql://root:hunter2@db/x"], {}, "--database must be a URL such as postgresql"),
        (["--tls-cert", "a.pem"], {}, "--tls-cert and --tls-key belong together"),
        (["--data"], {}, "--data"),
    ],
)
def test_what_is_wrong_is_one_line_without_the_value(argv: list[str], environ: dict[str, str], words: str) -> None:
    with pytest.raises(BadSetting) as caught:
        from_arguments(argv, environ)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_any_spelling_of_postgresql_uses_psycopg() -> None:
    assert from_arguments(["--database", "postgresql://u:p@h/d"], {}).database == "postgresql+psycopg://u:p@h/d"


def test_the_issuer_has_the_same_defaults() -> None:
    own = {made.name: made.default for made in dataclasses.fields(Settings)}
    theirs = {made.name: made.default for made in dataclasses.fields(IssuerSettings)}
    shared = own.keys() & theirs.keys() - {"asn_database"}
    assert len(shared) > 10
    assert {name: own[name] for name in shared} == {name: theirs[name] for name in shared}


def test_the_table_names_every_option_with_unit_and_default() -> None:
    rows = table(OPTIONS).splitlines()
    assert len(rows) == len(OPTIONS) + 2
    assert "| `--access-ttl` | 900 | seconds | life of an access token |" in rows
    assert all(row.count("|") == 5 for row in rows)
