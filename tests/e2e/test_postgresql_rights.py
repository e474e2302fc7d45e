"""Owners and privileges from PostgreSQL to PostgreSQL (Reserve privilegeMigration): pg_dump and the catalogs of both sides say the same; without it, what is left out is told."""

import json
import re
import subprocess
from contextlib import contextmanager

import prechecks
import pytest
from jobs import LONG, configure, delete, run_until
from prechecks import PASSWORD, name, run_sql, whole
from sluice import Service, wait_for

ROLES = ("boss", "clerk", "it's \"odd\"", "reader")
# {s}: the schema, {boss} {clerk} {odd} {reader}: roles.
RICH = r"""
CREATE SCHEMA {s} AUTHORIZATION {boss}; GRANT USAGE ON SCHEMA {s} TO PUBLIC; GRANT CREATE, USAGE ON SCHEMA {s} TO {clerk} WITH GRANT OPTION; SET search_path = {s};
CREATE TYPE mood AS ENUM ('a', 'b'); CREATE DOMAIN posint AS int CHECK (VALUE > 0); CREATE TYPE pair AS (a int, b int); CREATE TYPE span AS RANGE (subtype = int4);
REVOKE USAGE ON TYPE mood FROM PUBLIC; GRANT USAGE ON TYPE mood TO {odd} WITH GRANT OPTION; GRANT USAGE ON DOMAIN posint TO {reader};
CREATE COLLATION alike (provider = icu, locale = 'und');
CREATE FUNCTION f(i int, t text DEFAULT 'x') RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; REVOKE ALL ON FUNCTION f FROM PUBLIC; GRANT EXECUTE ON FUNCTION f TO {clerk}, {odd};
CREATE FUNCTION f(VARIADIC t text[]) RETURNS int LANGUAGE sql AS 'SELECT 2'; CREATE PROCEDURE p(IN a int, OUT b int) LANGUAGE sql AS 'SELECT 3'; GRANT EXECUTE ON PROCEDURE p TO {reader} WITH GRANT OPTION;
CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '0'); REVOKE ALL ON FUNCTION total FROM PUBLIC;
CREATE TABLE t (id serial PRIMARY KEY, n bigint GENERATED ALWAYS AS IDENTITY, "odd col" text, m mood, secret text);
GRANT SELECT ON t TO PUBLIC; GRANT ALL ON t TO {clerk} WITH GRANT OPTION; GRANT SELECT ("odd col"), UPDATE ("odd col", m) ON t TO {odd}; GRANT INSERT (secret) ON t TO {reader} WITH GRANT OPTION;
GRANT USAGE ON SEQUENCE t_id_seq TO {odd}; GRANT SELECT ON SEQUENCE t_n_seq TO {reader};
ALTER TABLE t OWNER TO {boss}; SET ROLE {clerk}; GRANT SELECT, TRUNCATE ON t TO {odd} WITH GRANT OPTION; RESET ROLE; SET ROLE {odd}; GRANT SELECT ON t TO {reader}; RESET ROLE;
CREATE TABLE own (id int PRIMARY KEY, p pair); ALTER TABLE own OWNER TO {odd}; REVOKE INSERT, TRUNCATE ON own FROM {odd}; GRANT SELECT ON own TO {odd} WITH GRANT OPTION;
CREATE TABLE nobody (id int PRIMARY KEY); REVOKE ALL ON nobody FROM CURRENT_USER;
CREATE TABLE whole (id int, PRIMARY KEY (id)) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (1000); ALTER TABLE part OWNER TO {clerk};
GRANT SELECT ON whole TO {reader};
CREATE STATISTICS both_of ON id, m FROM t; ALTER STATISTICS both_of OWNER TO {boss};
CREATE SEQUENCE free; ALTER SEQUENCE free OWNER TO {clerk}; GRANT SELECT ON SEQUENCE free TO PUBLIC;
CREATE VIEW v AS SELECT id FROM t; ALTER VIEW v OWNER TO {clerk}; GRANT SELECT, DELETE ON v TO {reader}; GRANT SELECT (id) ON v TO {odd};
CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS n FROM t; ALTER MATERIALIZED VIEW mv OWNER TO {odd}; GRANT SELECT ON mv TO {clerk};
ALTER TYPE mood OWNER TO {odd}; ALTER DOMAIN posint OWNER TO {clerk}; ALTER TYPE pair OWNER TO {boss}; ALTER TYPE span OWNER TO {boss}; ALTER COLLATION alike OWNER TO {clerk};
ALTER FUNCTION f(int, text) OWNER TO {boss}; ALTER PROCEDURE p OWNER TO {clerk}; ALTER AGGREGATE total(int) OWNER TO {odd};
ALTER DEFAULT PRIVILEGES FOR ROLE {boss} IN SCHEMA {s} GRANT SELECT ON TABLES TO {reader} WITH GRANT OPTION; ALTER DEFAULT PRIVILEGES FOR ROLE {boss} IN SCHEMA {s} GRANT EXECUTE ON FUNCTIONS TO {odd};
ALTER DEFAULT PRIVILEGES FOR ROLE {clerk} IN SCHEMA {s} GRANT USAGE ON SEQUENCES TO PUBLIC; ALTER DEFAULT PRIVILEGES FOR ROLE {reader} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
INSERT INTO t ("odd col") SELECT g FROM generate_series(1, 20) g; INSERT INTO whole SELECT generate_series(1, 20);
"""
CATALOG = [
    "SELECT 'schema', nspname, nspowner::regrole::text, nspacl::text[] FROM pg_namespace WHERE oid = {n}",
    "SELECT 'relation', relname, relowner::regrole::text, relacl::text[] FROM pg_class WHERE relnamespace = {n} AND relkind <> 't'",
    "SELECT 'column', c.relname || '.' || attname, '', attacl::text[] FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE c.relnamespace = {n} AND attacl IS NOT NULL",
    # Of multiranges servers of different minor versions tell another owner than of their ranges.
    "SELECT 'type', typname, typowner::regrole::text, typacl::text[] FROM pg_type WHERE typnamespace = {n} AND typname NOT LIKE '%multirange'",
    "SELECT 'function', p.oid::regprocedure::text, proowner::regrole::text, proacl::text[] FROM pg_proc p WHERE pronamespace = {n}",
    "SELECT 'collation', collname, collowner::regrole::text, NULL FROM pg_collation WHERE collnamespace = {n} UNION ALL SELECT 'statistics', stxname, stxowner::regrole::text, NULL FROM "
    "pg_statistic_ext WHERE stxnamespace = {n}",
    "SELECT 'default', defaclrole::regrole::text, defaclobjtype::text, defaclacl::text[] FROM pg_default_acl WHERE defaclnamespace = {n}",
]


class Check(prechecks.Check):
    pass


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


def rights(server, s):
    """Owner and grants of everything in a schema; the order of grants has no meaning."""
    oid = server.sql(f"SELECT coalesce(to_regnamespace('{s}')::oid, 0)")[0][0]
    return sorted((kind, what, owner, sorted(acl) if acl is not None else None) for sql in CATALOG for kind, what, owner, acl in server.sql(sql.replace("{n}", str(oid))))


def without_maintain(rows):
    """Grants as a server before 17 has them, where owners have no MAINTAIN."""
    return [(kind, what, owner, acl and [re.sub(r"m(?=[a-zA-Z*]*/)", "", grant) for grant in acl]) for kind, what, owner, acl in rows]


def differing(source, target, s):
    wanted, have = rights(source, s), rights(target, s)
    if source.version < 17 <= target.version:
        have = without_maintain(have)
    return [r for r in wanted if r not in have], [r for r in have if r not in wanted]


def dump(server, s):
    text = subprocess.run([*server.tool("pg_dump"), *server.client_args, "--schema-only", f"--schema={s}"], capture_output=True, text=True, check=True).stdout
    return [line for line in text.splitlines() if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))]


def quote(role):
    return '"' + role.replace('"', '""') + '"'


@contextmanager
def place(source, target, sql):
    """A schema at the source whose objects belong to roles that only the source has; its name and the roles'."""
    s = name("rights")
    roles = {role.split('"')[1] if '"' in role else role: f"{s} {role}" for role in ROLES}
    for role in roles.values():
        source.sql(f"CREATE ROLE {quote(role)}")
    try:
        source.sql(sql.format(s=s, **{key: quote(role) for key, role in roles.items()}))
        yield s, roles
    finally:
        for server in (source, target):
            server.drop_place(s)
            for role in roles.values():
                if server.sql("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
                    server.sql(f"DROP OWNED BY {quote(role)} CASCADE; DROP ROLE {quote(role)}")


def findings(service, job):
    report = json.loads(service.client("job", "report", job, "--output", "json").stdout)
    return [f for f in report["Findings"] if f.get("Kind", "").startswith(("owner", "privileges", "default privileges"))]


@pytest.mark.parametrize("pair", ["15-15"] + ["15-17", "17-18"] * LONG)
def test_rights_are_carried(service, request, pair):
    versions = [f"postgresql_{v}" for v in pair.split("-")]
    source, target = (request.getfixturevalue(v + ("_b" if i and versions[0] == v else "")) for i, v in enumerate(versions))
    with place(source, target, RICH) as (s, roles):
        check = Check(service, source, target, whole(s), reserve={"privilegeMigration": True}, JobType="SYNC")
        check.repaired("CHECK_ROLES", target, *(f"the role {role}, which the " for role in roles.values()))
        job = service.ok("ConfigureDtsJob", check.params)["DtsJobId"]
        service.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        run_until(service, job, "Synchronizing")
        assert differing(source, target, s) == ([], [])
        if pair == "15-15":
            assert dump(target, s) == dump(source, s)
        source.sql(f"INSERT INTO {s}.t (\"odd col\") VALUES ('live'); DELETE FROM {s}.own; INSERT INTO {s}.whole VALUES (500)")
        wait_for(lambda: target.sql(f"SELECT (SELECT count(*) FROM {s}.t), (SELECT count(*) FROM {s}.part)"), [[(21, 21)]], 60)
        # What holds for more than the selected schema is not made, but told.
        told = findings(service, job)
        assert [(f["Effect"], f["Kind"]) for f in told] == [("Omission", "default privileges")] and "REVOKE ALL ON FUNCTIONS FROM PUBLIC" in told[0]["SourceText"], told
        assert target.sql(f"SELECT 1 FROM pg_default_acl WHERE defaclnamespace = 0 AND defaclrole::regrole::text = '{quote(roles['reader'])}'") == []
        delete(service, job)
        assert differing(source, target, s) == ([], [])


def test_rights_are_told(service, postgresql_15, postgresql_15_b):
    """Without the option nobody is asked for roles, objects belong to the job's account, and the report has the statements."""
    source, target = postgresql_15, postgresql_15_b
    with place(source, target, RICH) as (s, roles):
        job = configure(service, source, target, s, "MIGRATION", DataSynchronization="false")
        run_until(service, job, "Finished")
        told = {f["Kind"]: f for f in findings(service, job)}
        assert {(f["Effect"], f["Item"], f["Object"]) for f in told.values()} == {("Omission", "CHECK_OBJECTS", s)} and set(told) == {"owners", "privileges"}
        assert "privilegeMigration" in told["owners"]["Text"]
        # The statements are the whole of it: run by hand, they make the target what the source is.
        assert {owner for _, _, owner, _ in rights(target, s) if owner} == {"postgres"} and all(acl is None for *_, acl in rights(target, s))
        for role in roles.values():
            target.sql(f"CREATE ROLE {quote(role)}")
        target.sql(told["owners"]["SourceText"])
        target.sql(told["privileges"]["SourceText"])
        assert rights(target, s) == rights(source, s)
        target.sql(f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote(roles['reader'])} GRANT EXECUTE ON FUNCTIONS TO PUBLIC")
        delete(service, job)


def test_account_that_is_no_superuser(service, postgresql_15, postgresql_15_b):
    """Memberships that it needs are asked for; it goes on writing to what it gave away."""
    source, target = postgresql_15, postgresql_15_b
    sql = ("CREATE SCHEMA {s} AUTHORIZATION {boss}; SET search_path = {s}; CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t OWNER TO {boss}; GRANT SELECT ON t TO {reader}; "
           "CREATE TABLE kept (id int PRIMARY KEY); ALTER TABLE kept OWNER TO {boss}; INSERT INTO t VALUES (1, 'a')")
    user = name("worker")
    with place(source, target, sql) as (s, roles):
        target.sql(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'; GRANT CREATE ON DATABASE postgres TO {user}")
        try:
            account = {"DestinationEndpointUserName": user, "DestinationEndpointPassword": PASSWORD}
            check = Check(service, source, target, whole(s), reserve={"privilegeMigration": "true"}, JobType="SYNC", **account)
            check.bad("CHECK_ROLES", f"the role {roles['boss']}, which the owner of schema {s}.{s} names (and 3 more)")
            for role in roles.values():
                target.sql(f"CREATE ROLE {quote(role)}")
            got = check.bad("CHECK_ROLES", f"objects of the role {roles['boss']} are carried with their owner, and the destination account {user} is no member of it")
            assert roles["reader"] not in got["ErrDetail"]
            check.repaired("CHECK_ROLES", target, roles["boss"])
            target.sql(f"ALTER DEFAULT PRIVILEGES FOR ROLE {user} GRANT SELECT ON TABLES TO {quote(roles['clerk'])}")
            check.bad("CHECK_OBJECTS", f"default privileges of the destination account {user} give away what the job makes", state="Warning")
            target.sql(f"ALTER DEFAULT PRIVILEGES FOR ROLE {user} REVOKE SELECT ON TABLES FROM {quote(roles['clerk'])}")
            other = check()["CHECK_SUPER_AUTH_DEST"]["RepairMethod"]  # of the schema sluice, where an earlier job made it
            if other:
                run_sql(target, other)
            job = service.ok("ConfigureDtsJob", check.params)["DtsJobId"]
            run_until(service, job, "Synchronizing")
            source.sql(f"INSERT INTO {s}.t VALUES (2, 'b'); UPDATE {s}.t SET v = 'c' WHERE id = 1")
            wait_for(lambda: target.sql(f"SELECT * FROM {s}.t ORDER BY id"), [[(1, "c"), (2, "b")]], 60)
            assert differing(source, target, s) == ([], [])
            delete(service, job)
        finally:
            target.sql(f"DROP OWNED BY {user} CASCADE; DROP ROLE {user}")


def test_schema_that_is_there(service, postgresql_15, postgresql_15_b):
    """A schema and a table that the destination had keep their owner and their grants, which is told of the schema; between other families the option has no effect, which is told."""
    source, target = postgresql_15, postgresql_15_b
    sql = ("CREATE SCHEMA {s} AUTHORIZATION {boss}; CREATE TABLE {s}.t (id int PRIMARY KEY); GRANT SELECT ON {s}.t TO {clerk}; CREATE TABLE {s}.u (id int PRIMARY KEY); "
           "GRANT SELECT ON {s}.u TO {clerk}; INSERT INTO {s}.t VALUES (1)")
    with place(source, target, sql) as (s, roles):
        for role in roles.values():
            target.sql(f"CREATE ROLE {quote(role)}")
        target.sql(f"CREATE SCHEMA {s}; CREATE TABLE {s}.t (id int PRIMARY KEY)")
        check = Check(service, source, target, whole(s), reserve={"privilegeMigration": True, "targetTableMode": "2"}, DataSynchronization="false")
        check.bad("CHECK_OBJECTS", f"owner of schema {s}.{s} is not carried: the schema exists in the destination and keeps what it has", state="Warning")
        job = service.ok("ConfigureDtsJob", check.params)["DtsJobId"]
        run_until(service, job, "Finished")
        have = {(kind, what): (owner, acl) for kind, what, owner, acl in rights(target, s)}
        assert have["schema", s] == ("postgres", None) and have["relation", "t"] == ("postgres", None) and have["relation", "u"][1] is not None
        delete(service, job)
