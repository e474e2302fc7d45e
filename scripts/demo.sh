#!/bin/bash
# make demo: two private MariaDB servers, a job through the signed API, rows loaded, live changes, comparison, deletion with its receipt.
# Everything lives in a temporary folder and is removed on exit. Without a terminal it ends by itself. ROWS=1000000 by default.
set -euo pipefail
cd "$(dirname "$0")/.."
ROWS=${ROWS:-1000000}
LIVE_SECONDS=${LIVE_SECONDS:-10}
. scripts/private-pair.sh

say() { printf '\n== %s\n' "$*"; }

say "starting two private MariaDB servers (not for production)"
make_pair demo
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
status() { "$SLUICE" api DescribeDtsJobDetail DtsJobId="$JOB"; }
for _ in $(seq 1200); do
    STATUS=$(status)
    STATE=$(member Status <<<"$STATUS")
    case $STATE in
    *Failed) "$SLUICE" job show "$JOB"; exit 1 ;;
    Synchronizing) break ;;
    esac
    [ ! -t 1 ] || printf '\r   %s  full %s%%   ' "$STATE" "$(python3 -c "import json,sys; print(json.load(sys.stdin).get('DataInitializationStatus',{}).get('Percent','0'))" <<<"$STATUS")"
    sleep 0.2
done
END=$(date +%s.%N)
python3 -c "print(f'\n   {$ROWS + 1000} rows loaded in {$END - $BEGIN:.1f} s, precheck and schema included')"

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
printf 'source:\n%s\ndestination:\n%s\n' "$A" "$B"
[ $SAME = yes ] || { echo "the sides differ"; exit 1; }
echo "   equal"
"$SLUICE" job show "$JOB"
if [ -t 0 ] && [ -t 1 ]; then
    echo; echo "The job runs. Source port $SOURCE_PORT, destination port $TARGET_PORT, user root, password in $WORK/source/client.cnf."
    read -r -p "Press Enter to delete it. " _
fi

say "deleting the job (DeleteDtsJob) and its receipt"
"$SLUICE" job delete "$JOB"
LEFT=$(target_sql "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'sluice'")
[ "$LEFT" = 0 ] || { echo "the schema sluice is still in the destination"; exit 1; }
echo "   nothing of Sluice is left in the destination; removing the servers"
