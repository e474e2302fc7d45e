/* TABLE_MAP events: comparison with the known definition of the table. */
#include "codec/binlog_collation.h"
#include "codec/binlog_table_map.h"

/* "sql type" of the log for messages. */
static const char *type_name(uint8_t type)
{
    switch (type) {
    case BINLOG_COL_TINY: return "TINYINT";
    case BINLOG_COL_SHORT: return "SMALLINT";
    case BINLOG_COL_INT24: return "MEDIUMINT";
    case BINLOG_COL_LONG: return "INT";
    case BINLOG_COL_LONGLONG: return "BIGINT";
    case BINLOG_COL_FLOAT: return "FLOAT";
    case BINLOG_COL_DOUBLE: return "DOUBLE";
    case BINLOG_COL_DECIMAL: return "old DECIMAL";
    case BINLOG_COL_NEWDECIMAL: return "DECIMAL";
    case BINLOG_COL_BIT: return "BIT";
    case BINLOG_COL_YEAR: return "YEAR";
    case BINLOG_COL_DATE:
    case BINLOG_COL_NEWDATE: return "DATE";
    case BINLOG_COL_TIME:
    case BINLOG_COL_TIME2: return "TIME";
    case BINLOG_COL_DATETIME:
    case BINLOG_COL_DATETIME2: return "DATETIME";
    case BINLOG_COL_TIMESTAMP:
    case BINLOG_COL_TIMESTAMP2: return "TIMESTAMP";
    case BINLOG_COL_VARCHAR:
    case BINLOG_COL_VAR_STRING: return "VARCHAR or VARBINARY";
    case BINLOG_COL_STRING: return "CHAR or BINARY";
    case BINLOG_COL_ENUM: return "ENUM";
    case BINLOG_COL_SET: return "SET";
    case BINLOG_COL_JSON: return "JSON";
    case BINLOG_COL_GEOMETRY: return "GEOMETRY";
    case BINLOG_COL_VECTOR: return "VECTOR";
    case BINLOG_COL_TINY_BLOB:
    case BINLOG_COL_MEDIUM_BLOB:
    case BINLOG_COL_LONG_BLOB:
    case BINLOG_COL_BLOB: return "BLOB or TEXT";
    case BINLOG_COL_BLOB_COMPRESSED:
    case BINLOG_COL_VARCHAR_COMPRESSED: return "COMPRESSED";
    default: return "another type";
    }
}

static bool is_varchar(uint8_t t) { return t == BINLOG_COL_VARCHAR || t == BINLOG_COL_VAR_STRING; }
static bool is_blob(uint8_t t) { return t >= BINLOG_COL_TINY_BLOB && t <= BINLOG_COL_BLOB; }

/* The definition's type may be stored as the log's. */
static bool type_fits(const binlog_column *m, const column_def *d)
{
    uint8_t t = m->type;
    switch (d->type) {
    case COL_TINYINT: return t == BINLOG_COL_TINY;
    case COL_SMALLINT: return t == BINLOG_COL_SHORT;
    case COL_MEDIUMINT: return t == BINLOG_COL_INT24;
    case COL_INT: return t == BINLOG_COL_LONG;
    case COL_BIGINT: return t == BINLOG_COL_LONGLONG;
    case COL_FLOAT: return t == BINLOG_COL_FLOAT;
    case COL_DOUBLE: return t == BINLOG_COL_DOUBLE;
    case COL_DECIMAL: return t == BINLOG_COL_NEWDECIMAL;
    case COL_BIT: return t == BINLOG_COL_BIT;
    case COL_CHAR: return t == BINLOG_COL_STRING;
    case COL_BINARY: return t == BINLOG_COL_STRING;
    case COL_VARCHAR:
    case COL_VARBINARY: return is_varchar(t);
    case COL_TEXT:
    case COL_BLOB: return is_blob(t);
    case COL_DATE: return t == BINLOG_COL_DATE || t == BINLOG_COL_NEWDATE;
    case COL_TIME: return t == BINLOG_COL_TIME2 || t == BINLOG_COL_TIME;
    case COL_DATETIME: return t == BINLOG_COL_DATETIME2 || t == BINLOG_COL_DATETIME;
    case COL_TIMESTAMP: return t == BINLOG_COL_TIMESTAMP2 || t == BINLOG_COL_TIMESTAMP;
    case COL_YEAR: return t == BINLOG_COL_YEAR;
    case COL_ENUM: return t == BINLOG_COL_ENUM;
    case COL_SET: return t == BINLOG_COL_SET;
    case COL_JSON: return t == BINLOG_COL_JSON || is_blob(t); /* MariaDB: a LONGTEXT */
    case COL_GEOMETRY: return t == BINLOG_COL_GEOMETRY;
    case COL_VECTOR: return t == BINLOG_COL_VECTOR || is_varchar(t); /* MariaDB: a VARBINARY */
    case COL_UUID: return t == BINLOG_COL_STRING && m->size == 16;
    case COL_INET: return t == BINLOG_COL_STRING && (m->size == 16 || m->size == 4);
    default: return true;
    }
}

static bool is_old_temporal(uint8_t t) { return t == BINLOG_COL_TIME || t == BINLOG_COL_DATETIME || t == BINLOG_COL_TIMESTAMP; }

/* Sizes that the metadata tells exactly. */
static bool size_fits(const binlog_column *m, const column_def *d)
{
    switch (d->type) {
    case COL_DECIMAL: return m->size == d->length && m->scale == d->scale;
    case COL_BIT:
    case COL_BINARY: return m->size == d->length;
    case COL_VARBINARY: return m->size == d->length;
    case COL_CHAR:
    case COL_VARCHAR: return m->size >= d->length; /* bytes against characters */
    case COL_TIME:
    case COL_DATETIME:
    case COL_TIMESTAMP: return is_old_temporal(m->type) || m->size == d->scale;
    case COL_ENUM: return d->label_count == 0 || m->size == (d->label_count > 255 ? 2 : 1);
    case COL_SET: {
        uint32_t bytes = (d->label_count + 7) / 8;
        return d->label_count == 0 || m->size == (bytes > 4 ? 8 : bytes);
    }
    default: return true;
    }
}

static bool has_sign(uint8_t t)
{
    return t == BINLOG_COL_TINY || t == BINLOG_COL_SHORT || t == BINLOG_COL_INT24 || t == BINLOG_COL_LONG || t == BINLOG_COL_LONGLONG;
}

static bool is_ascii(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > 0x7f) return false;
    return true;
}

/* Labels of other than ASCII letters may be in different character sets on both sides: their number must do. */
static bool labels_fit(const binlog_column *m, const column_def *d)
{
    if (!m->labels || !d->labels) return true;
    if (m->label_count != d->label_count) return false;
    for (uint32_t i = 0; i < m->label_count; i++)
        if (is_ascii(m->labels[i]) && is_ascii(d->labels[i]) && !str_eq(m->labels[i], d->labels[i])) return false;
    return true;
}

static bool charset_fits(const binlog_column *m, const column_def *d)
{
    str told = m->collation ? binlog_collation_charset(m->collation) : STR("");
    if (told.n == 0) return true;
    switch (d->type) {
    case COL_CHAR:
    case COL_VARCHAR:
    case COL_TEXT:
    case COL_ENUM:
    case COL_SET: return d->charset.n == 0 || binlog_charset_equal(told, d->charset);
    case COL_BINARY:
    case COL_VARBINARY:
    case COL_BLOB: return m->collation == BINLOG_COLLATION_BINARY;
    default: return true;
    }
}

static bool mismatch(const table_def *t, const column_def *d, const char *what, const char *in_log, err *e)
{
    return err_set(e, ERR_SOURCE_SCHEMA, "table %.*s.%.*s, column %.*s (%.*s): the log has another %s%s%s; the table was altered outside the known definition",
                   STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(d->name), STR_ARG(d->native_type), what, *in_log ? ": " : "", in_log);
}

static bool check_column(const binlog_table_map *map, const binlog_column *m, const table_def *t, const column_def *d, err *e)
{
    if (m->name.p && !str_eq(m->name, d->name))
        return err_set(e, ERR_SOURCE_SCHEMA, "table %.*s.%.*s: the log calls column %.*s \"%.*s\"; the table was altered outside the known definition",
                       STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(d->name), STR_ARG(m->name));
    if (m->type == BINLOG_COL_BLOB_COMPRESSED || m->type == BINLOG_COL_VARCHAR_COMPRESSED)
        return err_set(e, ERR_NOT_SUPPORTED, "table %.*s.%.*s, column %.*s is COMPRESSED, which is not read from the log; drop the attribute or deselect the table",
                       STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(d->name));
    if (!type_fits(m, d)) return mismatch(t, d, "type", type_name(m->type), e);
    if (is_old_temporal(m->type) && d->scale > 0)
        return err_set(e, ERR_NOT_SUPPORTED,
                       "table %.*s.%.*s, column %.*s is stored in the old form of fractional times; set mysql56_temporal_format=ON and rebuild the table",
                       STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(d->name));
    if (!size_fits(m, d)) return mismatch(t, d, "size", "", e);
    if (map->has_signedness && has_sign(m->type) && m->is_unsigned != d->is_unsigned) return mismatch(t, d, "sign", m->is_unsigned ? "UNSIGNED" : "signed", e);
    if (!labels_fit(m, d)) return mismatch(t, d, "list of labels", "", e);
    if (!charset_fits(m, d)) return mismatch(t, d, "character set", binlog_collation_charset(m->collation).p, e);
    return true;
}

bool binlog_table_map_check(const binlog_table_map *m, const table_def *t, err *e)
{
    if (m->column_count != t->column_count)
        return err_set(e, ERR_SOURCE_SCHEMA, "table %.*s.%.*s has %u columns in the log, %u in the known definition", STR_ARG(t->schema), STR_ARG(t->name),
                       m->column_count, t->column_count);
    for (uint32_t i = 0; i < m->column_count; i++)
        if (!check_column(m, &m->columns[i], t, &t->columns[i], e)) return false;
    return true;
}
