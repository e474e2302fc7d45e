#!/bin/sh
# Make the Python environment of the tests in the cache folder and print its path.
# Does nothing but print when it is up to date. Usage: "$(scripts/test-venv.sh)/bin/python" -m pytest
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cache=${SLUICE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice-tests}
wanted=$here/tests/requirements.txt
venv=$cache/venv
stamp=$venv/requirements.txt

if cmp -s "$wanted" "$stamp" && [ -x "$venv/bin/python" ]; then
    echo "$venv"
    exit 0
fi

mkdir -p "$cache"
exec 9>"$cache/venv.lock"
flock 9
if ! cmp -s "$wanted" "$stamp" || ! [ -x "$venv/bin/python" ]; then
    rm -rf "$venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "test-venv: python3 is older than 3.11; install a newer one" >&2
        exit 2
    }
    python3 -m venv "$venv" >&2 || {
        echo "test-venv: cannot make $venv; run: scripts/install-packages.sh test" >&2
        exit 2
    }
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted" >&2
    cp "$wanted" "$stamp"
fi
echo "$venv"
