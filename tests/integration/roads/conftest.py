from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.two_services import TwoServices, two_services


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[TwoServices]:
    with two_services(tmp_path) as services:
        yield services
