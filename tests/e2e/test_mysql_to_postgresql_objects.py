"""What MySQL and MariaDB have in a table and PostgreSQL beside it: partitions (T28), ON UPDATE CURRENT_TIMESTAMP (T23), the sequence of an AUTO_INCREMENT (T22)."""

import json
import uuid

import pytest
from jobs import configure, delete, run_until
from sluice import Service, wait_for

TABLES = {
    "by_range": ("id INT NOT NULL PRIMARY KEY, v INT", "RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (700), PARTITION pm VALUES LESS THAN MAXVALUE)"),
    "by_columns": ("id INT NOT NULL, d DATE NOT NULL, v INT, PRIMARY KEY (id, d)",
                   "RANGE COLUMNS (d, id) (PARTITION p0 VALUES LESS THAN ('2020-03-01', 5), PARTITION p1 VALUES LESS THAN (MAXVALUE, MAXVALUE))"),
    "by_year": ("id INT NOT NULL, d DATETIME NOT NULL, v INT, PRIMARY KEY (id, d)",
                "RANGE (YEAR(d)) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN (2021), PARTITION p2 VALUES LESS THAN (2099))"),
    "by_days": ("id INT NOT NULL, d DATE NOT NULL, v INT, PRIMARY KEY (id, d)",
                "RANGE (TO_DAYS(d)) (PARTITION p0 VALUES LESS THAN (TO_DAYS('2020-02-29')), PARTITION p1 VALUES LESS THAN (TO_DAYS('2099-12-31')))"),
    "by_list": ("id INT NOT NULL, k INT, v INT, KEY (id)", "LIST (k) (PARTITION p0 VALUES IN (0, 2), PARTITION p1 VALUES IN (1, NULL))"),
    "by_hash": ("id INT NOT NULL PRIMARY KEY, v INT", "HASH (id) PARTITIONS 3"),
    "by_key": ("id VARCHAR(20) NOT NULL PRIMARY KEY, v INT", "KEY () PARTITIONS 2"),
    "by_expression": ("id INT NOT NULL PRIMARY KEY, v INT", "HASH (id DIV 10) PARTITIONS 2"),
}
NAMED = {"by_range": ("p0", "p1", "pm"), "by_columns": ("p0", "p1"), "by_year": ("p0", "p1", "p2"), "by_days": ("p0", "p1"), "by_list": ("p0", "p1")}


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


def fill(source, name):
    for table, (columns, clause) in TABLES.items():
        source.sql(f"CREATE TABLE {table} ({columns}) PARTITION BY {clause}", db=name)
    for table, row in {"by_range": "n, n", "by_hash": "n, n", "by_key": "n, n", "by_expression": "n, n", "by_list": "n, NULLIF(n % 4, 3), n"}.items():
        source.sql(f"INSERT INTO {table} WITH RECURSIVE g AS (SELECT 1 n UNION ALL SELECT n + 1 FROM g WHERE n < 900) SELECT {row} FROM g", db=name)
    for table in ("by_columns", "by_year", "by_days"):
        source.sql(f"INSERT INTO {table} WITH RECURSIVE g AS (SELECT 1 n UNION ALL SELECT n + 1 FROM g WHERE n < 900) SELECT n, '2019-01-01' + INTERVAL n DAY, n FROM g", db=name)
    source.sql("CREATE TABLE touched (id INT PRIMARY KEY AUTO_INCREMENT, v INT, c DATETIME(3) NULL DEFAULT '2001-01-01' ON UPDATE CURRENT_TIMESTAMP(3), "
               "g INT AS (v + 1) STORED, j JSON)", db=name)
    source.sql("INSERT INTO touched(v, j) VALUES (1, '{}'), (2, '[]'), (3, NULL)", db=name)


def numbers(rows):
    return {k: [tuple(None if v is None else int(v) for v in r) for r in v] for k, v in rows.items()}


def same_rows(source, target, name):
    """The named partitions hold the same, and the column of ON UPDATE has the source's moments."""
    left, right = ({(t, p): source.sql(f"SELECT COUNT(*), SUM(id), SUM(v) FROM {t} PARTITION ({p})", db=name) for t, ps in NAMED.items() for p in ps},
            {(t, p): target.sql(f"SELECT count(*), sum(id), sum(v) FROM {name}.{t}_{p}") for t, ps in NAMED.items() for p in ps})
    touched = source.sql("SELECT id, v, CAST(c AS CHAR) FROM touched ORDER BY id", db=name)
    return numbers(left) == numbers(right) and [tuple(r) for r in touched] == target.sql(f"SELECT id, v, to_char(c, 'YYYY-MM-DD HH24:MI:SS.MS') FROM {name}.touched ORDER BY id")


def check_trigger(target, name):
    """As MySQL has it, and still for the job's sessions."""
    t = f"{name}.touched"

    def c(i):
        return target.sql(f"SELECT c::text FROM {t} WHERE id = {i}")[0][0]
    target.sql(f"UPDATE {t} SET v = v WHERE id = 2")
    assert c(2) == "2001-01-01 00:00:00"
    target.sql(f"SET sluice.apply = 'on'; UPDATE {t} SET v = 20 WHERE id = 2; RESET sluice.apply")
    assert c(2) == "2001-01-01 00:00:00"
    target.sql(f"UPDATE {t} SET v = 21, c = '2002-02-02' WHERE id = 2")
    assert c(2) == "2002-02-02 00:00:00"
    target.sql(f"UPDATE {t} SET j = '[1]' WHERE id = 2")
    assert c(2) > "2020"


@pytest.mark.parametrize("product", ["mariadb_a", "mysql_a"])
def test_objects(service, request, postgresql_15, product):
    source, target = request.getfixturevalue(product), postgresql_15
    name = "obj_" + uuid.uuid4().hex[:8]
    source.sql(f"CREATE DATABASE {name}")
    fill(source, name)
    reserve = {"autoStartModulesAfterConfig": "none", "sluice.types": {"T15": "error", "T22": "serial"}}
    try:
        job = configure(service, source, target, name, "SYNC", Reserve=json.dumps(reserve))
        run_until(service, job, "Synchronizing")
        kinds = dict(target.sql("SELECT relname, pg_get_partkeydef(oid) FROM pg_class WHERE relkind = 'p' AND relnamespace = %s::regnamespace", name))
        assert kinds == {"by_range": "RANGE (id)", "by_columns": "RANGE (d, id)", "by_year": "RANGE (d)", "by_days": "RANGE (d)", "by_list": "LIST (k)", "by_hash": "HASH (id)", "by_key": "HASH (id)"}
        source.sql("UPDATE by_year SET d = d + INTERVAL 1 YEAR WHERE id % 9 = 0", db=name)
        source.sql("UPDATE by_range SET id = id + 1000 WHERE id < 50", db=name)
        source.sql("DELETE FROM by_list WHERE id < 20 AND k = 1", db=name)
        source.sql("UPDATE touched SET v = 100, c = c WHERE id = 1", db=name)
        source.sql("UPDATE touched SET v = 300 WHERE id = 3", db=name)
        wait_for(lambda: same_rows(source, target, name), {True}, 60)
        for t in ("by_hash", "by_key", "by_expression"):
            assert numbers({t: target.sql(f"SELECT count(*), sum(v) FROM {name}.{t}")}) == {t: [(900, 405450)]}
        assert target.sql("SELECT pg_get_serial_sequence(%s, 'id')", f"{name}.touched") == [(f"{name}.touched_id_seq",)]
        delete(service, job)
        check_trigger(target, name)
    finally:
        source.sql(f"DROP DATABASE {name}")
        target.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
