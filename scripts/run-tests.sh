#!/bin/bash
# Builds with ASan and UBSan and runs everything that can fail: static checks, a clang build, unit tests, end-to-end tests.
# Usage: scripts/run-tests.sh [checks|unit|e2e ...]   (default: all three). Extra pytest arguments: SLUICE_PYTEST_ARGS.
# The last line is "N passed, N failed" over all parts; exit status 1 when one failed or none ran.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
parts=${*:-checks unit e2e}
jobs=${JOBS:-$(nproc)}
passed=0 failed=0
mkdir -p build

# count NAME PASSED FAILED: the line of one part.
count() {
    echo "-- $1: $2 passed, $3 failed"
    passed=$((passed + $2)) failed=$((failed + $3))
}

# check NAME COMMAND...: one test that is a command; its output is shown when it fails.
check() {
    local name=$1 log
    shift
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        count "$name" 1 0
    else
        tail -n 60 "$log"
        count "$name" 0 1
    fi
    rm -f "$log"
}

# build DIR [MESON_ARG...]: configures once, then builds; werror makes every warning a failure.
build() {
    local dir=$1
    shift
    [ -f "$dir/build.ninja" ] || meson setup "$dir" "$@" || return 1
    ninja -C "$dir" -j"$jobs"
}

run_checks() {
    check "layers" scripts/check-layers.sh
    check "style" scripts/check-style.sh
    check "limits" scripts/check-limits.sh
    if command -v clang >/dev/null; then
        CC=clang check "clang build without a warning" build build/clang -Dtests=true
    else
        echo "clang is not installed"
        count "clang build without a warning" 0 1
    fi
}

run_unit() {
    rm -f build/asan/meson-logs/testlog.json
    timeout 1200 meson test -C build/asan --no-rebuild --num-processes "$jobs" --print-errorlogs --no-stdsplit
    local numbers
    numbers=$(python3 scripts/count-tests.py meson build/asan/meson-logs/testlog.json)
    # shellcheck disable=SC2086
    count "unit" $numbers
}

run_e2e() {
    # One test of a default run takes a minute at most; one that hangs is ended, named, and shows where it waited.
    local python report=$root/build/e2e.xml status numbers seconds_each=600
    [ -z "${SLUICE_TEST_LONG:-}" ] || seconds_each=0
    rm -f "$report"
    python=$(scripts/test-venv.sh)/bin/python
    if [ ! -x "$python" ]; then
        count "e2e (no Python environment, see above)" 0 1
        return
    fi
    # LeakSanitizer reads the process with ptrace at exit; sluice forbids that to users other than root (PR_SET_DUMPABLE 0).
    [ "$(id -u)" -eq 0 ] || export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"
    # shellcheck disable=SC2086
    timeout "${SLUICE_E2E_SECONDS:-3900}" "$python" -m pytest tests/e2e -q -n "$jobs" --dist loadfile --timeout "$seconds_each" --timeout-method signal \
        --junitxml="$report" -o junit_family=xunit2 ${SLUICE_PYTEST_ARGS:-}
    status=$?
    numbers=$(python3 scripts/count-tests.py junit "$report")
    # A run that ended badly without naming a failed test (killed, no test found, collection error) is a failure.
    case "$status:$numbers" in
    0:*) ;;
    *" 0") numbers="${numbers% *} 1" ;;
    esac
    # shellcheck disable=SC2086
    count "e2e" $numbers
}

check "gcc build with ASan and UBSan" build build/asan -Db_sanitize=address,undefined -Dtests=true
export SLUICE_BIN=$root/build/asan/sluice
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
if [ "$failed" -eq 0 ]; then
    for part in $parts; do "run_$part"; done
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
