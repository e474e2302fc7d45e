#!/bin/sh
# Fails when a file includes a header of a layer to the right of its own (docs/ARCHITECTURE.md, layers).
# Usage: scripts/check-layers.sh [SRC_DIR]   prints each offending include, exit status 1 when there is one.
set -eu
src=${1:-$(dirname "$0")/../src}
order="base model codec net engine pipeline catalog job api http broker cmd"
rank() { i=0; for l in $order; do i=$((i + 1)); [ "$l" = "$1" ] && { echo $i; return; }; done; echo 0; }
bad=0
for layer in $order; do
    [ -d "$src/$layer" ] || continue
    own=$(rank "$layer")
    found=$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' --include='*.c' --include='*.h' "$src/$layer" || true)
    while IFS= read -r line; do
        [ -n "$line" ] || continue
        header=$(printf '%s\n' "$line" | sed 's/.*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/')
        their=$(rank "${header%%/*}")
        if [ "$their" -eq 0 ]; then
            echo "layer: $line (write the path from src/, e.g. \"base/str.h\")"; bad=1
        elif [ "$their" -gt "$own" ]; then
            echo "layer: $line ($layer may not include ${header%%/*})"; bad=1
        fi
    done <<LINES
$found
LINES
done
exit $bad
