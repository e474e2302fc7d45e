#!/bin/bash
# docs/LIMITS.md against the #defines of the headers: each limit (NAME with MAX or LIMIT) of src/**/*.h has a row with its value, and no row is left over.
set -uo pipefail
cd "$(dirname "$0")/.."
defined=$(git ls-files 'src/*.h' | xargs grep -hE '^#define [A-Z0-9_]*_(MAX|LIMIT)(_[A-Z0-9_]+)? ' |
    sed -E 's@/\*.*@@; s/^#define ([A-Z0-9_]+) +/\1 /; s/[[:space:]]+$//' | sort -u)
documented=$(sed -nE 's/^\| `([A-Z0-9_]+)` \| `([^`]*)` \|.*/\1 \2/p' docs/LIMITS.md | sort -u)
difference=$(diff <(printf '%s\n' "$defined") <(printf '%s\n' "$documented")) && exit 0
echo "limits: docs/LIMITS.md differs from the headers (< header, > page):"
echo "$difference"
exit 1
