# fallbackd: two commands are all that is needed, `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: run install test quick lint docs pictures litellm lock clean

run: install                      ## the daemon on the embedded sandbox, with the shipped files; ARGS="--listen 127.0.0.1:0" adds options
	@exec $(BIN)/fallbackd run --sandbox $(ARGS)

install: .venv/installed          ## set .venv up; the command is .venv/bin/fallbackd

test: .venv/installed-test        ## every test
	@$(BIN)/python -m pytest

quick: .venv/installed-test       ## the tests that take seconds
	@$(BIN)/python -m pytest -m "not slow"

lint: .venv/installed-test        ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: install                     ## write the README's reference anew from the code
	@$(BIN)/fallbackd export reference --into README.md

pictures: .venv/installed-test    ## take the README's pictures of the status page anew; needs chromium
	@$(BIN)/python docs/pictures.py

litellm: .venv-litellm/installed   ## a real LiteLLM proxy for the end-to-end tests, in an environment of its own

lock: .venv/installed-test        ## write the pins anew from pyproject.toml
	@$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links -o requirements.lock pyproject.toml
	@$(BIN)/pip-compile --quiet --strip-extras --no-header --no-emit-index-url --no-emit-find-links --allow-unsafe --extra test -c requirements.lock -o requirements-test.lock pyproject.toml

clean:
	rm -rf .venv .venv-litellm build dist *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "fallbackd needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python requirements.lock pyproject.toml
	@echo "Setting up .venv (once; about half a minute)"
	@$(PIP) install -r requirements.lock
	@$(PIP) install --no-deps -e .
	@touch $@

.venv/installed-test: .venv/installed requirements-test.lock
	@echo "Adding what the tests need to .venv"
	@$(PIP) install -r requirements-test.lock
	@touch $@

.venv-litellm/installed: requirements-litellm.lock
	@echo "Setting up .venv-litellm"
	@$(PYTHON) -m venv .venv-litellm
	@.venv-litellm/bin/python -m pip --quiet --disable-pip-version-check install -r requirements-litellm.lock
	@touch $@
