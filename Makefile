# The entry points; meson and ninja do the work. `make help` lists them.
BUILD ?= build
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60

.PHONY: all setup test test-all coverage demo bench fuzz format install clean help

## all: build build/troupe (the default)
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { echo "error: meson is missing: run 'make setup' first" >&2; exit 1; }
	@meson setup $(BUILD) --buildtype=release -Dtests=false >/dev/null

## setup: install what building and testing need (Debian and Ubuntu)
setup:
	@scripts/setup.sh build run test

## test: set up, build, run every test, or a sample of those that try one thing on many cases
test: setup
	@"$$(scripts/setup.sh python)" scripts/test.py $(SUITES)

## coverage: which lines of src/release the unit tests reach
coverage: setup
	@"$$(scripts/setup.sh python)" scripts/coverage.py

## test-all: every test, also the long ones, and every case of those that take samples
test-all: setup
	@TROUPE_TEST_ALL=1 TROUPE_TEST_KILLS=all TROUPE_TEST_FAULTS=all TROUPE_TEST_TIMEOUT=36000 \
		"$$(scripts/setup.sh python)" scripts/test.py

## demo: set up, build, walk through two stages of a service on the local cloud
demo:
	@scripts/setup.sh build run
	@$(MAKE) --no-print-directory all
	@scripts/demo.sh $(abspath $(BUILD))/troupe

## bench: measure against the reference packager
bench:
	@scripts/setup.sh build run test bench
	@$(MAKE) --no-print-directory all
	@"$$(scripts/setup.sh python)" tests/bench/bench.py $(abspath $(BUILD))/troupe
	@"$$(scripts/setup.sh python)" tests/bench/packaging/packaging.py $(abspath $(BUILD))/troupe

## fuzz: run every fuzz target for FUZZ_SECONDS (60)
fuzz: setup
	@FUZZ_SECONDS=$(FUZZ_SECONDS) "$$(scripts/setup.sh python)" scripts/test.py fuzz

## format: lay out C files as .clang-format says, Python files as ruff.toml does
format: setup
	@git ls-files '*.c' '*.h' | xargs clang-format -i
	@"$$(scripts/setup.sh python)" -m ruff format --no-cache --quiet

## install: install into PREFIX (/usr/local); DESTDIR is honoured
install: all
	@meson configure $(BUILD) --prefix=$(PREFIX)
	@meson install -C $(BUILD) --quiet

## clean: remove everything that was built
clean:
	@rm -rf $(BUILD) build-*

## help: this list
help:
	@sed -n 's/^## \([a-z]*\): /  make \1	/p' Makefile | expand -t 16
