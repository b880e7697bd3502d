# Two commands matter: `make site` and `make test`. Both build their own surroundings first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PG ?= all
# Tests wait for locks, processes and servers a third of the time: more workers than a small machine has cores.
WORKERS ?= 3
# Which moments `make faults` tries: all, a shard such as 2/4, or names such as up-KILL-3.
MOMENTS ?= all
# Which shapes `make zoo` takes: all, or a shard such as 2/4.
ZOO ?= all
# `make pages` looks at one page of each kind; EVERY=1: at all, a few minutes.
EVERY ?=
# Majors the site is published for; empty is the default server only.
SITE_PG ?=
# The commit whose schema `make migrations` upgrades; empty tests no upgrade.
BASE ?=

# Where `make programs` puts PgBouncer, for the pages about it.
CACHE := $(or $(PGREHEARSE_CACHE),$(if $(filter 0,$(shell id -u)),/var/cache,$(or $(XDG_CACHE_HOME),$(HOME)/.cache))/pgrehearse)
export PATH := $(CACHE)/debian/path:$(PATH)

# Set in many containers: then each of a thousand processes would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help site pages browser test faults zoo check programs serve matrix preview zoo-preview thorough budget migrations evidence benchmark \
	generate lock clean

help: ## Show this list
	@echo "pgrehearse: a handbook of PostgreSQL schema changes whose every block is executed"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

site: $(READY) ## Execute every document on a real PostgreSQL, build the site, check the built pages
	$(BIN)/pgrehearse build $(if $(SITE_PG),--pg $(SITE_PG))
	$(BIN)/python tools/example_status.py site
	$(BIN)/python tools/offline_site.py site
	@echo "the site is in site/; look at it with: $(BIN)/python -m http.server --directory site --bind 127.0.0.1 8000"

pages: $(READY) ## Look at the built site in a browser: search, accessibility, phones (EVERY=1: all pages)
	EVERY=$(EVERY) PGREHEARSE_BUILT_SITE=$(CURDIR)/site $(BIN)/python -m pytest -q tests/browser/test_site.py

# The fonts are those that the theme asks for, by other names: with wider ones each page is longer than on a reader's phone.
browser: ## Install Chromium and its fonts where they are not, for the tests in a browser (Debian, as root)
	@{ command -v chromium && fc-list | grep LiberationSans-Regular; } || \
	  { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium fontconfig fonts-liberation; } || \
	  { command -v chromium && echo "without the fonts of the theme: pages are longer here"; }

# What takes a minute comes first: what comes last is what workers wait for at the end.
test: check ## Check the form of code and documents, then run all tests and documents
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal --measure docs runbooks db tests
	@echo "passed: code checks, tests, every document on PostgreSQL, its DDL as measured before"

faults: $(READY) ## Let commands be killed, cut off and crashed at every seeded moment (MOMENTS=2/4: a shard)
	PGREHEARSE_FAULTS=$(MOMENTS) $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal tests/faults

zoo: $(READY) ## Every runbook on tables of every shape in zoo/ (ZOO=2/4: a shard; PG=15: on that server)
	PGREHEARSE_ZOO=$(ZOO) $(if $(filter-out all,$(PG)),PGREHEARSE_TEST_MAJOR=$(PG)) \
	  $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal tests/zoo

check: $(READY) ## Only the checks that need no server: lint, types, layers, document format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pgrehearse lint
	$(BIN)/pgrehearse sync --check
	$(BIN)/python tools/generate.py --check
	$(BIN)/python tools/strong_words.py

programs: $(READY) ## Unpack PgBouncer, pgBackRest and Barman beside the system, for the tests about them (Debian)
	$(BIN)/python tools/debian_programs.py
	$(BIN)/python tools/barman_program.py

serve: $(READY) ## Live site: save a document, it is executed and its page reloads
	$(BIN)/pgrehearse serve

matrix: $(READY) ## Every document and every rehearsal on PostgreSQL 15 to 18, against evidence/ (PG=15,17 for some)
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal --measure --pg $(PG) docs runbooks
	$(BIN)/pgrehearse rehearse --pg $(PG)

preview: $(READY) ## Documents, rehearsals and tests/db on Debian's newest PostgreSQL 19, against evidence/ (Debian)
	$(BIN)/python tools/debian_programs.py --newest postgresql-19
	$(MAKE) matrix PG=19
	PGREHEARSE_TEST_MAJOR=19 PGREHEARSE_DRIFT_MAJORS=19 $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal tests/db

zoo-preview: $(READY) ## Every runbook on tables of every shape, on Debian's newest PostgreSQL 19 (ZOO=2/4: a shard)
	$(BIN)/python tools/debian_programs.py --newest postgresql-19
	$(MAKE) zoo PG=19 ZOO=$(ZOO)

thorough: $(READY) ## Unit tests with 20 times as many made-up examples, others in every run (a few minutes)
	$(BIN)/python -m pytest -q -n $(WORKERS) --hypothesis-profile thorough tests/unit

migrations: $(READY) ## Test the migrations on PostgreSQL 15 to 18 and with dbmate (BASE=v1.0: upgrade that release too)
	$(BIN)/pgrehearse db test --pg $(PG) --dbmate $(if $(BASE),--base $(BASE))

budget: $(READY) ## Apply the migrations to 1,000,000 rows and compare with db/budgets.toml (half a minute)
	$(BIN)/pgrehearse db timing --rehearse $(if $(filter-out all,$(PG)),--pg $(PG))

evidence: $(READY) ## Measure and rehearse everything on PostgreSQL 15 to 18 and write evidence/ (a quarter of an hour)
	$(BIN)/pgrehearse measure --refresh --pg $(PG)
	$(BIN)/pgrehearse rehearse --refresh --pg $(PG)
	$(BIN)/pgrehearse record --refresh --pg $(PG)

benchmark: $(READY) ## Ratios: documents against psql, notebooks, and the time inside PostgreSQL
	$(BIN)/python benchmarks/run.py

generate: $(READY) ## Rewrite the generated parts of the reference pages
	$(BIN)/python tools/generate.py

lock: ## Renew requirements.lock from pyproject.toml (needs uv on PATH)
	uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes --no-header -q pyproject.toml -o requirements.lock

clean: ## Remove what the other commands made here; the cache of servers stays
	rm -rf $(VENV) site .pgrehearse .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than 3.11, or is not there; next: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "installing into $(VENV) (once; about a minute)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@
