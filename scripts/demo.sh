#!/bin/bash
# make demo: two private MariaDB servers, a job through the signed API, rows loaded, live changes, comparison, deletion with its receipt.
# Everything lives in a temporary folder and is removed on exit. Without a terminal it ends by itself.
# ROWS=1000000 and LIVE_SECONDS=10 by default; TMPDIR says where the folder is made.
set -euo pipefail
cd "$(dirname "$0")/.."
ROWS=${ROWS:-1000000}
LIVE_SECONDS=${LIVE_SECONDS:-10}
. scripts/private-pair.sh
number ROWS 1000000
number LIVE_SECONDS 10

say() { printf '\n== %s\n' "$*"; }

say "starting two private MariaDB servers (not for production)"
make_pair demo $((300 + ROWS / 1000))
echo "   in $WORK"

say "filling the source: $ROWS rows in shop.orders"
source_sql "CREATE DATABASE shop; USE shop; CREATE TABLE shop.customers(id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40), city VARCHAR(30), KEY(city));
CREATE TABLE shop.orders(id INT PRIMARY KEY AUTO_INCREMENT, customer INT NOT NULL, total DECIMAL(10,2), note VARCHAR(60), placed TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), KEY(customer));
INSERT INTO shop.customers(name, city) SELECT CONCAT('customer ', seq), CONCAT('city ', seq % 97) FROM seq_1_to_1000;
INSERT INTO shop.orders(customer, total, note) SELECT 1 + seq % 1000, seq / 7, SHA1(seq) FROM seq_1_to_$ROWS"

say "starting sluice serve and creating an access key"
start_service

say "creating a sync job through the signed API at $SLUICE_ENDPOINT"
BEGIN=$(date +%s.%N)
JOB=$("$SLUICE" job create --type sync --name demo --source "mysql://root@127.0.0.1:$SOURCE_PORT" --target "mysql://root@127.0.0.1:$TARGET_PORT" \
    --objects shop --start --output json | member DtsJobId)
echo "   job $JOB"
"$SLUICE" job watch "$JOB" --caught-up
END=$(date +%s.%N)
python3 -c "print(f'   {$ROWS + 1000} rows loaded in {$END - $BEGIN:.1f} s, precheck and schema included')"

say "changing the source while the job follows ($LIVE_SECONDS s)"
STOP=$(($(date +%s) + LIVE_SECONDS)); CHANGES=0
while [ "$(date +%s)" -lt $STOP ]; do
    source_sql "USE shop; INSERT INTO shop.orders(customer, total, note) SELECT 1 + seq, seq, 'live' FROM seq_1_to_50;
UPDATE shop.orders SET note = CONCAT('changed ', id) WHERE id BETWEEN $CHANGES + 1 AND $CHANGES + 50; DELETE FROM shop.orders WHERE id = $CHANGES + 25"
    CHANGES=$((CHANGES + 101)); sleep 0.1
done
echo "   $CHANGES rows inserted, updated or deleted"

say "comparing both sides with the servers' own checksums"
SAME=no
for _ in $(seq 100); do
    A=$(source_sql "CHECKSUM TABLE shop.orders, shop.customers"); B=$(target_sql "CHECKSUM TABLE shop.orders, shop.customers")
    [ "$A" != "$B" ] || { SAME=yes; break; }
    sleep 0.2
done
paste <(printf 'source\n%s\n' "$A") <(printf 'destination\n%s\n' "$B" | cut -f 2) | awk -F '\t' 'NR == 1 { printf "   %-16s %12s %12s\n", "", $1, $2; next } { printf "   %-16s %12s %12s\n", $1, $2, $3 }'
[ $SAME = yes ] || { need_service; fail "the sides differ" "report it with the log of the service"; }
echo "   equal"
"$SLUICE" job show "$JOB"
if [ -t 0 ] && [ -t 1 ]; then
    printf '\nThe job runs. To look at it from another terminal, in this folder:\n'
    printf '    . %s/env; build/sluice job watch %s\n' "$WORK" "$JOB"
    printf '    mariadb --defaults-file=%s/source/client.cnf shop\n' "$WORK"
    printf '    mariadb --defaults-file=%s/target/client.cnf shop\n' "$WORK"
    read -r -p "Press Enter to delete the job and remove everything. " _ || echo
fi

say "deleting the job (DeleteDtsJob) and its receipt"
"$SLUICE" job delete "$JOB"
LEFT=$(target_sql "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'sluice'")
[ "$LEFT" = 0 ] || fail "the schema sluice is still in the destination" "report it with the receipt above and the log of the service"
echo "   nothing of Sluice is left in the destination"

say "removing the servers and their folder"
remove_pair
echo "   done"
