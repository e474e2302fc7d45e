"""Views between MySQL or MariaDB and PostgreSQL: those whose text means the same give the same rows at both ends, live changes included; all others are told with their text."""

import json
import uuid
from contextlib import contextmanager

import pytest
from jobs import configure, delete, run_until
from sluice import Service, wait_for

ROWS = ("INSERT INTO a VALUES (1, 1, 0, 'A', 'a', 1.50, '2020-01-31'), (2, 10, 1, 'B  ', 'b', 2.25, '2020-02-01'), (3, NULL, 5, 'a', NULL, NULL, NULL), (4, 100, 7, 'B', 'x', -3.00, '2021-01-01');"
        "INSERT INTO b VALUES (1, 1, 7), (2, 1, 2), (3, 2, NULL), (4, 9, 8); INSERT INTO c VALUES (1, 5), (2, 0), (3, 6)")
LIVE = "INSERT INTO a VALUES (5, 20, 3, 'A', 'a', 0.10, '2022-02-02'); UPDATE b SET w = 3 WHERE id = 2; DELETE FROM c WHERE id = 1"

# Name: query; carried by both directions.
SHARED = {
    "plain": 'SELECT id, n AS "odd Name", t FROM a',
    "starred": "SELECT * FROM a",
    "with_conditions": "SELECT id, n + 1 AS m, n * 2 AS twice, abs(n) AS size FROM a WHERE n > 1 AND (n IS NOT NULL OR NOT id = 3) AND n BETWEEN 1 AND 500 AND id IN (1, 2, 4)",
    "joined": 'SELECT x.id, "of b".w FROM a x JOIN b "of b" ON x.id = "of b".a_id WHERE "of b".w <> 2',
    "joined_left": "SELECT a.id, b.w, c.v FROM a LEFT JOIN b ON a.id = b.a_id LEFT JOIN c ON c.id = b.id AND c.v > 0 WHERE a.id < 100",
    "joined_inside": "SELECT a.id, b.w AS w FROM a LEFT JOIN (b JOIN c ON b.id = c.id) ON a.id = b.a_id",
    "each_with_each": "SELECT b.id, c.v FROM b CROSS JOIN c",
    "negated": "SELECT id FROM a WHERE n NOT IN (1, 2) AND NOT (n BETWEEN 50 AND 60)",
    "decimals": "SELECT id, d + 1 AS e, coalesce(d, 0) AS f FROM a WHERE d >= 0.5",
    "days": "SELECT id, day FROM a WHERE day >= DATE '2020-02-01'",
}
MYSQL = {
    "named": "SELECT id, CONCAT(t, '-', id) AS q, 'x' AS lit, 7 AS num FROM a",
    "by_letters": "SELECT id, k FROM a WHERE k IN ('A', 'B') OR k = 'B  '",
    "by_day": "SELECT id FROM a WHERE day >= '2020-02-01' AND day < '2021-06-01'",
}
NOT_MYSQL = {
    "by_collation": "SELECT id FROM a WHERE t = 'A'", "grouped": "SELECT n, COUNT(*) AS c FROM a GROUP BY n", "ordered": "SELECT id FROM a ORDER BY id LIMIT 2", "united": "SELECT id FROM a UNION SELECT id FROM b",
    "inside": "SELECT id FROM a WHERE id IN (SELECT a_id FROM b)", "of_view": "SELECT id FROM plain", "once": "SELECT DISTINCT n FROM a", "divided": "SELECT id, n / 3 AS x FROM a",
    "below_zero": "SELECT id, u - 1 AS x FROM a WHERE u > 0", "like_it": "SELECT id FROM a WHERE t LIKE 'a%'", "upper_case": "SELECT UPPER(t) AS x FROM a", "checked": "SELECT id FROM a WHERE n > 1 WITH CHECK OPTION",
    "by_text": "SELECT id FROM a WHERE n = '1'", "no_table": "SELECT 1 AS one",
}
POSTGRESQL = {
    "named": "SELECT id, t || '-' AS q, 'x'::text AS lit, n > 5 AS big FROM a",
    "by_letters": "SELECT id, k FROM a WHERE k IN ('A', 'B') OR k = 'B  '",
    "distinct_from": "SELECT id, n / 3 AS third, n % 3 AS rest FROM a WHERE n IS DISTINCT FROM 10",
    "two": "SELECT a.id, b.id AS other FROM a, b WHERE a.id = b.a_id",
}
NOT_POSTGRESQL = {
    "sorted": "SELECT id FROM a WHERE t > 'a'", "grouped": "SELECT n, count(*) AS c FROM a GROUP BY n", "ordered": "SELECT id FROM a ORDER BY id", "united": "SELECT id FROM a UNION SELECT id FROM b",
    "inside": "SELECT id FROM a WHERE id IN (SELECT a_id FROM b)", "of_view": "SELECT id FROM plain", "once": "SELECT DISTINCT n FROM a", "divided": "SELECT id, d / 3 AS x FROM a",
    "like_it": "SELECT id FROM a WHERE t LIKE 'a%'", "upper_case": "SELECT upper(t) AS x FROM a", "by_using": "SELECT id FROM a JOIN c USING (id)", "right_of": "SELECT b.id FROM a RIGHT JOIN b ON a.id = b.a_id",
    "windowed": "SELECT id, row_number() OVER () AS n FROM a", "no_table": "SELECT 1 AS one",
}


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


def rows(server, name, view):
    """What the server itself says of a view's rows."""
    quote = '"' if server.family != "mysql" else "`"
    got = server.sql_in(name, f"SELECT * FROM {quote}{view}{quote}")
    return sorted(tuple("" if v is None else str(int(v)) if isinstance(v, bool) else str(v) for v in row) for row in got)


def omissions(service, job):
    report = json.loads(service.client("job", "report", job, "--output", "json").stdout)
    return {f["Object"]: f for f in report["Findings"] if f.get("Kind") == "view"}


@contextmanager
def place(source, target, tables, views):
    name = "views_" + uuid.uuid4().hex[:8]
    source.make_place(name)
    try:
        source.sql_in(name, tables + "; " + ROWS)
        for view, query in views.items():
            source.sql_in(name, f"CREATE VIEW {view} AS {query}")
        yield name
    finally:
        for server in (source, target):
            server.drop_place(name)


def check(service, source, target, tables, carried, told):
    with place(source, target, tables, carried | told) as name:
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        found = omissions(service, job)
        assert set(found) == set(told), (set(found) ^ set(told), found)
        for view, finding in found.items():
            assert finding["Effect"] == "Omission" and "select" in finding["SourceText"].lower() and "not carried" in finding["Text"], finding
        for statement in LIVE.split("; "):
            source.sql_in(name, statement)
        for view in carried:
            wait_for(lambda view=view: rows(target, name, view) == rows(source, name, view), {True}, 60)
            assert len(rows(source, name, view)) > 1 or view in ("days",), view
        there = {r[0] for r in target.sql("SELECT table_name FROM information_schema.views WHERE table_schema = %s", name)}
        assert there == set(carried)
        delete(service, job)


@pytest.mark.parametrize("product", ["mariadb_a", "mysql_a"])
def test_to_postgresql(service, request, postgresql_15, product):
    source = request.getfixturevalue(product)
    letters = "utf8mb4_nopad_bin" if product == "mariadb_a" else "utf8mb4_0900_bin"
    tables = (f"CREATE TABLE a (id INT PRIMARY KEY, n INT, u INT UNSIGNED NOT NULL, k VARCHAR(20) COLLATE {letters}, t VARCHAR(20), d DECIMAL(10,2), day DATE); "
              "CREATE TABLE b (id INT PRIMARY KEY, a_id INT, w BIGINT); CREATE TABLE c (id INT PRIMARY KEY, v SMALLINT)")
    ansi = {view: query.replace('"', "`") for view, query in (SHARED | MYSQL).items()}
    check(service, source, postgresql_15, tables, ansi, NOT_MYSQL)


@pytest.mark.parametrize("product", ["mariadb_a", "mysql_a"])
def test_from_postgresql(service, request, postgresql_15, product):
    tables = ("CREATE TABLE a (id int PRIMARY KEY, n int, u bigint NOT NULL, k varchar(20), t text, d numeric(10,2), day date); "
              "CREATE TABLE b (id int PRIMARY KEY, a_id int, w bigint); CREATE TABLE c (id int PRIMARY KEY, v smallint)")
    check(service, postgresql_15, request.getfixturevalue(product), tables, SHARED | POSTGRESQL, NOT_POSTGRESQL)
