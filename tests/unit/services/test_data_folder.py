import json
import stat
from pathlib import Path

import pytest

from services.data_folder import CREDENTIALS, MASTER_KEY, master_key, open_folder, write_credentials
from services.runtime import CannotStart


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_folder_and_key_for_the_owner_alone(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "a" / "b")
    key = master_key(folder)
    assert (_mode(folder), _mode(folder / MASTER_KEY), len(key)) == (0o700, 0o600, 32)
    assert master_key(open_folder(folder)) == key
    assert [path.name for path in folder.iterdir()] == [MASTER_KEY]


def test_credentials_are_for_the_owner_alone(tmp_path: Path) -> None:
    told = {"client_id": "a", "client_secret": "b", "username": "c", "password": "d"}
    path = write_credentials(tmp_path, told)
    assert (path.name, _mode(path), json.loads(path.read_text())) == (CREDENTIALS, 0o600, told)


def test_a_folder_that_cannot_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match=r"Cannot write to the data folder .*--data"):
        open_folder(tmp_path / "file")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    master_key(tmp_path)
    (tmp_path / MASTER_KEY).chmod(0o640)
    with pytest.raises(CannotStart, match="chmod 600"):
        master_key(tmp_path)


def test_a_lost_key_is_not_replaced_beside_databases(tmp_path: Path) -> None:
    (tmp_path / "issuer.db").write_text("")
    with pytest.raises(CannotStart, match="Put it back"):
        master_key(tmp_path)
    assert not (tmp_path / MASTER_KEY).exists()


@pytest.mark.parametrize("text", ["", "00ff", "not hex at all", "\N{SNOWMAN}"])
def test_a_malformed_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / MASTER_KEY
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(CannotStart, match=MASTER_KEY):
        master_key(tmp_path)
