#!/bin/bash
# Builds the fuzz targets (clang, libFuzzer, ASan, UBSan) and runs each on its corpus.
# Usage: scripts/run-fuzz.sh [SECONDS [TARGET ...]]   default: 60 seconds each, all targets. New inputs stay in build/fuzz/corpus/<target>;
# a crashing input is left in build/fuzz/crash/ and its path printed. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
export CC=clang
if [ ! -f build/fuzz/build.ninja ]; then
    meson setup build/fuzz -Dfuzz=true -Db_sanitize=address,undefined -Dbuildtype=debugoptimized \
        -Dc_args=-fsanitize=fuzzer-no-link || exit 1
fi
ninja -C build/fuzz -j"${JOBS:-$(nproc)}" >build/fuzz/ninja.log 2>&1 || { tail -n 60 build/fuzz/ninja.log; echo "0 passed, 1 failed"; exit 1; }
if [ $# -eq 0 ]; then
    for binary in build/fuzz/tests/fuzz/fuzz_*; do
        [ -f "$binary" ] && [ -x "$binary" ] && set -- "$@" "$(basename "$binary" | sed s/^fuzz_//)"
    done
fi
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
passed=0 failed=0
mkdir -p build/fuzz/crash
for target; do
    seeds=tests/fuzz/corpus/$target own=build/fuzz/corpus/$target log=build/fuzz/$target.log
    mkdir -p "$own"
    folders=("$own")
    [ -d "$seeds" ] && folders+=("$seeds")
    dictionary=()
    [ -f "tests/fuzz/$target.dict" ] && dictionary=(-dict="tests/fuzz/$target.dict")
    if "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/crash/$target-" "${dictionary[@]}" "${folders[@]}" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "-- $target: $(sed -n 's/^stat::number_of_executed_units: */runs /p' "$log"), no report"
    else
        failed=$((failed + 1))
        grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "$log" | head -n 20
        echo "-- $target: failed, see $log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
