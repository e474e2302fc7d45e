# Sourced by scripts/demo.sh and bench/run.sh: two private database servers and a service in a temporary folder, all removed on exit,
# whatever the exit is: the end, an error, Ctrl-C, a closed terminal, kill -9 of the script (then by `servers guard`).
# Sets SLUICE (the program), WORK (the folder), of each end SOURCE_KIND, _FAMILY (mysql, pg), _PORT, _URL and _CLIENT (a command), and PASSWORD;
# start_service exports what the command line needs.
SLUICE=${SLUICE_BIN:-$PWD/build/sluice}
NAME= WORK= SERVE_PID= GUARD_PID=

fail() {
    printf 'error: %s\n  fix:   %s\n' "$1" "$2" >&2
    exit 1
}
# Both ignore Ctrl-C until Python has its own handling, which ends what it has started.
servers() (
    trap '' INT
    umask 022 # PostgreSQL's account, when we are root, reads what is made
    cd tests && exec python3 -m servers "$@"
)
# member NAME: that member of the JSON object on standard input, a list line by line; silent without one, because its writer has said why.
member() (
    trap '' INT
    exec python3 -c "
import json, sys
text = sys.stdin.read()
if not text.strip():
    sys.exit(1)
found = json.loads(text)['$1']
print(*(found if isinstance(found, list) else [found]), sep='\n')"
)
# number NAME: ends with an error unless the variable is a whole number from 1 on.
number() {
    case ${!1} in
    *[!0-9]* | '' | 0*) fail "$1 is not valid: \"${!1}\" is not a whole number from 1 on" "write it in digits, for example $1=$2" ;;
    esac
}

free_mb() { df -Pm "$WORK" | awk 'NR == 2 { print $4 }'; }

remove_pair() {
    trap '' INT TERM HUP PIPE
    [ -z "$SERVE_PID" ] || { kill "$SERVE_PID" && wait "$SERVE_PID"; } 2>/dev/null || true
    for end in source target; do [ ! -d "$WORK/$end" ] || servers stop --kill --dir "$WORK/$end" || true; done
    [ -z "$WORK" ] || rm -rf "$WORK"
    [ -z "$GUARD_PID" ] || { kill "$GUARD_PID" && wait "$GUARD_PID"; } 2>/dev/null || true
    WORK= SERVE_PID= GUARD_PID=
}
on_exit() {
    local status=$?
    trap '' INT TERM HUP PIPE
    set +e # a closed terminal or pipe must not end the cleaning
    case $status in
    0) ;;
    129 | 130 | 141 | 143) echo "interrupted; removing the servers and the folder" >&2 ;;
    *)
        if [ -d "$WORK" ] && [ "$(free_mb)" -lt 50 ]; then
            echo "  disk:  ${TMPDIR:-/tmp} is full; set TMPDIR to a folder with more space, or ROWS to fewer rows" >&2
        fi
        if [ -s "$WORK/serve.log" ] && mkdir -p build && cp "$WORK/serve.log" "build/$NAME-serve.log"; then
            echo "  log:   build/$NAME-serve.log, which sluice serve wrote" >&2
        fi
        ;;
    esac
    remove_pair
    exit "$status"
}
# run_sql END SQL: the rows of the statements, fields between tabs.
run_sql() {
    local -n client=$1_CLIENT family=$1_FAMILY
    case $family in
    mysql) "${client[@]}" -BN -e "$2" ;;
    pg) "${client[@]}" -XqAt -F $'\t' -v ON_ERROR_STOP=1 -c "$2" ;;
    esac
}
source_sql() { run_sql SOURCE "$1"; }
target_sql() { run_sql TARGET "$1"; }

# start_server END KIND [OPTION ...]: mariadb, mysql, pg (15), pg15, pg17 or pg18.
start_server() {
    local -n kind=$1_KIND family=$1_FAMILY port=$1_PORT url=$1_URL client=$1_CLIENT
    local folder=$WORK/${1,,}
    kind=$2
    case $2 in
    pg*) family=pg port=$(servers start postgresql --version "$(sed 's/^pg$/15/; s/^pg//' <<<"$2")" --dir "$folder" "${@:3}" | member port) ;;
    *) family=mysql port=$(servers start "$2" --dir "$folder" "${@:3}" | member port) ;;
    esac
    case $family in
    pg) url=postgresql://postgres@127.0.0.1:$port/postgres ;;
    mysql) url=mysql://root@127.0.0.1:$port ;;
    esac
    mapfile -t client < <(member client <"$folder/server.json")
}

# make_pair NAME MIB SOURCE-KIND TARGET-KIND [OPTION ...]: the folder, which must have that much space, and both servers; the options go to "servers start".
make_pair() {
    local free
    NAME=$1
    trap on_exit EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 141' PIPE
    trap 'exit 143' TERM
    WORK=$(mktemp -d -t "sluice-$1.XXXXXX") || fail "cannot make a folder in ${TMPDIR:-/tmp}" "set TMPDIR to a folder where you may write"
    free=$(free_mb)
    [ "$free" -ge "$2" ] || fail "the disk of ${TMPDIR:-/tmp} has $free MB free, $2 MB are needed" "set TMPDIR to a folder with more space, or ROWS to fewer rows"
    # PostgreSQL does not run as root: root's runs as nobody (tests/servers/account.py), which may enter the folder and not list it.
    [ "$(id -u)" != 0 ] || { chgrp nogroup "$WORK" && chmod 710 "$WORK"; }
    (cd tests && exec setsid python3 -m servers guard --pid $$ --dir "$WORK") </dev/null >/dev/null 2>&1 &
    GUARD_PID=$!
    start_server SOURCE "$3" "${@:5}"
    start_server TARGET "$4" "${@:5}"
    PASSWORD=$(member password <"$WORK/source/server.json")
}

# Ends with an error when the service does not run any more.
need_service() { kill -0 "$SERVE_PID" 2>/dev/null || fail "sluice serve has ended" "see the end of its log"; }

# start_service [OPTION ...]: serve on a free port, with a key and the passwords in the environment, which $WORK/env holds too.
start_service() {
    local key
    setpriv --pdeathsig TERM "$SLUICE" serve --data "$WORK/data" --http 127.0.0.1:0 "$@" 2>"$WORK/serve.log" &
    SERVE_PID=$!
    for _ in $(seq 600); do
        ! grep -q event=ready "$WORK/serve.log" || break
        kill -0 "$SERVE_PID" 2>/dev/null || break
        sleep 0.05
    done
    if ! grep -q event=ready "$WORK/serve.log"; then
        tail -n 5 "$WORK/serve.log" >&2
        fail "sluice serve did not start" "see its last words above"
    fi
    key=$("$SLUICE" key create --data "$WORK/data" --output json)
    ALIBABA_CLOUD_ACCESS_KEY_ID=$(member AccessKeyId <<<"$key")
    ALIBABA_CLOUD_ACCESS_KEY_SECRET=$(member AccessKeySecret <<<"$key")
    SLUICE_ENDPOINT=http://127.0.0.1:$(sed -n 's/.*event=listening.*port=\([0-9]*\).*/\1/p' "$WORK/serve.log" | head -n 1)
    SLUICE_SOURCE_PASSWORD=$PASSWORD SLUICE_TARGET_PASSWORD=$PASSWORD
    export ALIBABA_CLOUD_ACCESS_KEY_ID ALIBABA_CLOUD_ACCESS_KEY_SECRET SLUICE_ENDPOINT SLUICE_SOURCE_PASSWORD SLUICE_TARGET_PASSWORD
    (umask 077; export -p | grep -E ' (ALIBABA_CLOUD_ACCESS_KEY_|SLUICE_)' >"$WORK/env")
}
