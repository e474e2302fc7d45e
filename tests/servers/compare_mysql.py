"""A table of MariaDB or MySQL as compare.py sees it.

Every column becomes a text that MariaDB and MySQL make alike: integers and decimals as digits, floats as the bits of their double value,
text as a hash of its UTF-8 form, bytes as a hash, NULL as 'N'. The bits of a double are read out of a POINT: MySQL 9.7 prints at most 22
characters of a computed double, which loses the last bit of 1.3647584518757569e-192 (measured). SHA2 is used because MySQL 9.6 dropped MD5.
Beside another family the form that both can write is used: decimals without trailing zeros, times with six digits, bits as digits.
"""

_INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}
_FLOATS = {"float", "double"}
_PLAIN = {"decimal", "date", "time", "datetime", "timestamp"}
_BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
_TEXT = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
_SHAPES = {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
           "multipolygon", "geometrycollection", "geomcollection", "vector"}
_SHARED = {"decimal": "decimal", "date": "date", "time": "time", "datetime": "datetime", "timestamp": "datetime", "bit": "bit"}


def _hash(expression: str) -> str:
    return f"LEFT(SHA2({expression}, 256), 32)"


def _trimmed(text: str) -> str:
    return f"IF(LOCATE('.', {text}), TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text})), {text})"


class MySQLTable:
    """One table on one server."""

    family = "mysql"

    def __init__(self, connection, name: str):
        self.connection = connection
        self.db, _, self.table = name.partition(".")
        self.name = f"{self.quote(self.db)}.{self.quote(self.table)}"
        self.columns = {row[0]: row[1].lower() for row in self.rows(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position", (self.db, self.table))}

    @staticmethod
    def open(server):
        """A connection that sees one state of all tables."""
        connection = server.connect(autocommit=False)
        with connection.cursor() as cursor:
            cursor.execute("SET NAMES utf8mb4")
            cursor.execute("SET time_zone = '+00:00', sql_mode = ''")
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        return connection

    @staticmethod
    def quote(name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def rows(self, text: str, args=None) -> list:
        with self.connection.cursor() as cursor:
            cursor.execute(text, args)
            return list(cursor.fetchall())

    def key(self) -> list[str]:
        """Columns of the primary key, else of a unique key without NULLs, else none."""
        found: dict[str, list[str]] = {}
        for index, column, nullable, part in self.rows(
                "SELECT index_name, column_name, nullable, sub_part FROM information_schema.statistics "
                "WHERE table_schema = %s AND table_name = %s AND non_unique = 0 "
                "ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index", (self.db, self.table)):
            usable = column is not None and nullable != "YES" and part is None
            found.setdefault(index, []).append(column if usable else "")
        return next((names for names in found.values() if all(names)), [])

    def is_json(self, column: str) -> bool:
        return self.columns[column] == "json"

    def json_text(self, column: str) -> str:
        return f"CONVERT(CAST({self.quote(column)} AS CHAR) USING utf8mb4)"

    def form(self, column: str) -> str:
        """What the column holds, in words that both families know."""
        kind = self.columns[column]
        if kind in _INTEGERS:
            return "decimal"
        return "float" if kind in _FLOATS else "bytes" if kind in _BYTES else _SHARED.get(kind, "text")

    def text(self, column: str, form: str = "") -> str:
        """SQL for the column's text, in a form that the other family knows too; NULL only if the server could not build it."""
        name, kind = self.quote(column), self.columns[column]
        if form == "bit":
            text = f"BIN(CAST({name} AS UNSIGNED))"
        elif form in ("time", "datetime"):
            text = f"CONCAT(CAST({name} AS {form}(6)))"
        elif kind in _INTEGERS:
            text = f"CONCAT({name} + 0)"
        elif kind == "bit":
            text = f"CONCAT(CAST({name} AS UNSIGNED))"
        elif kind in _FLOATS:
            text = f"SUBSTRING(HEX(POINT({name} + 0e0, 0)), 19, 16)"
        elif kind in _PLAIN:
            text = _trimmed(f"CONCAT({name})") if form == "decimal" else f"CONCAT({name})"
        elif kind in _BYTES:
            text = _hash(name)
        elif kind in _SHAPES:
            text = _hash(f"HEX({name})")
        elif kind in _TEXT:
            text = _hash(f"CONVERT({name} USING utf8mb4)")
        else:  # json, uuid, inet6
            text = _hash(f"CONVERT(CAST({name} AS CHAR) USING utf8mb4)")
        return f"IF({name} IS NULL, 'N', {text})"

    def shown(self, column: str, form: str = "") -> str:
        """SQL for a key column as a person wants to read it."""
        name, kind = self.quote(column), self.columns[column]
        if kind in _BYTES:
            return f"CONCAT('0x', HEX({name}))"
        if kind in _TEXT:
            return f"CONVERT({name} USING utf8mb4)"
        return f"CONCAT({name})" if kind in _FLOATS else self.text(column, form)

    @staticmethod
    def digest(texts: list[str]) -> str:
        """SQL for the hash of several texts, as hex digits."""
        return f"SHA2(CONCAT({', 0x7c, '.join(texts)}), 256)"

    @staticmethod
    def number(digits: str, at: int) -> str:
        """SQL for 16 hex digits as an unsigned number."""
        return f"CAST(CONV(SUBSTRING({digits}, {at}, 16), 16, 10) AS UNSIGNED)"
