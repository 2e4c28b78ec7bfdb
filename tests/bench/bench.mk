# The test bench: a real Ghost on a real Vitess. See tests/README.md.

BENCH_SET_UP := tests/bench/setup

.PHONY: e2e
e2e: ## Boot a real Ghost 6.65.0 on a real Vitess: untreated it dies, treated it lives (root, 12 minutes)
	tests/bench/e2e

.PHONY: e2e-full
e2e-full: bench-binary ## Fill the matrix of Ghosts, states and treatments; goes on where it stopped (root, 3 hours)
	node tests/bench/matrix.mjs --set-up --write README.md --write tests/README.md

.PHONY: bench-upgrade
bench-upgrade: bench-binary ## Repeat an upgrade and compare its data: FROM=5.75.1 TO=6.65.0 RUNS=10 TREATMENT=ghostfix TRACKER=slow
	$(BENCH_SET_UP) $(or $(FROM),5.75.1) $(or $(TO),6.65.0)
	$(if $(filter slow,$(TRACKER)),SOURCE=$(CURDIR)/tests/bench BENCH=$${GHOSTFIX_BENCH:-$(CURDIR)/.bench} tests/bench/parts/slow-tracker)
	node tests/bench/repeat.mjs --from $(or $(FROM),5.75.1) --to $(or $(TO),6.65.0) --runs $(or $(RUNS),10) --rtt $(or $(RTT),20) \
		--treatment $(or $(TREATMENT),ghostfix) $(if $(filter slow,$(TRACKER)),--slow-tracker)

.PHONY: bench-comments
bench-comments: bench-binary ## Delete what has threaded comments, with each key that comments could have, on each kind of server
	$(BENCH_SET_UP) $(or $(GHOST),6.65.0)
	node tests/bench/comments.mjs --ghost $(or $(GHOST),6.65.0)

.PHONY: bench-faults
bench-faults: ## Drive every fault and certificate of the edge once
	$(BENCH_SET_UP) 6.65.0
	node tests/bench/faults.mjs

.PHONY: e2e-preflight
e2e-preflight: ## Try preflight on states of real servers, each with what it has to find, and boot Ghost in them: SHORT=yes BOOT=no (root)
	tests/bench/e2e-preflight $(if $(filter yes,$(SHORT)),--short) $(if $(filter no,$(BOOT)),--no-boots) $(if $(WRITE),--write $(WRITE))

.PHONY: bench-prediction
bench-prediction: bench-binary ## Hold what check --from predicts against what upgrades send: SEED=1 SAMPLE=8 JUDGE=edge|mariadb
	$(BENCH_SET_UP) 5.2.4 5.75.1 5.130.6 6.0.0 6.50.0 6.65.0
	node tests/bench/prediction.mjs --judge $(or $(JUDGE),edge) --sample $(or $(SAMPLE),8) $(if $(SEED),--seed $(SEED))

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

# A binary that is named is taken as it is; ours is brought up to date, which is nothing to do in CI.
.PHONY: bench-binary
bench-binary:
	@test -n "$$GHOSTFIX" || cargo build --release --locked
