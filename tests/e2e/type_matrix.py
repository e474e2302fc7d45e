"""A column of the type matrix: its type at the source, what becomes of it, and values with the text that must arrive.

The texts come from a rule that shares no code with the program: the value as it was written, Python's codecs, struct and decimal, or, between like
servers, the source's own output functions (Column.cases without an expectation).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal


def quote(text):
    """A text as a literal of MySQL or MariaDB, whatever their sql_mode; of PostgreSQL too where it has no backslash."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def exact_json(text):
    """A JSON text as a value: order of members and spelling of numbers do not matter, their exact value does."""
    def number(digits):
        return f"#{Decimal(digits).normalize():f}" if abs(Decimal(digits)) < Decimal("1e40") else f"#{Decimal(digits).normalize():e}"
    return json.dumps(json.loads(text, parse_int=number, parse_float=number), sort_keys=True)


@dataclass(frozen=True)
class Column:
    """type: SQL at the source; becomes: the type's name at the destination, as that server writes it; cases: (SQL of the value at the source, text);
    read: SQL that makes that text at the destination, {v} is the column; normal: applied to both texts before they are compared;
    keyless: also in a table without a key, where rows are found by their values."""

    type: str
    becomes: str
    cases: tuple
    read: str = "{v}"
    normal: Callable = str
    keyless: bool = True


def count(columns):
    """How many values the columns have, NULL of each included."""
    return sum(len(column.cases) + 1 for column in columns)
