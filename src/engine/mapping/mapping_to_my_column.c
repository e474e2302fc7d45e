/* Type, convert function and findings of a column, by the rules T40 to T67. */
#include "engine/mapping/mapping_to_my_column.h"

#include <string.h>

#include "codec/pg_datetime.h"

/* ---- what the files of types share ---- */

bool my_choose(const my_column_work *c, mapping_rule r, mapping_choice *ret) { return mapping_choose(c->w->m, c->w->s, c->s, r, ret, c->e); }

bool my_chose(const my_column_work *c, mapping_rule r, const char *word, bool *ret) { return mapping_chose(c->w->m, c->w->s, c->s, r, word, ret, c->e); }

static bool tell(const my_column_work *c, mapping_rule r, mapping_finding f, const char *condition, uint32_t n)
{
    BUF_AUTO sql = BUF_INIT;
    for (const char *p = condition; p && *p; p++) {
        if (p[0] == '%' && p[1] == 'c') my_add_source_name(&sql, c->s->name), p++;
        else if (p[0] == '%' && p[1] == 'n') buf_add_u64(&sql, n), p++;
        else buf_add_byte(&sql, *p);
    }
    if (sql.failed) return err_no_memory(c->e, "a finding");
    f.condition_sql = buf_str(&sql);
    mapping_find(c->w->m, c->w->s, c->s, r, f);
    return true;
}

bool my_find(const my_column_work *c, mapping_rule r, bool fails, const char *what, const char *condition, uint32_t n)
{
    return tell(c, r, (mapping_finding){.what = str_from_c(what), .fails = fails}, condition, n);
}

bool my_find_rough(const my_column_work *c, mapping_rule r, const char *what, const char *condition)
{
    return tell(c, r, (mapping_finding){.what = str_from_c(what), .fails = true, .rough = true}, condition, 0);
}

bool my_set_type(const my_column_work *c, col_type type, str native, column_convert convert)
{
    c->t->type = type;
    c->t->native_type = native;
    c->plan->convert = convert;
    return my_made(native, c->e);
}

bool my_set_sized(const my_column_work *c, col_type type, const char *name, uint32_t n, column_convert convert)
{
    return my_set_type(c, type, arena_printf(c->w->m->a, "%s(%u)", name, n), convert);
}

const type_def *my_base_type(const column_def *c)
{
    const type_def *t = c->definition;
    while (t->kind == 'd') t = t->of;
    return t;
}

my_key_use my_column_key_use(const table_def *t, uint32_t column)
{
    my_key_use use = MY_NO_KEY;
    for (uint32_t i = 0; i < t->key_count; i++) {
        const key_def *k = &t->keys[i];
        bool here = false, whole = !k->has_prefix;
        for (uint32_t n = 0; n < k->count; n++) {
            here = here || k->columns[n] == column;
            if (k->columns[n] >= t->column_count || !t->columns[k->columns[n]].selected) whole = false;
        }
        if (here && use < MY_INDEXED) use = MY_INDEXED;
        if (here && whole && k->unique) use = MY_KEYED;
    }
    for (uint32_t i = 0; i < t->foreign_key_count; i++)
        for (uint32_t n = 0; n < t->foreign_keys[i].count; n++)
            if (t->foreign_keys[i].columns[n] == column) use = MY_KEYED;
    return use;
}

uint32_t my_index_bytes(const column_def *c)
{
    enum { NUMBER_BYTES = 32 };
    switch (c->type) {
    case COL_JSON: case COL_GEOMETRY: case COL_VECTOR: return UINT32_MAX;
    case COL_TEXT: case COL_BLOB: return 0;
    case COL_CHAR: case COL_VARCHAR: return str_eq(c->charset, STR("ascii")) ? c->length : c->length * MAPPING_MY_BYTES_PER_CHAR;
    case COL_BINARY: case COL_VARBINARY: return c->length;
    default: return NUMBER_BYTES;
    }
}

/* Only a column that may be NULL at the target takes NULL for a value that it does not hold. */
static bool take_null(const my_column_work *c, const char *rule)
{
    if (c->use == MY_KEYED) return err_set(c->e, ERR_BAD_INPUT, "sluice.types %s=null: a column of a key cannot lose its value; choose another word for it", rule);
    c->detail->no_value = MY_NO_VALUE_NULL;
    c->t->nullable = true;
    return true;
}

/* ---- numbers ---- */

/* T42; *ret_text: the column becomes a text. */
static bool plan_not_finite(const my_column_work *c, bool *ret_text)
{
    mapping_choice choice;
    if (!my_choose(c, RULE_T42, &choice)) return false;
    *ret_text = str_eq(choice.word, STR("text"));
    if (*ret_text) return true;
    if (str_eq(choice.word, STR("null")) && !take_null(c, "T42")) return false;
    return my_find(c, RULE_T42, c->detail->no_value == MY_NO_VALUE_ERROR, "MySQL and MariaDB have no NaN and no Infinity", "%c::text IN ('NaN', 'Infinity', '-Infinity')", 0);
}

static bool plan_real(const my_column_work *c, bool single)
{
    bool text;
    if (!plan_not_finite(c, &text)) return false;
    if (text) return my_plan_text(c, RULE_T42, MY_CODES, 32, my_convert_text);
    return single ? my_set_type(c, COL_FLOAT, STR("float"), my_convert_float) : my_set_type(c, COL_DOUBLE, STR("double"), my_convert_double);
}

static bool set_decimal(const my_column_work *c, uint32_t digits, uint32_t scale)
{
    c->t->length = digits;
    c->t->scale = scale;
    return my_set_type(c, COL_DECIMAL, arena_printf(c->w->m->a, "decimal(%u,%u)", digits, scale), my_convert_decimal);
}

static bool plan_numeric(const my_column_work *c)
{
    enum { DIGITS = 65, SCALE = 30, NEGATIVE = 1024 };
    const type_def *d = c->detail->type;
    bool text, negative = d->scale >= NEGATIVE; /* numeric(5,-2): 11 bits with a sign (src/backend/utils/adt/numeric.c) */
    uint32_t digits = d->length, scale = negative ? 0 : d->scale;
    if (!plan_not_finite(c, &text)) return false;
    if (text) return my_plan_text(c, RULE_T42, MY_CODES, 0, my_convert_text);
    if (negative) digits += 2 * NEGATIVE - d->scale;
    if (digits < scale) digits = scale;
    if (digits && digits <= DIGITS && scale <= SCALE) return set_decimal(c, digits, scale);
    if (!my_chose(c, RULE_T41, "text", &text)) return false;
    if (text) return my_plan_text(c, RULE_T41, MY_CODES, 0, my_convert_text);
    return my_find(c, RULE_T41, true, "DECIMAL has at most 35 digits before and 30 behind the point",
                   "%c::text NOT IN ('NaN', 'Infinity', '-Infinity') AND (pg_catalog.abs(%c) >= 1e35 OR %c <> pg_catalog.trunc(%c, 30))", 0) &&
           set_decimal(c, DIGITS, SCALE);
}

static bool plan_boolean(const my_column_work *c)
{
    bool bit;
    if (!my_chose(c, RULE_T40, "bit", &bit)) return false;
    c->t->length = 1;
    return bit ? my_set_type(c, COL_BIT, STR("bit(1)"), my_convert_boolean_bit) : my_set_type(c, COL_TINYINT, STR("tinyint(1)"), my_convert_boolean);
}

static bool plan_bits(const my_column_work *c)
{
    enum { BITS = 64 };
    bool text, varying = str_eq(c->detail->type->name, STR("varbit"));
    if (varying || c->detail->type->length > BITS) return my_plan_text(c, RULE_T61, MY_CODES, c->detail->type->length, NULL);
    if (!my_chose(c, RULE_T61, "text", &text)) return false;
    if (text) return my_plan_text(c, RULE_T61, MY_CODES, c->detail->type->length, NULL);
    c->t->length = c->detail->type->length;
    return my_set_sized(c, COL_BIT, "bit", c->t->length, my_convert_bits);
}

/* ---- texts ---- */

static bool plan_char(const my_column_work *c)
{
    enum { CHARS = 255 };
    uint32_t n = c->detail->type->length;
    if (n && n <= CHARS) return my_plan_char(c, n);
    return my_plan_text(c, n ? RULE_T66 : RULE_T43, MY_LETTERS, n, my_convert_char);
}

static bool has_supplementary(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] >= 0xf0) return true;
    return false;
}

/* ENUM cuts blanks off the end, and MySQL and MariaDB show a ? for characters beyond U+FFFF in definitions (measured on 9.7 and 10.11). */
static bool check_labels(const my_column_work *c, uint32_t *ret_longest)
{
    const type_def *d = c->detail->type;
    *ret_longest = 1;
    for (uint32_t i = 0; i < d->count; i++) {
        if (d->names[i].n > *ret_longest) *ret_longest = (uint32_t)d->names[i].n;
        if (str_ends_with(d->names[i], STR(" ")))
            return err_set(c->e, ERR_NOT_SUPPORTED, "the label '%.*s' ends in a blank, which an ENUM of MySQL cuts off; choose T58=varchar for the column", STR_ARG(d->names[i]));
        if (has_supplementary(d->names[i]))
            return err_set(c->e, ERR_NOT_SUPPORTED, "the label '%.*s' has a character beyond U+FFFF, which definitions in MySQL do not keep; choose T58=varchar for the column",
                           STR_ARG(d->names[i]));
    }
    return d->count > 0 || err_set(c->e, ERR_NOT_SUPPORTED, "the type %.*s has no labels, an ENUM of MySQL needs one; choose T58=varchar for the column", STR_ARG(d->sql));
}

/* As both servers print it in information_schema, where the applier compares it (append_unescaped in sql/sql_show.cc and sql/field.cc). */
static void add_label(buf *out, str label)
{
    buf_add_byte(out, '\'');
    for (size_t i = 0; i < label.n; i++) {
        char ch = label.p[i];
        if (ch == '\'' || ch == '\\') buf_add_byte(out, ch);
        else if (ch == '\n' || ch == '\r') buf_add_byte(out, '\\');
        buf_add_byte(out, ch == '\n' ? 'n' : ch == '\r' ? 'r' : ch);
    }
    buf_add_byte(out, '\'');
}

static bool plan_enum(const my_column_work *c)
{
    const type_def *d = c->detail->type;
    BUF_AUTO native = BUF_INIT;
    uint32_t longest = 63; /* NAMEDATALEN - 1 */
    bool text;
    if (!my_chose(c, RULE_T58, "varchar", &text)) return false;
    if (text) return my_plan_text(c, RULE_T58, MY_CODES, longest, NULL);
    if (!check_labels(c, &longest)) return false;
    buf_add_c(&native, "enum(");
    for (uint32_t i = 0; i < d->count; i++) {
        if (i) buf_add_byte(&native, ',');
        add_label(&native, d->names[i]);
    }
    buf_add_byte(&native, ')');
    c->t->labels = d->names;
    c->t->label_count = d->count;
    c->t->length = longest;
    c->t->charset = STR("utf8mb4");
    c->t->collation = ((const my_state *)c->w->m->state)->collation_bytes;
    return my_set_type(c, COL_ENUM, native.failed ? STR_NULL : arena_copy(c->w->m->a, buf_str(&native)), NULL);
}

static bool plan_uuid(const my_column_work *c)
{
    enum { CHARS = 36, BYTES = 16, NATIVE_SINCE = 100700 };
    mapping_choice form;
    const mapping_options *o = c->w->m->options;
    if (!my_choose(c, RULE_T49, &form)) return false;
    if (str_eq(form.word, STR("binary"))) {
        c->t->length = BYTES;
        return my_set_sized(c, COL_BINARY, "binary", BYTES, my_convert_uuid);
    }
    if (str_eq(form.word, STR("native"))) {
        if (!o->target_mariadb || (o->target_version && o->target_version < NATIVE_SINCE))
            return err_set(c->e, ERR_NOT_SUPPORTED, "sluice.types T49=native: only MariaDB 10.7 and later has a type UUID; choose char or binary");
        return my_set_type(c, COL_UUID, STR("uuid"), NULL);
    }
    c->t->length = CHARS;
    c->t->charset = STR("ascii");
    c->t->collation = STR("ascii_bin");
    return my_set_sized(c, COL_CHAR, "char", CHARS, NULL);
}

static bool plan_address(const my_column_work *c)
{
    enum { INET_CHARS = 43, MAC_CHARS = 23, BYTES = 16 }; /* all of IPv6 with /128; eight bytes */
    bool bytes = false, mac = str_starts_with(c->detail->type->name, STR("macaddr")), network = str_eq(c->detail->type->name, STR("cidr"));
    if (!network && !my_chose(c, RULE_T60, "binary", &bytes)) return false;
    if (!bytes) return my_plan_text(c, RULE_T60, MY_CODES, mac ? MAC_CHARS : INET_CHARS, NULL);
    c->t->length = BYTES;
    return (mac || my_find_rough(c, RULE_T60, "an address in bytes has no mask", "%c::text LIKE '%/%'")) && my_set_sized(c, COL_VARBINARY, "varbinary", BYTES, my_convert_address);
}

/* ---- dates and times ---- */

static bool is_day(str text)
{
    pg_datetime d;
    err ignored = ERR_INIT;
    return text.n == sizeof "2000-01-01" - 1 && pg_datetime_parse_date(text, &d, &ignored) && d.kind == PG_DATETIME_ORDINARY;
}

/* "day" for all that is too early or late, or "day..day" for each. */
static bool plan_sentinel(const my_column_work *c, str argument)
{
    size_t dots = str_find(argument, STR(".."));
    str low = str_sub(argument, 0, dots), high = dots == SIZE_MAX ? argument : str_sub(argument, dots + 2, SIZE_MAX);
    const char *rest = c->detail->type->type == COL_DATE ? "" : " 00:00:00";
    if (!is_day(low) || !is_day(high))
        return err_set(c->e, ERR_BAD_INPUT, "sluice.types T56: the sentinel '%.*s' is neither a day (YYYY-MM-DD) nor two of them (0001-01-01..9999-12-31)", STR_ARG(argument));
    c->detail->no_value = MY_NO_VALUE_SENTINEL;
    c->detail->low = arena_printf(c->w->m->a, "%.*s%s", STR_ARG(low), rest);
    c->detail->high = arena_printf(c->w->m->a, "%.*s%s", STR_ARG(high), rest);
    return my_made(c->detail->low, c->e) && my_made(c->detail->high, c->e);
}

/* T56; *ret_text: the column becomes a text. */
static bool plan_outside(const my_column_work *c, bool *ret_text)
{
    mapping_choice days;
    bool date = c->detail->type->type == COL_DATE;
    if (!my_choose(c, RULE_T56, &days)) return false;
    *ret_text = str_eq(days.word, STR("text"));
    if (*ret_text) return true;
    if (str_eq(days.word, STR("sentinel")) && !plan_sentinel(c, days.argument)) return false;
    if (str_eq(days.word, STR("null")) && !take_null(c, "T56")) return false;
    return my_find(c, RULE_T56, c->detail->no_value == MY_NO_VALUE_ERROR, "MySQL and MariaDB have the days of the years 1 to 9999 only, and no infinity",
                   date ? "%c < '0001-01-01'::date OR %c > '9999-12-31'::date"
                        : c->detail->type->type == COL_TIMESTAMP ? "%c < '0001-01-01 00:00:00+00'::timestamptz OR %c >= '10000-01-01 00:00:00+00'::timestamptz"
                                                                 : "%c < '0001-01-01'::timestamp OR %c >= '10000-01-01'::timestamp", 0);
}

static bool plan_date(const my_column_work *c)
{
    enum { CHARS = 16 }; /* "5874897-12-31", "4713-01-01 BC", "-infinity" */
    bool text;
    if (!plan_outside(c, &text)) return false;
    return text ? my_plan_text(c, RULE_T56, MY_CODES, CHARS, NULL) : my_set_type(c, COL_DATE, STR("date"), my_convert_date);
}

/* Digits of the second: what the type says, else all that there are. */
static uint32_t digits_of(const type_def *d)
{
    enum { MOST = 6 };
    return d->scale || str_find(d->sql, STR("(0)")) != SIZE_MAX ? d->scale : MOST;
}

static bool set_digits(const my_column_work *c, col_type type, const char *name, column_convert convert)
{
    c->t->scale = digits_of(c->detail->type);
    return c->t->scale ? my_set_sized(c, type, name, c->t->scale, convert) : my_set_type(c, type, str_from_c(name), convert);
}

static bool plan_moment(const my_column_work *c)
{
    enum { CHARS = 36 }; /* "294276-12-31 23:59:59.999999+00 BC" */
    bool text, timestamp;
    if (!my_chose(c, RULE_T55, "timestamp", &timestamp) || !plan_outside(c, &text)) return false;
    if (text) return my_plan_text(c, RULE_T56, MY_CODES, CHARS, NULL);
    if (!timestamp) return set_digits(c, COL_DATETIME, "datetime", my_convert_datetime);
    return my_find(c, RULE_T55, true, "TIMESTAMP has the seconds from 1970 to 2038-01-19 03:14:07 UTC",
                   c->detail->type->type == COL_TIMESTAMP ? "%c < '1970-01-01 00:00:01+00'::timestamptz OR %c >= '2038-01-19 03:14:08+00'::timestamptz"
                                                          : "%c < '1970-01-01 00:00:01'::timestamp OR %c >= '2038-01-19 03:14:08'::timestamp", 0) &&
           set_digits(c, COL_TIMESTAMP, "timestamp", my_convert_timestamp);
}

static bool plan_interval(const my_column_work *c)
{
    enum { CHARS = 64 };
    bool number;
    if (!my_chose(c, RULE_T54, "microseconds", &number)) return false;
    if (!number) return my_plan_text(c, RULE_T54, MY_CODES, CHARS, my_convert_interval);
    return my_find(c, RULE_T54, true, "months and years have no length in microseconds", "pg_catalog.date_part('year', %c) <> 0 OR pg_catalog.date_part('month', %c) <> 0", 0) &&
           my_set_type(c, COL_BIGINT, STR("bigint"), my_convert_interval_us);
}

/* ---- what stands behind a name ---- */

static bool plan_money(const my_column_work *c)
{
    c->t->length = 20;
    c->t->scale = 2;
    return my_set_type(c, COL_DECIMAL, STR("decimal(20,2)"), my_convert_money);
}

static bool plan_oid(const my_column_work *c)
{
    c->t->is_unsigned = true;
    return my_set_type(c, COL_INT, STR("int unsigned"), my_convert_number);
}

static bool plan_timetz(const my_column_work *c) { return my_plan_text(c, RULE_T57, MY_CODES, 24, NULL); } /* "23:59:59.999999+15:59:59" */
static bool plan_words(const my_column_work *c) { return my_plan_text(c, RULE_T51, MY_CODES, 0, NULL); }
static bool plan_plain(const my_column_work *c) { return my_plan_text(c, RULE_T62, MY_CODES, 0, NULL); }
static bool plan_name(const my_column_work *c) { return my_plan_text(c, RULE_T62, MY_CODES, 63, NULL); }
static bool plan_lsn(const my_column_work *c) { return my_plan_text(c, RULE_T62, MY_CODES, 17, NULL); }
static bool plan_hstore(const my_column_work *c) { return my_plan_json(c, RULE_T48); }

static bool plan_citext(const my_column_work *c)
{
    return (c->use != MY_KEYED || my_find(c, RULE_T50, true, "more letters are equal to the key than in PostgreSQL (letters of other widths, ligatures): such rows collide", NULL, 0)) &&
           my_plan_text(c, RULE_T43, MY_LETTERS_NO_CASE, 0, NULL);
}

/* "geometry(PointZ,4326)" → 4326; 0 without. */
static uint32_t srid_of(str sql)
{
    size_t comma = str_find_byte(sql, ',', 0), end = str_find_byte(sql, ')', 0);
    uint64_t srid = 0;
    if (comma == SIZE_MAX || end == SIZE_MAX || !str_to_u64(str_sub(sql, comma + 1, end - comma - 1), &srid)) return 0;
    return (uint32_t)srid;
}

static bool plan_geometry(const my_column_work *c)
{
    bool bytes;
    if (!my_chose(c, RULE_T64, "bytes", &bytes)) return false;
    if (bytes) {
        c->t->length = UINT32_MAX;
        return my_set_type(c, COL_BLOB, STR("longblob"), my_convert_ewkb);
    }
    if (!c->detail->mariadb) c->detail->srid = srid_of(c->detail->type->sql);
    return my_find(c, RULE_T64, true, "MySQL and MariaDB have no third and fourth dimension, no curves and no empty shapes but collections", NULL, 0) &&
           my_set_type(c, COL_GEOMETRY, STR("geometry"), my_convert_geometry);
}

static const struct {
    const char *extension; /* NULL: of pg_catalog */
    const char *name;
    bool (*plan)(const my_column_work *c);
} named[] = {
    {NULL, "bool", plan_boolean}, {NULL, "money", plan_money}, {NULL, "interval", plan_interval}, {NULL, "timetz", plan_timetz},
    {NULL, "tsvector", plan_words}, {NULL, "tsquery", plan_words}, {NULL, "xml", plan_plain}, {NULL, "oid", plan_oid}, {NULL, "pg_lsn", plan_lsn},
    {NULL, "name", plan_name}, {NULL, "point", plan_plain}, {NULL, "line", plan_plain}, {NULL, "lseg", plan_plain}, {NULL, "box", plan_plain},
    {NULL, "path", plan_plain}, {NULL, "polygon", plan_plain}, {NULL, "circle", plan_plain},
    {"citext", "citext", plan_citext}, {"hstore", "hstore", plan_hstore}, {"ltree", "ltree", plan_plain},
    {"postgis", "geometry", plan_geometry}, {"postgis", "geography", plan_geometry},
};

static bool plan_named(const my_column_work *c)
{
    const type_def *d = c->detail->type;
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        bool from = named[i].extension ? str_eq(d->extension, str_from_c(named[i].extension)) : str_eq(d->schema, STR("pg_catalog"));
        if (from && str_eq(d->name, str_from_c(named[i].name))) return named[i].plan(c);
    }
    return my_find(c, RULE_T62, false, "MySQL has no such type; the text of the values is carried", NULL, 0) && my_plan_text(c, RULE_T62, MY_CODES, 0, NULL);
}

/* A range of a fixed size in its text: two bounds with quotes, brackets and a comma. */
static bool plan_range(const my_column_work *c)
{
    enum { CHARS = 80 };
    const type_def *bound = c->detail->type->of;
    bool fixed = c->detail->type->kind == 'r' && bound->kind == 'b' && (bound->type <= COL_BIGINT || (bound->type >= COL_DATE && bound->type <= COL_TIMESTAMP));
    return my_plan_text(c, RULE_T52, MY_CODES, fixed ? CHARS : 0, NULL);
}

static bool plan_base(const my_column_work *c)
{
    const type_def *d = c->detail->type;
    bool integer = d->type <= COL_BIGINT;
    column_convert number = integer && c->s->type != d->type ? my_convert_number : NULL; /* a domain's values are texts */
    switch (d->type) {
    case COL_SMALLINT: return my_set_type(c, COL_SMALLINT, STR("smallint"), number);
    case COL_INT: return my_set_type(c, COL_INT, STR("int"), number);
    case COL_BIGINT: return my_set_type(c, COL_BIGINT, STR("bigint"), number);
    case COL_FLOAT: return plan_real(c, true);
    case COL_DOUBLE: return plan_real(c, false);
    case COL_DECIMAL: return plan_numeric(c);
    case COL_TEXT:
    case COL_VARCHAR: return my_plan_text(c, RULE_T43, MY_LETTERS, d->length, NULL);
    case COL_CHAR: return plan_char(c);
    case COL_BLOB: return my_plan_bytes(c, RULE_T45, my_convert_bytes);
    case COL_BIT: return plan_bits(c);
    case COL_DATE: return plan_date(c);
    case COL_TIME: return set_digits(c, COL_TIME, "time", my_convert_time);
    case COL_DATETIME:
    case COL_TIMESTAMP: return plan_moment(c);
    case COL_JSON: return my_plan_json(c, RULE_T46);
    case COL_UUID: return plan_uuid(c);
    case COL_INET: return plan_address(c);
    default: return plan_named(c);
    }
}

/* T63: a domain over oid of the extension lo. */
static bool check_large_object(const my_column_work *c)
{
    const type_def *d = c->s->definition;
    bool number;
    if (d->kind != 'd' || !str_eq(d->extension, STR("lo"))) return true;
    if (!my_chose(c, RULE_T63, "number", &number)) return false;
    if (!number)
        return err_set(c->e, ERR_NOT_SUPPORTED, "the column holds numbers of large objects, whose contents the log does not tell: take the column out of the selection, or "
                                                "choose sluice.types T63: number, to carry the numbers alone");
    return my_find(c, RULE_T63, false, "the numbers of large objects are carried, their contents are not", NULL, 0);
}

static bool plan_type(const my_column_work *c)
{
    if (c->s->collation.n && !my_find(c, RULE_T44, false, "the column's own collation is not carried", NULL, 0)) return false;
    switch (c->detail->type->kind) {
    case 'a': return my_plan_json(c, RULE_T47);
    case 'c': return my_plan_json(c, RULE_T59);
    case 'e': return plan_enum(c);
    case 'r':
    case 'm': return plan_range(c);
    default: return check_large_object(c) && plan_base(c);
    }
}

bool my_plan_column(const my_work *w, uint32_t column, err *e)
{
    const column_def *s = &w->s->columns[column];
    my_column_detail *detail = arena_alloc(w->m->a, sizeof *detail);
    if (!detail) return err_no_memory(e, "a mapped column");
    if (!s->definition) return err_set(e, ERR_SOURCE_DDL, "its type %.*s was dropped or changed at the source while the job was behind; reset the job", STR_ARG(s->native_type));
    my_column_work c = {.w = w, .index = column, .s = s, .t = &w->t->columns[column], .plan = &w->p->columns[column], .detail = detail,
                        .use = my_column_key_use(w->s, column), .e = e};
    *detail = (my_column_detail){.type = my_base_type(s), .mariadb = w->m->options->target_mariadb, .rule = RULE_COUNT};
    w->details[column] = detail;
    c.plan->detail = detail;
    if (s->definition->not_null) c.t->nullable = false;
    return plan_type(&c);
}
