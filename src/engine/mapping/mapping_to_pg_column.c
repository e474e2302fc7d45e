/* Type, convert function, checks and findings of a column, by the rules T1 to T20, T24 and T27. */
#include "engine/mapping/mapping_to_pg.h"

#include <string.h>

/* One column at work. */
typedef struct column_work {
    const pg_work *w;
    uint32_t index;
    const column_def *s;
    column_def *t;
    const ddl_column *d;
    column_plan *plan;
    pg_column_detail *detail;
    err *e;
} column_work;

static bool choose(const column_work *c, mapping_rule r, mapping_choice *ret) { return mapping_choose(c->w->m, c->w->s, c->s, r, ret, c->e); }
static bool chose(const column_work *c, mapping_rule r, const char *word, bool *ret) { return mapping_chose(c->w->m, c->w->s, c->s, r, word, ret, c->e); }

/* A finding whose condition is a format with the quoted source column for each "%c". */
static bool tell(const column_work *c, mapping_rule r, mapping_finding f, const char *condition)
{
    BUF_AUTO sql = BUF_INIT;
    for (const char *p = condition; p && *p; p++) {
        if (p[0] == '%' && p[1] == 'c') pg_add_source_name(&sql, c->s->name), p++;
        else if (p[0] == '%' && p[1] == 's') buf_add(&sql, c->s->charset), p++;
        else buf_add_byte(&sql, *p);
    }
    if (sql.failed) return err_no_memory(c->e, "a finding");
    f.condition_sql = buf_str(&sql);
    mapping_find(c->w->m, c->w->s, c->s, r, f);
    return true;
}

static bool find(const column_work *c, mapping_rule r, bool fails, const char *what, const char *condition)
{
    return tell(c, r, (mapping_finding){.what = str_from_c(what), .fails = fails}, condition);
}

static bool set_type(const column_work *c, col_type type, str native, column_convert convert)
{
    c->t->type = type;
    c->t->native_type = native;
    c->plan->convert = convert;
    return pg_made(native, c->e);
}

static bool set_sized(const column_work *c, col_type type, const char *name, uint32_t n, column_convert convert)
{
    return set_type(c, type, arena_printf(c->w->m->a, "%s(%u)", name, n), convert);
}

/* ---- numbers ---- */

static bool check_not_negative(const column_work *c)
{
    bool check;
    BUF_AUTO condition = BUF_INIT;
    if (!c->s->is_unsigned) return true;
    if (!chose(c, RULE_T2, "check", &check)) return false;
    if (!check) return true;
    buf_add_byte(&condition, '(');
    pg_add_name(&condition, c->t->name);
    buf_add_c(&condition, " >= 0)");
    str name = arena_printf(c->w->m->a, "%.*s_%.*s_unsigned", STR_ARG(c->w->t->name), STR_ARG(c->t->name));
    return pg_made(name, c->e) && (!condition.failed || err_no_memory(c->e, "a check")) &&
           pg_add_check(c->w, pg_short_name(c->w->m, c->w->s, name), buf_str(&condition), c->e);
}

static bool plan_tinyint(const column_work *c)
{
    bool boolean;
    if (c->s->length != 1 || c->s->is_unsigned) return set_type(c, COL_SMALLINT, STR("smallint"), pg_convert_integer);
    if (!chose(c, RULE_T3, "boolean", &boolean)) return false;
    if (!boolean) return set_type(c, COL_SMALLINT, STR("smallint"), pg_convert_integer);
    return find(c, RULE_T3, true, "numbers other than 0 and 1 are no boolean", "%c NOT IN (0, 1)") &&
           set_type(c, COL_OTHER, STR("boolean"), pg_convert_boolean);
}

static bool plan_bigint(const column_work *c)
{
    bool bigint;
    if (!c->s->is_unsigned) return set_type(c, COL_BIGINT, STR("bigint"), pg_convert_integer);
    if (!chose(c, RULE_T1, "bigint", &bigint)) return false;
    if (bigint)
        return find(c, RULE_T1, true, "numbers over 9223372036854775807 are no bigint", "%c > 9223372036854775807") &&
               set_type(c, COL_BIGINT, STR("bigint"), pg_convert_bigint);
    c->t->length = 20;
    return set_type(c, COL_DECIMAL, STR("numeric(20,0)"), pg_convert_integer);
}

static bool plan_decimal(const column_work *c)
{
    c->t->length = c->s->length ? c->s->length : 10;
    c->t->scale = c->s->scale;
    return set_type(c, COL_DECIMAL, arena_printf(c->w->m->a, "numeric(%u,%u)", c->t->length, c->t->scale), pg_convert_decimal);
}

static bool plan_bit(const column_work *c)
{
    bool boolean = false;
    if (c->s->length == 1 && !chose(c, RULE_T4, "boolean", &boolean)) return false;
    if (boolean) return set_type(c, COL_OTHER, STR("boolean"), pg_convert_boolean);
    c->t->length = c->s->length;
    return set_sized(c, COL_BIT, "bit", c->s->length, pg_convert_bits);
}

/* ---- texts and bytes ---- */

static bool is_unicode(str name)
{
    return !name.n || str_starts_with_nocase(name, STR("utf")) || str_eq_nocase(name, STR("ucs2")) || str_eq_nocase(name, STR("binary"));
}

/* Character set, T8 and T9; *ret_raw: the column becomes bytea. */
static bool plan_charset(const column_work *c, bool *ret_raw)
{
    mapping_choice bad, nul;
    if (!charset_find(&((pg_state *)c->w->m->state)->charsets, c->s->charset, c->w->m->a, &c->detail->charset, c->e)) return false;
    if (!choose(c, RULE_T8, &bad) || !choose(c, RULE_T9, &nul)) return false;
    *ret_raw = str_eq(bad.word, STR("bytea"));
    c->detail->bad_bytes = str_eq(bad.word, STR("replace")) ? PG_BAD_REPLACE : PG_BAD_ERROR;
    c->detail->nul = str_eq(nul.word, STR("strip")) ? PG_NUL_STRIP : str_eq(nul.word, STR("replace")) ? PG_NUL_REPLACE : PG_NUL_ERROR;
    if (*ret_raw) return true;
    return (is_unicode(c->s->charset) ||
            find(c, RULE_T8, c->detail->bad_bytes == PG_BAD_ERROR, "bytes that are no text of the column's character set",
                 "CAST(CONVERT(CONVERT(%c USING utf8mb4) USING %s) AS BINARY) <> CAST(%c AS BINARY)")) &&
           find(c, RULE_T9, c->detail->nul == PG_NUL_ERROR, "PostgreSQL's texts have no character U+0000",
                charset_keeps_ascii(c->detail->charset) ? "LOCATE(0x00, CONVERT(%c USING binary)) > 0" /* half the work of the other for the server */
                                                        : "LOCATE(0x00, CAST(CONVERT(%c USING utf8mb4) AS BINARY)) > 0");
}

static bool plan_bytes(const column_work *c)
{
    bool large = c->s->type == COL_BLOB || c->s->type == COL_TEXT;
    return (!large || c->s->length != UINT32_MAX ||
            find(c, RULE_T11, true, "a bytea is read as text of less than 1 GiB, two digits a byte", "OCTET_LENGTH(%c) > 536870908")) &&
           set_type(c, COL_BLOB, STR("bytea"), pg_convert_bytes);
}

static bool is_in_key(const column_work *c)
{
    for (uint32_t i = 0; i < c->w->s->key_count; i++)
        for (uint32_t k = 0; k < c->w->s->keys[i].count; k++)
            if (c->w->s->keys[i].columns[k] == c->index && c->w->d->keys[i].kind != DDL_FULLTEXT) return true;
    return false;
}

static bool add_collation(const column_work *c, const char *name, const char *locale)
{
    mapping_maker *m = c->w->m;
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO full = BUF_INIT;
    pg_add_qualified(&full, c->w->t->schema, str_from_c(name));
    c->t->collation = arena_copy(m->a, str_or_empty(buf_str(&full)));
    for (uint32_t i = 0; i < m->target->object_count; i++)
        if (str_eq(m->target->objects[i].schema, c->w->t->schema) && str_eq(m->target->objects[i].name, str_from_c(name))) return pg_made(c->t->collation, c->e);
    buf_add_c(&sql, "CREATE COLLATION ");
    buf_add(&sql, buf_str(&full));
    buf_printf(&sql, " (provider = icu, locale = '%s', deterministic = false)", locale);
    if (sql.failed || full.failed) return err_no_memory(c->e, "a collation");
    return pg_made(c->t->collation, c->e) &&
           pg_add_object(m, (object_def){.kind = STR("collation"), .schema = c->w->t->schema, .name = str_from_c(name), .create_sql = arena_copy(m->a, buf_str(&sql))}, c->e);
}

/* T24: which letters are equal decides what a key lets in. */
static bool plan_collation(const column_work *c)
{
    str name = c->s->collation;
    bool icu, accents = str_find(name, STR("_as_")) != SIZE_MAX, exact = str_ends_with(name, STR("_bin")) || str_ends_with(name, STR("_as_cs")) || !name.n;
    if (exact || str_eq(name, STR("binary")) || !is_in_key(c)) return true;
    if (!chose(c, RULE_T24, "icu", &icu)) return false;
    if (icu) return accents ? add_collation(c, "sluice_ignore_case", "und-u-ks-level2") : add_collation(c, "sluice_ignore_case_accent", "und-u-ks-level1");
    return find(c, RULE_T24, false, "the column's collation takes letters of other case or accent, and spaces at the end, as equal in keys; PostgreSQL's default tells all apart", NULL);
}

/* MariaDB's JSON is a text with this check. */
static bool is_mariadb_json(const column_work *c)
{
    return c->s->type == COL_TEXT && c->d->check_sql.p && str_starts_with_nocase(c->d->check_sql, STR("(json_valid(`"));
}

static bool plan_json(const column_work *c)
{
    mapping_choice json;
    bool mariadb = c->s->type == COL_TEXT;
    if (!charset_find(&((pg_state *)c->w->m->state)->charsets, c->s->charset, c->w->m->a, &c->detail->charset, c->e) || !choose(c, RULE_T14, &json)) return false;
    if (str_eq(json.word, STR("text"))) return set_type(c, COL_TEXT, STR("text"), pg_convert_text);
    if (str_eq(json.word, STR("json")))
        return (!mariadb || find(c, RULE_T14, true, "what is no JSON is refused", "NOT JSON_VALID(%c)")) && set_type(c, COL_JSON, STR("json"), pg_convert_json);
    if (mariadb && !find(c, RULE_T14, false, "jsonb keeps the value, not its text: white space, repeated members and the order of members go", NULL)) return false;
    mapping_finding f = {.what = STR("jsonb has no character U+0000, no half of a surrogate pair and no number beyond numeric"), .fails = true, .rough = true};
    return tell(c, RULE_T14, f, mariadb ? "NOT JSON_VALID(%c) OR LOCATE('\\\\u', %c) > 0" : "LOCATE('\\\\u0000', CAST(%c AS CHAR)) > 0") &&
           set_type(c, COL_JSON, STR("jsonb"), pg_convert_jsonb);
}

static bool plan_text(const column_work *c)
{
    bool raw, padded = false;
    if (is_mariadb_json(c)) return plan_json(c);
    if (!plan_charset(c, &raw)) return false;
    if (raw) return plan_bytes(c);
    if (c->s->type == COL_CHAR && !chose(c, RULE_T7, "char", &padded)) return false;
    if (!plan_collation(c)) return false;
    c->t->charset = STR("UTF8");
    if (c->s->type == COL_TEXT)
        return (c->s->length != UINT32_MAX || find(c, RULE_T11, true, "a field of PostgreSQL is smaller than 1 GiB", "OCTET_LENGTH(%c) > 1000000000")) &&
               set_type(c, COL_TEXT, STR("text"), pg_convert_text);
    c->t->length = c->s->length ? c->s->length : 1; /* VARCHAR(0) holds '' alone, and PostgreSQL has no such type */
    return set_sized(c, padded ? COL_CHAR : COL_VARCHAR, padded ? "character" : "character varying", c->t->length, pg_convert_text);
}

/* ---- ENUM, SET ---- */

/* The labels in UTF-8; those of ENUM behind the error value ''. */
static bool read_labels(const column_work *c)
{
    uint32_t first = c->s->type == COL_ENUM ? 1 : 0;
    str *labels = arena_array(c->w->m->a, c->s->label_count + first, sizeof *labels);
    if (!labels) return err_no_memory(c->e, "labels");
    if (first) labels[0] = STR("");
    for (uint32_t i = 0; i < c->s->label_count; i++) {
        mapping_trouble t = {0};
        if (pg_text_of(c->detail, c->s->labels[i], c->w->m->a, &labels[first + i], &t)) continue;
        return t.what.p ? err_set(c->e, ERR_NOT_SUPPORTED, "label %u: %.*s", i + 1, STR_ARG(t.what)) : err_no_memory(c->e, "labels");
    }
    c->detail->labels = labels;
    c->detail->label_count = c->s->label_count;
    return true;
}

static void add_labels(const column_work *c, bool with_error_value, buf *out)
{
    const pg_column_detail *d = c->detail;
    uint32_t first = c->s->type == COL_ENUM ? 1 : 0;
    for (uint32_t i = first; i < d->label_count + first; i++) with_error_value = with_error_value && d->labels[i].n;
    if (with_error_value) buf_add_c(out, d->label_count ? "'', " : "''");
    for (uint32_t i = 0; i < d->label_count; i++) {
        if (i) buf_add_c(out, ", ");
        pg_add_literal(out, d->labels[i + first]);
    }
}

static bool add_label_check(const column_work *c, buf *condition, const char *kind)
{
    str name = arena_printf(c->w->m->a, "%.*s_%.*s_%s", STR_ARG(c->w->t->name), STR_ARG(c->t->name), kind);
    if (condition->failed) return err_no_memory(c->e, "a check");
    return pg_made(name, c->e) && pg_add_check(c->w, pg_short_name(c->w->m, c->w->s, name), buf_str(condition), c->e);
}

static bool plan_enum_type(const column_work *c)
{
    mapping_maker *m = c->w->m;
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO full = BUF_INIT;
    for (uint32_t i = 1; i <= c->detail->label_count; i++)
        if (c->detail->labels[i].n > MAPPING_PG_MAX_NAME_BYTES)
            return err_set(c->e, ERR_NOT_SUPPORTED, "label %u has %zu bytes, an enum type of PostgreSQL takes 63; choose T12=text for the column", i, c->detail->labels[i].n);
    str name = arena_printf(m->a, "%.*s_%.*s_enum", STR_ARG(c->w->t->name), STR_ARG(c->t->name));
    if (!pg_made(name, c->e)) return false;
    name = pg_short_name(m, c->w->s, name);
    pg_add_qualified(&full, c->w->t->schema, name);
    buf_add_c(&sql, "CREATE TYPE ");
    buf_add(&sql, buf_str(&full));
    buf_add_c(&sql, " AS ENUM (");
    add_labels(c, true, &sql);
    buf_add_byte(&sql, ')');
    if (sql.failed || full.failed) return err_no_memory(c->e, "a type");
    c->t->labels = (str *)(uintptr_t)c->detail->labels;
    c->t->label_count = c->detail->label_count + 1;
    return pg_add_object(m, (object_def){.kind = STR("type"), .schema = c->w->t->schema, .name = name, .create_sql = arena_copy(m->a, buf_str(&sql))}, c->e) &&
           set_type(c, COL_ENUM, arena_copy(m->a, buf_str(&full)), pg_convert_enum);
}

static bool plan_enum(const column_work *c)
{
    bool native, raw;
    BUF_AUTO check = BUF_INIT;
    if (!plan_charset(c, &raw) || !read_labels(c) || !chose(c, RULE_T12, "enum", &native)) return false;
    if (native) return plan_enum_type(c);
    buf_add_byte(&check, '(');
    pg_add_name(&check, c->t->name);
    buf_add_c(&check, " IN (");
    add_labels(c, true, &check); /* the error value is as real as any other */
    buf_add_c(&check, "))");
    c->t->charset = STR("UTF8");
    return add_label_check(c, &check, "enum") && plan_collation(c) && set_type(c, COL_TEXT, STR("text"), pg_convert_enum);
}

static bool plan_set(const column_work *c)
{
    bool list, raw;
    BUF_AUTO check = BUF_INIT;
    if (!plan_charset(c, &raw) || !read_labels(c) || !chose(c, RULE_T13, "text", &list)) return false;
    if (list) return set_type(c, COL_TEXT, STR("text"), pg_convert_set_text);
    buf_add_byte(&check, '(');
    pg_add_name(&check, c->t->name);
    buf_add_c(&check, " <@ ARRAY[");
    add_labels(c, false, &check);
    buf_add_c(&check, "]::text[])");
    return add_label_check(c, &check, "set") && set_type(c, COL_OTHER, STR("text[]"), pg_convert_set);
}

/* ---- dates and times ---- */

bool pg_is_key_column(const table_def *t, uint32_t column)
{
    for (uint32_t i = 0; i < t->key_count; i++)
        for (uint32_t k = 0; (t->keys[i].primary || i == t->row_key) && k < t->keys[i].count; k++)
            if (t->keys[i].columns[k] == column) return true;
    return false;
}

/* What stands for a day that is none; suffix as the column's values have it. */
static bool plan_sentinel(const column_work *c, str argument, str suffix)
{
    bool endless = str_eq(argument, STR("infinity")) || str_eq(argument, STR("-infinity"));
    if (!endless && (argument.n != 10 || !pg_is_day(argument)))
        return err_set(c->e, ERR_BAD_INPUT, "sluice.types T15: the sentinel '%.*s' is neither a day (YYYY-MM-DD) nor infinity nor -infinity", STR_ARG(argument));
    c->detail->no_day = PG_NO_DAY_SENTINEL;
    c->detail->sentinel = endless || c->s->type == COL_DATE ? arena_copy(c->w->m->a, argument)
                                                            : arena_printf(c->w->m->a, "%.*s 00:00:00%.*s", STR_ARG(argument), STR_ARG(suffix));
    return pg_made(c->detail->sentinel, c->e);
}

/* T15; *ret_text: the column becomes a text. */
static bool plan_days(const column_work *c, str suffix, bool *ret_text)
{
    mapping_choice days;
    if (!choose(c, RULE_T15, &days)) return false;
    *ret_text = str_eq(days.word, STR("text"));
    if (*ret_text) return true;
    if (str_eq(days.word, STR("sentinel")) && !plan_sentinel(c, days.argument, suffix)) return false;
    if (str_eq(days.word, STR("null"))) {
        if (pg_is_key_column(c->w->s, c->index))
            return err_set(c->e, ERR_BAD_INPUT, "sluice.types T15=null: a column of the key cannot be NULL; choose a sentinel or text for it");
        c->detail->no_day = PG_NO_DAY_NULL;
        c->t->nullable = true;
    }
    const char *condition = c->s->type == COL_TIMESTAMP ? "YEAR(%c) = 0"
                                                        : "YEAR(%c) = 0 OR MONTH(%c) = 0 OR DAYOFMONTH(%c) = 0 OR (%c IS NOT NULL AND LAST_DAY(%c) IS NULL) OR "
                                                          "DAYOFMONTH(%c) > DAYOFMONTH(LAST_DAY(%c))";
    return find(c, RULE_T15, c->detail->no_day == PG_NO_DAY_ERROR, "PostgreSQL has only days of the calendar", condition);
}

static bool plan_date(const column_work *c)
{
    bool text;
    if (!plan_days(c, STR(""), &text)) return false;
    return text ? set_type(c, COL_TEXT, STR("text"), pg_convert_moment_text) : set_type(c, COL_DATE, STR("date"), pg_convert_date);
}

static bool is_zone(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!letter && ch != '_' && ch != '/' && ch != '+' && ch != '-' && ch != ':') return false;
    }
    return s.n > 0;
}

static bool plan_datetime(const column_work *c)
{
    mapping_choice zone = {0};
    bool text, zoned = c->s->type == COL_TIMESTAMP;
    if (zoned) {
        c->detail->suffix = STR("+00");
    } else {
        if (!choose(c, RULE_T16, &zone)) return false;
        zoned = str_eq(zone.word, STR("timestamptz"));
        if (zoned && !is_zone(zone.argument))
            return err_set(c->e, ERR_BAD_INPUT, "sluice.types T16: '%.*s' is no zone; write +08:00 or Asia/Shanghai", STR_ARG(zone.argument));
        if (zoned) c->detail->suffix = arena_printf(c->w->m->a, " %.*s", STR_ARG(zone.argument));
        if (zoned && !pg_made(c->detail->suffix, c->e)) return false;
    }
    if (!plan_days(c, c->detail->suffix, &text)) return false;
    if (text) return set_type(c, COL_TEXT, STR("text"), pg_convert_moment_text);
    c->t->scale = c->s->scale;
    return set_type(c, zoned ? COL_TIMESTAMP : COL_DATETIME,
                    arena_printf(c->w->m->a, "timestamp(%u) %s time zone", c->s->scale, zoned ? "with" : "without"), pg_convert_datetime);
}

static bool plan_time(const column_work *c)
{
    bool day;
    if (!chose(c, RULE_T18, "time", &day)) return false;
    c->t->scale = c->s->scale;
    if (!day) return set_sized(c, COL_OTHER, "interval", c->s->scale, pg_convert_interval);
    return find(c, RULE_T18, true, "only times from 00:00:00 to 24:00:00 are times of a day", "%c < '00:00:00' OR %c > '24:00:00'") &&
           set_type(c, COL_TIME, arena_printf(c->w->m->a, "time(%u) without time zone", c->s->scale), pg_convert_time);
}

static bool plan_year(const column_work *c)
{
    bool integer;
    if (!chose(c, RULE_T19, "integer", &integer)) return false;
    return set_type(c, integer ? COL_INT : COL_SMALLINT, integer ? STR("integer") : STR("smallint"), pg_convert_year);
}

/* ---- shapes and others ---- */

static str geometry_type(const column_work *c)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t srid = 0;
    str word = c->d->type_word;
    pg_add_qualified(&sql, c->w->m->options->postgis_schema, STR("geometry"));
    bool known = c->d->srid.p && str_to_u64(c->d->srid, &srid) && srid; /* only MySQL 8 enforces it */
    if (str_eq_nocase(word, STR("geomcollection"))) word = STR("geometrycollection");
    if (known || !str_eq_nocase(word, STR("geometry"))) buf_printf(&sql, "(%.*s", STR_ARG(word));
    if (known) buf_printf(&sql, ",%llu", (unsigned long long)srid);
    if (known || !str_eq_nocase(word, STR("geometry"))) buf_add_byte(&sql, ')');
    return sql.failed ? STR_NULL : arena_copy(c->w->m->a, buf_str(&sql));
}

static bool plan_geometry(const column_work *c)
{
    mapping_choice shape;
    if (!choose(c, RULE_T20, &shape)) return false;
    if (str_eq(shape.word, STR("text"))) return set_type(c, COL_TEXT, STR("text"), pg_convert_geometry_text);
    if (str_eq(shape.word, STR("geometry")) && c->w->m->options->postgis_schema.p) return set_type(c, COL_OTHER, geometry_type(c), pg_convert_geometry);
    return (!str_eq(shape.word, STR("geometry")) ||
            find(c, RULE_T20, false, "the destination has no PostGIS (CREATE EXTENSION postgis): shapes become bytes, EWKB in bytea", NULL)) &&
           set_type(c, COL_BLOB, STR("bytea"), pg_convert_geometry_bytes);
}

static bool plan_vector(const column_work *c)
{
    mapping_choice vector;
    BUF_AUTO sql = BUF_INIT;
    if (!choose(c, RULE_T27, &vector)) return false;
    if (str_eq(vector.word, STR("bytea"))) return set_type(c, COL_BLOB, STR("bytea"), pg_convert_bytes);
    if (str_eq(vector.word, STR("text"))) return set_type(c, COL_TEXT, STR("text"), pg_convert_vector);
    if (!c->w->m->options->pgvector_schema.p)
        return find(c, RULE_T27, false, "the destination has no pgvector (CREATE EXTENSION vector): vectors become real[]", NULL) &&
               set_type(c, COL_OTHER, STR("real[]"), pg_convert_floats);
    pg_add_qualified(&sql, c->w->m->options->pgvector_schema, STR("vector"));
    if (c->s->length) buf_printf(&sql, "(%u)", c->s->length);
    return set_type(c, COL_OTHER, sql.failed ? STR_NULL : arena_copy(c->w->m->a, buf_str(&sql)), pg_convert_vector);
}

static bool plan_address(const column_work *c)
{
    bool text;
    if (!chose(c, RULE_T27, "text", &text)) return false;
    if (text) return set_type(c, COL_TEXT, STR("text"), NULL);
    return c->s->type == COL_UUID ? set_type(c, COL_UUID, STR("uuid"), NULL) : set_type(c, COL_INET, STR("inet"), NULL);
}

static bool plan_other(const column_work *c)
{
    bool raw;
    if (!plan_charset(c, &raw)) return false;
    if (raw) return plan_bytes(c);
    return find(c, RULE_T27, false, "the type is not known; its text is carried", NULL) && set_type(c, COL_TEXT, STR("text"), pg_convert_text);
}

static bool plan_type(const column_work *c)
{
    switch (c->s->type) {
    case COL_TINYINT: return plan_tinyint(c);
    case COL_SMALLINT:
        return c->s->is_unsigned ? set_type(c, COL_INT, STR("integer"), pg_convert_integer) : set_type(c, COL_SMALLINT, STR("smallint"), pg_convert_integer);
    case COL_MEDIUMINT: return set_type(c, COL_INT, STR("integer"), pg_convert_integer);
    case COL_INT:
        return c->s->is_unsigned ? set_type(c, COL_BIGINT, STR("bigint"), pg_convert_integer) : set_type(c, COL_INT, STR("integer"), pg_convert_integer);
    case COL_BIGINT: return plan_bigint(c);
    case COL_FLOAT: return set_type(c, COL_FLOAT, STR("real"), pg_convert_float);
    case COL_DOUBLE: return set_type(c, COL_DOUBLE, STR("double precision"), pg_convert_double);
    case COL_DECIMAL: return plan_decimal(c);
    case COL_BIT: return plan_bit(c);
    case COL_CHAR:
    case COL_VARCHAR:
    case COL_TEXT: return plan_text(c);
    case COL_BINARY:
    case COL_VARBINARY:
    case COL_BLOB: return plan_bytes(c);
    case COL_DATE: return plan_date(c);
    case COL_TIME: return plan_time(c);
    case COL_DATETIME:
    case COL_TIMESTAMP: return plan_datetime(c);
    case COL_YEAR: return plan_year(c);
    case COL_ENUM: return plan_enum(c);
    case COL_SET: return plan_set(c);
    case COL_JSON: return plan_json(c);
    case COL_GEOMETRY: return plan_geometry(c);
    case COL_VECTOR: return plan_vector(c);
    case COL_UUID:
    case COL_INET: return plan_address(c);
    case COL_OTHER: return plan_other(c);
    }
    return err_set(c->e, ERR_INTERNAL, "a column of type %d", (int)c->s->type);
}

bool pg_plan_column(const pg_work *w, uint32_t column, err *e)
{
    pg_column_detail *detail = arena_alloc(w->m->a, sizeof *detail);
    column_work c = {.w = w, .index = column, .s = &w->s->columns[column], .t = &w->t->columns[column], .d = &w->d->columns[column],
                     .plan = &w->p->columns[column], .detail = detail, .e = e};
    if (!detail) return err_no_memory(e, "a mapped column");
    detail->suffix = STR("");
    c.plan->detail = detail;
    return plan_type(&c) && check_not_negative(&c);
}
