# make .venv   everything that is needed, in .venv, from the hashed lock file
# make demo    the whole story over HTTP, with measured milliseconds (ONCE=1: end after it)
# make test    all tests; a PostgreSQL comes from RESCIND_TEST_DATABASE, Docker or pip
# make check   lint, format, types, architecture, docs
# make docs    write the generated parts of docs/ again
# make lock    write requirements/dev.txt and, for the image, requirements/server.txt again

NEW_ENOUGH := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$each && break; done)
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: .venv demo test check docs lock clean

.venv: $(INSTALLED)

$(INSTALLED): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Rescind needs Python 3.11 or newer, with venv. Name yours: make PYTHON=/usr/bin/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: .venv
	@$(BIN)/python -m demo $(if $(ONCE),--once)

test: .venv
	$(BIN)/python -m pytest $(TESTS)

check: .venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy services shared tests $(wildcard demo benchmarks)
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q tests/architecture

docs: .venv
	PYTHONPATH=tests $(BIN)/python -m kit.documents

lock: .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--extra server --extra dev pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--extra server --constraint requirements/dev.txt pyproject.toml -o requirements/server.txt

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
