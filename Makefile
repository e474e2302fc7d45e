# Short front of meson and ninja. Each target installs what it is missing (Debian packages, see scripts/install-packages.sh).
JOBS ?= $(shell nproc)
SOURCES = $(shell git ls-files '*.c' '*.h')

.PHONY: all demo test test-long bench fuzz format-check clean packages-demo packages-bench
.NOTPARALLEL:

all:
	@scripts/install-packages.sh build
	@test -f build/build.ninja || { said=$$(meson setup build 2>&1) || { printf '%s\n' "$$said"; exit 1; }; }
	@ninja -C build -j$(JOBS) sluice

# Asked for before the build, so that a user without root is told one line and not two.
packages-demo packages-bench:
	@scripts/install-packages.sh $(@:packages-%=%)

# PAIR=pg-pg make demo: another pairing (default mariadb-pg), see scripts/demo.sh.
demo: packages-demo all
	@scripts/demo.sh

test:
	scripts/install-packages.sh test
	scripts/run-tests.sh

# The same with more seeds, kills and rows.
test-long:
	scripts/install-packages.sh test
	SLUICE_TEST_LONG=1 scripts/run-tests.sh

bench: packages-bench all
	bench/run.sh

# SECONDS_EACH=600 make fuzz: longer per target (default 60).
fuzz:
	scripts/install-packages.sh fuzz
	scripts/run-fuzz.sh $(SECONDS_EACH)

format-check:
	clang-format --dry-run --Werror $(SOURCES)

clean:
	rm -rf build
