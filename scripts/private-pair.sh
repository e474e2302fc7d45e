# Sourced by scripts/demo.sh and bench/run.sh: two private MariaDB servers and a service in a temporary folder, all removed on exit.
# Sets SLUICE (the program), WORK (the folder), SOURCE_PORT, TARGET_PORT and PASSWORD; start_service exports what the command line needs.
SLUICE=$PWD/build/sluice
SERVE_PID=

servers() { (cd tests && python3 -m servers "$@"); }
member() { python3 -c "import json,sys; print(json.load(sys.stdin)['$1'])"; }
remove_pair() {
    [ -z "$SERVE_PID" ] || { kill "$SERVE_PID" 2>/dev/null && wait "$SERVE_PID" 2>/dev/null; } || true
    for end in source target; do [ ! -d "$WORK/$end" ] || servers stop --dir "$WORK/$end" >/dev/null 2>&1 || true; done
    rm -rf "$WORK"
}
source_sql() { mariadb --defaults-file="$WORK/source/client.cnf" -BN -e "$1"; }
target_sql() { mariadb --defaults-file="$WORK/target/client.cnf" -BN -e "$1"; }

# make_pair NAME: the folder and both servers.
make_pair() {
    WORK=$(mktemp -d -t "sluice-$1.XXXXXX")
    trap remove_pair EXIT
    trap 'exit 130' INT TERM
    SOURCE_PORT=$(servers start mariadb --dir "$WORK/source" | member port)
    TARGET_PORT=$(servers start mariadb --dir "$WORK/target" | member port)
    PASSWORD=$(sed -n 's/^password *= *//p' "$WORK/source/client.cnf" | tr -d '"' | head -n 1)
}

# start_service [OPTION ...]: serve on a free port, with a key and the passwords in the environment.
start_service() {
    local key
    "$SLUICE" serve --data "$WORK/data" --http 127.0.0.1:0 "$@" 2>"$WORK/serve.log" &
    SERVE_PID=$!
    for _ in $(seq 100); do grep -q event=ready "$WORK/serve.log" && break; sleep 0.1; done
    key=$("$SLUICE" key create --data "$WORK/data" --output json)
    ALIBABA_CLOUD_ACCESS_KEY_ID=$(member AccessKeyId <<<"$key")
    ALIBABA_CLOUD_ACCESS_KEY_SECRET=$(member AccessKeySecret <<<"$key")
    SLUICE_ENDPOINT=http://127.0.0.1:$(sed -n 's/.*event=listening.*port=\([0-9]*\).*/\1/p' "$WORK/serve.log" | head -n 1)
    SLUICE_SOURCE_PASSWORD=$PASSWORD SLUICE_TARGET_PASSWORD=$PASSWORD
    export ALIBABA_CLOUD_ACCESS_KEY_ID ALIBABA_CLOUD_ACCESS_KEY_SECRET SLUICE_ENDPOINT SLUICE_SOURCE_PASSWORD SLUICE_TARGET_PASSWORD
}
