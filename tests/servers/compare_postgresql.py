"""A table of PostgreSQL as compare.py sees it.

Beside another PostgreSQL a column is the text of its type's output function under pinned settings, so -0, NaN and infinity count. Beside
MariaDB or MySQL it is written as compare_mysql.py writes what the column holds (form). Arrays stand for SET, intervals for TIME.
"""

_SETTINGS = ("-c timezone=UTC -c datestyle=ISO,YMD -c intervalstyle=postgres -c extra_float_digits=3 -c bytea_output=hex "
             "-c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on")


def _hash(expression: str) -> str:
    return f"left(encode(sha256({expression}), 'hex'), 32)"


def _float(name: str) -> str:
    """The bits of a double, lowest byte first; + 0 makes 0 of -0."""
    data = f"float8send({name}::float8 + 0)"
    return "upper(encode(" + " || ".join(f"substr({data}, {i}, 1)" for i in range(8, 0, -1)) + ", 'hex'))"


def _time(name: str) -> str:
    """An interval without months as hours, minutes, seconds."""
    us = f"abs(extract(epoch FROM {name}) * 1000000)::bigint"
    return (f"CASE WHEN {name} < interval '0' THEN '-' ELSE '' END || to_char({us} / 3600000000, 'FM9900') || "
            f"to_char({us} / 60000000 % 60, '\":\"FM00') || to_char({us} / 1000000 % 60, '\":\"FM00') || to_char({us} % 1000000, '\".\"FM000000')")


class PostgreSQLTable:
    """One table on one server; name: schema.table."""

    family = "postgresql"

    def __init__(self, connection, name: str):
        self.connection = connection
        self.db, _, self.table = name.partition(".")
        self.name = f"{self.quote(self.db)}.{self.quote(self.table)}"
        self.columns = dict(self.rows(
            "SELECT column_name, udt_name FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position", (self.db, self.table)))

    @staticmethod
    def open(server):
        """A connection that sees one state of all tables."""
        return server.connect(autocommit=False, options=_SETTINGS)

    @staticmethod
    def quote(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def rows(self, text: str, args=None) -> list:
        with self.connection.cursor() as cursor:
            cursor.execute(text, args)
            return cursor.fetchall()

    def key(self) -> list[str]:
        """Columns of the primary key, else of a unique key without NULLs, else none."""
        found: dict[str, list[str]] = {}
        for index, column, usable in self.rows(
                "SELECT i.indexrelid::regclass::text, a.attname, a.attnotnull FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(n, place), pg_attribute a "
                "WHERE i.indrelid = to_regclass(%s) AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND a.attrelid = i.indrelid AND a.attnum = k.n "
                "AND k.place <= i.indnkeyatts ORDER BY NOT i.indisprimary, 1, k.place", (self.name,)):
            found.setdefault(index, []).append(column if usable else "")
        return next((names for names in found.values() if all(names)), [])

    def is_json(self, column: str) -> bool:
        return self.columns[column] in ("json", "jsonb")

    def json_text(self, column: str) -> str:
        return f"to_jsonb({self.quote(column)})::text"

    def form(self, column: str) -> str:
        raise NotImplementedError("the other family says it")

    def text(self, column: str, form: str = "") -> str:
        """SQL for the column's text, in a form that the other family knows too; never NULL."""
        name, kind = self.quote(column), self.columns[column]
        if not form:
            text = _hash(f"convert_to({name}::text, 'UTF8')")
        elif form == "decimal":
            number = f"{name}::int" if kind == "bool" else name
            text = f"trim_scale({number}::numeric)::text"
        elif form == "float":
            text = _float(name)
        elif form == "bit":
            text = f"COALESCE(NULLIF(ltrim({name}::text, '0'), ''), '0')"
        elif form == "date":
            text = f"to_char({name}, 'YYYY-MM-DD')"
        elif form == "time":
            text = _time(f"{name}::interval")
        elif form == "datetime":
            at = f"({name} AT TIME ZONE 'UTC')" if kind == "timestamptz" else name
            text = f"to_char({at}, 'YYYY-MM-DD HH24:MI:SS.US')"
        elif form == "bytes":
            text = _hash(name)
        else:
            whole = f"array_to_string({name}, ',')" if kind.startswith("_") else f"{name}::text"
            text = _hash(f"convert_to({whole}, 'UTF8')")
        return f"CASE WHEN {name} IS NULL THEN 'N' ELSE {text} END"

    def shown(self, column: str, form: str = "") -> str:
        """SQL for a key column as a person wants to read it."""
        name = self.quote(column)
        if form == "bytes":
            return f"'0x' || upper(encode({name}, 'hex'))"
        return f"{name}::text" if form in ("", "text", "float") else self.text(column, form)

    @staticmethod
    def digest(texts: list[str]) -> str:
        """SQL for the hash of several texts, as hex digits."""
        joined = " || '|' || ".join(texts)
        return f"encode(sha256(convert_to({joined}, 'UTF8')), 'hex')"

    @staticmethod
    def number(digits: str, at: int) -> str:
        """SQL for 16 hex digits as an unsigned number."""
        return f"(('x' || substr({digits}, {at}, 16))::bit(64)::bigint::numeric + 18446744073709551616) % 18446744073709551616"
