# make run    builds Rackhand and starts it: with a configuration the real thing, without one a demo in this terminal.
# make test   installs what is missing, then checks and tests everything.
# Both need a Debian machine with Rust and make, and root where packages are missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.PHONY: run test build generated packages tools fmt clippy deny doc check

CARGO_DENY := 0.20.2
export PATH := $(CURDIR)/target/tools/bin:$(PATH)
RACKHAND := target/debug/rackhand
# Any of these is a configuration: see docs/configuration.md.
CONFIGURED := $(TELEGRAM_BOT_TOKEN)$(TELEGRAM_BOT_TOKEN_FILE)$(RACKHAND_CONFIG)
CONFIGURED += $(wildcard rackhand.toml /etc/rackhand/rackhand.toml)

run:
	@command -v cc >/dev/null || tests/peers/packages.sh gcc libc6-dev
	@cargo build --locked --bin rackhand
	@exec $(RACKHAND) $(if $(strip $(CONFIGURED)),serve,demo)

test: packages tools fmt clippy deny doc build check

packages:
	@tests/peers/packages.sh gcc libc6-dev postgresql python3-venv openssh-client curl openssl

tools:
	@cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
	@cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
	@cargo deny --version >/dev/null 2>&1 || CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 \
	  cargo install cargo-deny@$(CARGO_DENY) --locked --debug --root target/tools

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets --locked -- -D warnings

# Advisories need the database of RustSec from github.com. Where that is out of reach the rest is still checked, and it
# is said that advisories were not.
deny:
	cargo deny check bans licenses sources
	@if timeout 120 cargo deny fetch db 2>/dev/null; then cargo deny check advisories; \
	else echo "NOT CHECKED: advisories (their database at github.com/RustSec/advisory-db is out of reach)" >&2; fi

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# What the tests run: the program itself, and the one binary of tests.
build:
	cargo build --workspace --all-targets --locked

# The files that are printed from code and checked in are compared by the tests, too.
check:
	@if cargo nextest --version >/dev/null 2>&1; then tests/peers/with.sh cargo nextest run --workspace --locked; \
	else tests/peers/with.sh cargo test --workspace --locked --no-fail-fast; fi

# Prints those files anew.
generated:
	RACKHAND_WRITE_GENERATED=1 cargo test --locked -p rackhand-tests --test it printed
