"""A column of the type matrix: its type at the source, what becomes of it, and values with the text that must arrive.

The texts come from a rule that shares no code with the program: the value as it was written, Python's codecs, struct and decimal, or, between like
servers and where a type is carried by its text, the source's own output functions (Column.cases without an expectation).
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

NULL = "\0NULL"  # the text of a value that becomes NULL


def quote(text):
    """A text as a literal of MySQL or MariaDB, whatever their sql_mode; of PostgreSQL too where it has no backslash."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def exact_json(text):
    """A JSON text as a value: order of members and spelling of numbers do not matter, their exact value does."""
    def number(digits):
        return f"#{Decimal(digits).normalize():f}" if abs(Decimal(digits)) < Decimal("1e40") else f"#{Decimal(digits).normalize():e}"
    return json.dumps(json.loads(text, parse_int=number, parse_float=number), sort_keys=True)


# A FLOAT or DOUBLE of MySQL or MariaDB with all its digits: they cut a number's text at 22 characters, and show a FLOAT with six digits.
READ_REAL = ("CONCAT(IF(LEFT(CAST({v} AS CHAR), 1) = '-', '-', ''), ABS({v} + 0e0) * IF(ABS({v}) < 1e-99, POW(2, 1000), 1), "
             "IF(ABS({v}) < 1e-99, ' small', ''))")


def as_double(text):
    """The bytes of the number that READ_REAL or repr() shows."""
    digits, _, small = text.partition(" ")
    return struct.pack(">d", float(digits) / 2.0 ** 1000 if small else float(digits)).hex()


def as_single(text):
    digits, _, small = text.partition(" ")
    return struct.pack(">f", float(digits) / 2.0 ** 1000 if small else float(digits)).hex()


@dataclass(frozen=True)
class Column:
    """type: SQL at the source; becomes: the type's name at the destination, as that server writes it ({table}: the table's name), None: as at the source;
    cases: (SQL of the value at the source, text), a text None: what the source shows; read: SQL that makes that text at the destination,
    {v} is the column; normal: applied to both texts before they are compared; keyless: also in a table without a key, where rows are found by their
    values; choice: of the user in the mapping's rules (sluice.types)."""

    type: str
    becomes: str | None
    cases: tuple
    read: str = "{v}"
    normal: Callable = str
    keyless: bool = True
    choice: str = ""


def count(columns):
    """How many values the columns have, NULL of each included."""
    return sum(len(column.cases) + 1 for column in columns)
