"""docker-compose.yml and the image keep what docs/operations.md says of them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.cluster.settings import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
CLUSTER: Any = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: Any = CLUSTER["services"]
OURS = sorted(name for name, each in SERVICES.items() if each["image"] == "rescind")
SERVING = ["anomaly", "issuer", "orders", "photos", "relay", "revocation"]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text("utf-8")
SECRET = re.compile(r"(?i)(password|secret|token|key)")


def test_it_is_the_whole_cluster() -> None:
    assert set(OURS) == {*SERVING, "bootstrap", "database-password", "join", "story", "topics"}
    assert {name: each["image"] for name, each in SERVICES.items() if name not in OURS} == {
        "kafka": "apache/kafka:4.3.1",
        "postgres": "postgres:17",
    }


@pytest.mark.parametrize("name", OURS)
def test_ours_can_change_nothing_but_their_volumes(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nobody_has_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "pid", "devices"} & set(service)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_for_this_machine_only(name: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_the_database_and_the_broker_are_reached_from_inside_only() -> None:
    assert CLUSTER["networks"]["data"]["internal"] is True
    assert all(SERVICES[name]["networks"] == ["data"] and "ports" not in SERVICES[name] for name in ("postgres", "kafka"))


@pytest.mark.parametrize("name", [*SERVING, "kafka", "postgres"])
def test_what_runs_on_has_a_health_check(name: str) -> None:
    test = SERVICES[name]["healthcheck"]["test"]
    assert (test == ["CMD", "healthy"]) is (name in OURS)
    assert test
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_secret_stands_in_it(name: str) -> None:
    given = {key: value for key, value in SERVICES[name].get("environment", {}).items() if SECRET.search(key)}
    assert all(str(value).startswith("/") for value in given.values()), "the name of a file, never the secret"
    assert not re.search(r"://[^/\s]*:[^@/\s]*@", str(SERVICES[name]))


def test_a_volume_with_the_master_key_is_in_no_running_service() -> None:
    holders = {name for name, each in SERVICES.items() if any(volume.startswith("keys:") for volume in each.get("volumes", []))}
    assert holders == {"bootstrap", "join"}


@pytest.mark.parametrize("name", SERVING)
def test_a_running_service_has_its_own_credentials_and_no_others(name: str) -> None:
    given = [volume for volume in SERVICES[name]["volumes"] if volume.partition(":")[0] not in {"database", "checkpoints"}]
    assert given == [f"{name}:/credentials:ro"]


def test_volumes_have_names() -> None:
    used = {volume.partition(":")[0] for each in SERVICES.values() for volume in each.get("volumes", [])}
    assert used == set(CLUSTER["volumes"])


def test_the_story_starts_nothing() -> None:
    assert SERVICES["story"]["profiles"] == ["story"]
    assert "depends_on" not in SERVICES["story"]


@pytest.mark.parametrize("name", OURS)
def test_variables_are_settings(name: str) -> None:
    known = {option.variable for option in OPTIONS}
    assert not {key for key in SERVICES[name].get("environment", {}) if key.startswith("RESCIND_")} - known


def test_the_image_is_made_of_locked_packages_and_runs_as_nobody() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert "USER 10001:10001" in DOCKERFILE
    assert not re.search(r"(?m)^(ARG|ENV) .*" + SECRET.pattern[4:], DOCKERFILE, re.IGNORECASE)


def test_the_image_has_the_versions_that_are_tested() -> None:
    pins = re.compile(r"(?m)^([a-z0-9-]+)==(\S+)")
    server, tested = (dict(pins.findall((ROOT / f"requirements/{name}.txt").read_text("utf-8"))) for name in ("server", "dev"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[\[><=]", each)[0].lower() for each in project["optional-dependencies"]["server"]}
    assert len(wanted) > 10
    assert not wanted - server.keys(), "run `make lock`"
    assert not {name for name, version in server.items() if tested.get(name) != version}, "run `make lock`"
