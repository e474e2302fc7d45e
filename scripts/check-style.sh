#!/bin/bash
# Fails on what CONTRIBUTING.md forbids and a machine can see. Prints each offence; exit status 1 when there is one.
set -uo pipefail
cd "$(dirname "$0")/.."
bad=0
complain() {
    echo "style: $1"
    bad=1
}

# Functions that overflow, share state, or start a shell.
hits=$(git ls-files 'src/*.c' 'src/*.h' 'tests/*.c' 'bench/*.c' | xargs -r grep -nE \
    '(^|[^A-Za-z0-9_.>"])(strcpy|strcat|strncpy|sprintf|vsprintf|strtok|atoi|atol|gmtime|localtime|mktemp|alloca|system|rand|gets)[[:space:]]*\(' |
    grep -vE ':[0-9]+:[[:space:]]*(/?\*|//)' || true)
[ -z "$hits" ] || complain "banned function:
$hits"

# No source file over 800 lines, no header over 400 (generated tables have the ending .def).
while IFS= read -r file; do
    [ -f "$file" ] || continue
    lines=$(wc -l <"$file")
    case $file in
    *.h) limit=400 ;;
    *) limit=800 ;;
    esac
    [ "$lines" -le "$limit" ] || complain "$file has $lines lines, more than $limit: split it by subject"
done < <(git ls-files 'src/*.c' 'src/*.h' 'tests/*.c' 'tests/*.py' 'scripts/*' 'bench/*.py')

# Each folder with sources says what lives there, in at most 20 lines.
while IFS= read -r folder; do
    if [ ! -f "$folder/README.md" ]; then
        complain "$folder has no README.md"
    elif [ "$(wc -l <"$folder/README.md")" -gt 20 ]; then
        complain "$folder/README.md has more than 20 lines"
    fi
done < <(git ls-files 'src/*.c' 'src/*.h' | xargs -r -n 1 dirname | sort -u)

# Each source file says what it is about in its first line.
while IFS= read -r file; do
    [ -f "$file" ] || continue
    case $(head -n 1 "$file") in
    '/*'*) ;;
    *) complain "$file does not begin with a comment that says its subject" ;;
    esac
done < <(git ls-files 'src/*.c' 'src/*.h')

# Unfinished work and paths of somebody's own machine.
hits=$(git ls-files | grep -vE '^(scripts/check-style\.sh|tests/golden/|tests/fuzz/corpus/)' | xargs -r grep -nIE \
    '\b(TODO|FIXME|XXX)\b|(^|[ "'\''=(])/(home|root|work)/[a-z]' || true)
[ -z "$hits" ] || complain "unfinished work or a path of one machine:
$hits"

exit $bad
