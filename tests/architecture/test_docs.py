"""The docs say what the code does: their generated parts are fresh, their links lead somewhere, nothing is undocumented."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from fastapi import FastAPI
from kit import documents
from kit.endpoints import Endpoint, endpoints

from services.access import SCOPES
from services.cluster.settings import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return documents.served_app()


@pytest.fixture(scope="module")
def found(app: FastAPI) -> Sequence[Endpoint]:
    return endpoints(app)


def test_generated_parts_are_fresh(found: Sequence[Endpoint]) -> None:
    pages = documents.pages(found)
    stale = [
        path.name for path, part in pages.items() if documents.with_part(path.read_text("utf-8"), part) != path.read_text("utf-8")
    ]
    assert not stale, "run `make docs`"


def test_every_scope_opens_something_and_every_need_is_in_the_table(found: Sequence[Endpoint]) -> None:
    used = {scope for each in found for scope in each.scopes} | documents.ASKED_INSIDE.keys()
    assert used == SCOPES.keys() - {"admin"}


def test_every_endpoint_has_words(found: Sequence[Endpoint]) -> None:
    assert len(found) > 40
    assert not [each.name for each in found if not each.words]


def test_openapi_knows_what_it_refers_to_and_what_malformed_requests_get(app: FastAPI) -> None:
    document = app.openapi()
    text = json.dumps(document)
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert not set(re.findall(r'"\$ref": "([^"]+)"', text)) - known
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    statuses = {status for operation in operations for status in operation["responses"]}
    assert "ValidationError" not in text, "FastAPI's own 422, which nobody is answered with"
    assert {"400", "401", "403", "503"} <= statuses


def test_every_setting_is_named_with_its_variable() -> None:
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    assert not [option.flag for option in OPTIONS if f"`{option.flag}`" not in page]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = [
        target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target and not target.startswith("mailto:")
    ]
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_options_that_the_docs_mention_exist() -> None:
    """`--flag` in backquotes, but for those of other programs."""
    known = {option.flag for option in OPTIONS} | {"--help", "--require-hashes", "--preload", "--strict", "--no-deps"}
    mentioned = {flag for page in PAGES for flag in re.findall(r"`(--[a-z][a-z-]+)", page.read_text("utf-8"))}
    assert not mentioned - known


def test_decisions_are_listed() -> None:
    listing = (ROOT / "docs/adr/README.md").read_text("utf-8")
    decisions = {path.name for path in (ROOT / "docs/adr").glob("0*.md")}
    assert decisions == set(LINK.findall(listing))
    assert all(len((ROOT / "docs/adr" / name).read_text("utf-8").splitlines()) < 60 for name in decisions), "one page each"
