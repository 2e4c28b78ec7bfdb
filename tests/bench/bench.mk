# The test bench: a real Ghost on a real Vitess. See tests/README.md.

BENCH_SET_UP := tests/bench/setup

.PHONY: e2e
e2e: bench-binary ## Boot a real Ghost 6.65.0 on a real Vitess: untreated it dies, treated it lives (root, 12 minutes)
	$(BENCH_SET_UP) 6.65.0
	node tests/bench/e2e.mjs

.PHONY: e2e-full
e2e-full: bench-binary ## Fill the matrix of Ghosts, states and treatments; goes on where it stopped (root, 3 hours)
	node tests/bench/matrix.mjs --set-up

.PHONY: bench-up
bench-up: ## Start MySQL, Vitess and the edge: STATE=managed|unmanaged|disallow RTT=20 DDL=on|off FRESH=yes|no
	$(BENCH_SET_UP) $(or $(GHOST),6.65.0)
	node tests/bench/stand.mjs up

.PHONY: bench-boot
bench-boot: ## Boot a Ghost there: GHOST=6.65.0 TREATMENT=nothing|sed|ghostfix SERVER=edge|mysql|mariadb KEEP=yes|no
	$(BENCH_SET_UP) $(or $(GHOST),6.65.0) >/dev/null
	node tests/bench/stand.mjs boot

.PHONY: bench-down
bench-down: ## End what bench-up started
	node tests/bench/stand.mjs down

# Only where it is missing: CI has built it already.
.PHONY: bench-binary
bench-binary:
	@test -x "$${GHOSTFIX:-$${CARGO_TARGET_DIR:-target}/release/ghostfix}" || cargo build --release --locked
