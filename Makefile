# The targets that a person and CI call alike. `make help` lists them.
#
#   CARGO_TARGET_DIR, GHOSTFIX_BENCH (the bench's directory) and GHOSTFIX_TEST_CACHE (real packages from npm) are honoured.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Root runs apt itself; anyone else is asked for their password by sudo, where there is one.
export SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z][a-z0-9-]*:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build the release binary, target/release/ghostfix
	cargo build --release --locked

.PHONY: demo
demo: build ## Patch, prove, verify and revert a real Ghost 6.65.0, installed as the official image does
	tests/set-up/demo

.PHONY: test
test: test-tools ## Run all tests that need no Vitess: formatting, lints, unit and integration tests
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked

.PHONY: test-tools
test-tools: ## Install what the tests need beside Rust and Node (strace, attr, acl, a MariaDB server)
	tests/set-up/tools strace attr acl mariadb-server-core

.PHONY: bless
bless: ## Write snapshots, the shapes' patched twins and the README's tables anew; read the diff as if it were code
	GHOSTFIX_BLESS=1 SNAPSHOTS=overwrite cargo test --locked
	git --no-pager diff --stat -- patches README.md src tests

.PHONY: pins
pins: ## Pin what is new on npm, by digest, and say what it is
	GHOSTFIX_PINS=refresh cargo test --locked --test integration every_pin -- --nocapture

.PHONY: bench
bench: build ## Measure patch against patch-package, find and sed, on the real Ghost 6.65.0
	tests/set-up/tools hyperfine time
	benches/run

.PHONY: bench-check
bench-check: build ## Measure check against curl of Ghost's tarball, cold and warm; with ALL=1 all Ghosts warm (2 GB first)
	tests/set-up/tools hyperfine time
	benches/check

.PHONY: fuzz
fuzz: ## Fuzz parse, recognise, transform and prove for FUZZ_SECONDS (60); needs nightly Rust and clang
	mkdir -p tests/fuzz/corpus/assess
	for shape in patches/*/shapes/*.js; do cp "$$shape" "tests/fuzz/corpus/assess/$${shape//\//-}"; done
	cd tests/fuzz && RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing" \
		cargo +nightly run --release --target "$$(rustc +nightly -vV | sed -n 's/^host: //p')" --bin assess -- -max_total_time=$${FUZZ_SECONDS:-60} -max_len=4096 -timeout=20 corpus/assess

.PHONY: image
image: ## Build the static binary of docker/Dockerfile without Docker (x86_64 musl)
	tests/set-up/tools musl-tools
	rustup target add x86_64-unknown-linux-musl
	cargo build --release --locked --target x86_64-unknown-linux-musl

.PHONY: image-test
image-test: image ## Build the Ghost images of docker/ with buildah, on a stand-in for ghost:6, and compare them (root)
	tests/docker/run

include $(wildcard tests/bench/bench.mk)
