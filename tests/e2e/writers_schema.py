"""The tables of writers.py as each family of databases writes them, with edge values of their types as SQL."""

from dataclasses import dataclass
from typing import Callable


@dataclass
class Schema:
    tables: list[str]
    typed: dict[str, list[str]]  # values of the table typed by column, in order
    bytes: Callable[[str], str]  # literal of hex digits
    some_bare: Callable[[str, str, int], str]  # statement, condition, number: as many rows of bare, which has no key


MYSQL = Schema("""
CREATE TABLE ledger(op BIGINT PRIMARY KEY, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6));
CREATE TABLE keyed(id INT PRIMARY KEY, v VARCHAR(40), n DECIMAL(12,3), f FLOAT, KEY(v));
CREATE TABLE twice(id INT PRIMARY KEY, u INT NOT NULL UNIQUE, v VARBINARY(20));
CREATE TABLE bare(a INT, b VARCHAR(20));
CREATE TABLE parent(id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE child(id INT PRIMARY KEY, p INT NOT NULL, FOREIGN KEY(p) REFERENCES parent(id));
CREATE TABLE typed(id INT UNSIGNED PRIMARY KEY, bi BIGINT UNSIGNED, n DECIMAL(40,15), d DOUBLE, f FLOAT, c CHAR(8) CHARACTER SET latin1,
  v VARCHAR(60) CHARACTER SET utf8mb4, b VARBINARY(40), o BLOB, t TEXT CHARACTER SET utf8mb4, da DATE, ti TIME(3), dt DATETIME(6), ts TIMESTAMP(6) NULL,
  y YEAR, e ENUM('a', 'ü', 'z'), s SET('x', 'y', 'w'), bt BIT(12), j JSON);
CREATE VIEW seen AS SELECT id, v FROM keyed WHERE id > 10
""".strip().split(";\n"), {
    "bi": ["0", "18446744073709551615", "NULL"], "n": ["0.000000000000001", "-9999999999999999999999999.999999999999999", "NULL"],
    "d": ["0.1e0", "-1.7976931348623157e308", "NULL"], "f": ["1.25", "16777216", "NULL"], "c": ["'é'", "''", "NULL"],
    "v": ["'\U0001F600 Grüße'", "'it''s \\\\ \"q\"\\t\\n'", "NULL"], "b": ["0x00ff00", "''", "NULL"], "o": ["REPEAT(0x8000, 5000)", "''", "NULL"],
    "t": ["REPEAT('x中', 3000)", "''", "NULL"], "da": ["'2024-02-29'", "'9999-12-31'", "NULL"], "ti": ["'-838:59:58.999'", "'00:00:00.001'", "NULL"],
    "dt": ["'1000-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'", "NULL"], "ts": ["'1970-01-02 00:00:01'", "'2037-12-31 23:59:59.5'", "NULL"],
    "y": ["1901", "2155", "NULL"], "e": ["'ü'", "'z'", "NULL"], "s": ["'x,w'", "''", "NULL"], "bt": ["b'100000000001'", "b'0'", "NULL"],
    "j": ["'{\"a\": [1, -2.5, null, true, \"ü\"]}'", "'[]'", "NULL"],
}, lambda digits: f"X'{digits}'", lambda statement, where, rows: f"{statement} WHERE {where} LIMIT {rows}")

# Values that MySQL can hold too. A text of 9 kB is kept outside its row: an update of other columns does not send it.
POSTGRESQL = Schema("""
CREATE TABLE ledger(op bigint PRIMARY KEY, at timestamptz(6) NOT NULL DEFAULT now());
CREATE TABLE keyed(id int PRIMARY KEY, v varchar(40), n numeric(12,3), f real);
CREATE INDEX ON keyed(v);
CREATE TABLE twice(id int PRIMARY KEY, u int NOT NULL UNIQUE, v bytea);
CREATE TABLE bare(a int, b varchar(20));
ALTER TABLE bare REPLICA IDENTITY FULL;
CREATE TABLE parent(id int PRIMARY KEY, v varchar(20));
CREATE TABLE child(id int PRIMARY KEY, p int NOT NULL REFERENCES parent(id));
CREATE TABLE typed(id bigint PRIMARY KEY, si smallint, bi bigint, n numeric(40,15), d double precision, f real, c char(8), v varchar(60), b bytea, o text,
  da date, ti time(3), dt timestamp(6), ts timestamptz(6), bo boolean, u uuid, j jsonb);
ALTER TABLE typed ALTER o SET STORAGE EXTERNAL;
CREATE VIEW seen AS SELECT id, v FROM keyed WHERE id > 10
""".strip().split(";\n"), {
    "si": ["-32768", "32767", "NULL"], "bi": ["-9223372036854775808", "9223372036854775807", "NULL"],
    "n": ["0.000000000000001", "-9999999999999999999999999.999999999999999", "NULL"], "d": ["0.1", "-1.7976931348623157e308", "NULL"],
    "f": ["1.25", "16777216", "NULL"], "c": ["'é'", "''", "NULL"], "v": ["'\U0001F600 Grüße'", "E'it''s \\\\\\\\ \"q\"\\t\\n'", "NULL"],
    "b": ["'\\x00ff00'", "''", "NULL"], "o": ["repeat('x中', 3000)", "''", "NULL"], "da": ["'2024-02-29'", "'9999-12-31'", "NULL"],
    "ti": ["'23:59:59.999'", "'00:00:00.001'", "NULL"], "dt": ["'1000-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'", "NULL"],
    "ts": ["'1970-01-02 00:00:01+00'", "'2037-12-31 23:59:59.5+00'", "NULL"], "bo": ["true", "false", "NULL"],
    "u": ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "NULL"], "j": ["'{\"a\": [1, -2.5, null, true, \"ü\"]}'", "'[]'", "NULL"],
}, lambda digits: f"'\\x{digits}'", lambda statement, where, rows: f"{statement} WHERE ctid IN (SELECT ctid FROM bare WHERE {where} LIMIT {rows})")

SCHEMAS = {"mysql": MYSQL, "postgresql": POSTGRESQL}
