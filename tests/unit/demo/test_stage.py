import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from demo.stage import Stage

ONE: Mapping[str, object] = {"rescind": "https://one", "apis": {}, "client_id": "c", "client_secret": "s"}
CLUSTER = {**ONE, "revocation": "https://list", "anomaly": "https://finder"}


def stage(folder: Path, given: Mapping[str, object]) -> Stage:
    path = folder / "stage.json"
    path.write_text(json.dumps(given), "utf-8")
    return Stage.read(path)


@pytest.mark.parametrize(
    ("path", "served_by"),
    [
        ("/v1/revocations/1/lift", "https://list"),
        ("/v1/verifiers", "https://list"),
        ("/v1/findings", "https://finder"),
        ("/v1/subjects", "https://one"),
        ("/oauth/token", "https://one"),
    ],
)
def test_each_path_is_asked_of_the_service_that_has_it(tmp_path: Path, path: str, served_by: str) -> None:
    assert stage(tmp_path, CLUSTER).url(path) == served_by + path
    assert stage(tmp_path, ONE).url(path) == "https://one" + path


def test_a_stage_shows_no_secret(tmp_path: Path) -> None:
    assert "hidden" not in repr(stage(tmp_path, {**CLUSTER, "client_secret": "hidden"}))
