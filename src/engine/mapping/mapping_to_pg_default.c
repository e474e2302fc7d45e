/* DEFAULT, AUTO_INCREMENT, generated columns and checks. A default that is a literal goes the way of the column's values, so that both have one form. */
#include "engine/mapping/mapping_to_pg.h"

#include <string.h>

typedef struct default_work {
    const pg_work *w;
    const column_def *s;
    column_def *t;
    const ddl_column *d;
    const column_plan *plan;
    err *e;
} default_work;

static bool dropped(const default_work *c, mapping_rule r, const char *what)
{
    BUF_AUTO text = BUF_INIT;
    buf_printf(&text, "DEFAULT %.*s is not carried: %s", STR_ARG(str_sub(c->d->default_sql, 0, 200)), what);
    mapping_find(c->w->m, c->w->s, c->s, r, (mapping_finding){.kind = STR("default"), .what = text.failed ? STR("") : buf_str(&text), .source_text = c->d->default_sql});
    return true;
}

/* ---- literals ---- */

/* b'101', x'00ff', 0x00ff as bytes. */
static bool bytes_of_word(const default_work *c, ddl_token first, ddl_token second, str *ret)
{
    arena *a = c->w->m->a;
    if (first.kind != DDL_WORD) return false;
    if (second.kind != DDL_STRING) {
        if (!str_starts_with(first.text, STR("0x"))) return false;
        BUF_AUTO text = BUF_INIT;
        if (first.text.n % 2) buf_add_byte(&text, '0');
        buf_add(&text, str_sub(first.text, 2, SIZE_MAX));
        return decode_hex(a, buf_str(&text)).p && (*ret = decode_hex(a, buf_str(&text)), true);
    }
    str inside = ddl_unquote_string(a, second.text);
    if (str_eq_nocase(first.text, STR("x"))) return (*ret = decode_hex(a, inside)).p != NULL;
    if (!str_eq_nocase(first.text, STR("b")) || inside.n > 64) return false;
    char *bytes = arena_bytes(a, 8);
    uint64_t v = 0;
    for (size_t i = 0; i < inside.n; i++) v = v << 1 | (inside.p[i] == '1');
    for (int i = 0; bytes && i < 8; i++) bytes[i] = (char)(v >> 8 * (7 - i));
    *ret = (str){bytes, 8};
    return bytes != NULL;
}

/* The last n bytes, zeros in front when there are fewer. */
static str fit_bits(arena *a, str bytes, uint32_t n)
{
    char *made = arena_alloc(a, n);
    for (uint32_t i = 0; made && i < n && i < bytes.n; i++) made[n - 1 - i] = bytes.p[bytes.n - 1 - i];
    return (str){made, made ? n : 0};
}

static str pad_binary(arena *a, str bytes, uint32_t n)
{
    if (bytes.n >= n) return bytes;
    char *made = arena_alloc(a, n);
    if (made && bytes.n) memcpy(made, bytes.p, bytes.n);
    return (str){made, made ? n : 0};
}

static bool is_ascii(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] > 127) return false;
    return true;
}

/* The literal as a value of the full load; VAL_ABSENT: it is none. text: the literal's value, in UTF-8. */
static val value_of(const default_work *c, str text, bool is_bytes)
{
    arena *a = c->w->m->a;
    val v = {.kind = VAL_NUMBER, .u.p = text.p, .n = (uint32_t)text.n};
    uint64_t number;
    switch (c->s->type) {
    case COL_TINYINT: case COL_SMALLINT: case COL_MEDIUMINT: case COL_INT: case COL_BIGINT: case COL_FLOAT: case COL_DOUBLE: case COL_DECIMAL: break;
    case COL_BIT:
        if (!is_bytes) return (val){0};
        text = fit_bits(a, text, (c->s->length + 7) / 8);
        return (val){.kind = VAL_BIT, .u.p = text.p, .n = (uint32_t)text.n};
    case COL_BINARY:
        text = pad_binary(a, text, c->s->length);
        return (val){.kind = VAL_BYTES, .u.p = text.p, .n = (uint32_t)text.n};
    case COL_VARBINARY: case COL_BLOB: v.kind = VAL_BYTES; return v;
    case COL_CHAR: case COL_VARCHAR: case COL_TEXT: case COL_OTHER: case COL_UUID: case COL_INET: v.kind = VAL_TEXT; break;
    case COL_DATE: v.kind = VAL_DATE; break;
    case COL_TIME: v.kind = VAL_TIME; break;
    case COL_DATETIME: v.kind = VAL_DATETIME; break;
    case COL_TIMESTAMP: v.kind = VAL_TIMESTAMP; break;
    case COL_YEAR: return str_to_u64(text, &number) ? (val){.kind = VAL_YEAR, .u.i = (int64_t)number} : (val){0};
    case COL_ENUM: case COL_SET: v.kind = VAL_ENUM_TEXT; break;
    case COL_JSON: v.kind = VAL_JSON; break;
    case COL_GEOMETRY: case COL_VECTOR: return (val){0};
    }
    return is_bytes ? (val){0} : v;
}

/* By the column's own convert function, the text being UTF-8 whatever the column's character set is. */
static bool convert_literal(const default_work *c, val *v, mapping_trouble *trouble)
{
    pg_state *st = c->w->m->state;
    pg_column_detail detail = *(const pg_column_detail *)c->plan->detail;
    column_plan plan = *c->plan;
    err ignored;
    plan.detail = &detail;
    if (!charset_find(&st->charsets, STR("utf8mb4"), c->w->m->a, &detail.charset, &ignored)) return false;
    return !plan.convert || plan.convert(&plan, c->w->m->a, v, trouble);
}

static bool plan_literal(const default_work *c, str text, bool is_bytes)
{
    BUF_AUTO sql = BUF_INIT;
    mapping_trouble trouble = {0};
    bool raw_text = c->t->type == COL_BLOB && (c->s->type == COL_CHAR || c->s->type == COL_VARCHAR || c->s->type == COL_TEXT);
    val v = value_of(c, text, is_bytes);
    if (v.kind == VAL_ABSENT || (raw_text && !is_ascii(text))) return dropped(c, RULE_COUNT, "its form is not known");
    if (!convert_literal(c, &v, &trouble)) {
        if (!trouble.what.p) return err_no_memory(c->e, "a default");
        BUF_AUTO what = BUF_INIT;
        buf_add(&what, trouble.what);
        return dropped(c, trouble.rule, buf_c(&what));
    }
    if (v.kind == VAL_NULL) return true;
    if (v.kind == VAL_NUMBER) buf_add(&sql, val_bytes(&v));
    else pg_add_literal(&sql, val_bytes(&v));
    c->t->default_sql = sql.failed ? STR_NULL : arena_copy(c->w->m->a, buf_str(&sql));
    return pg_made(c->t->default_sql, c->e);
}

/* ---- moments ---- */

bool pg_is_now(str sql, str *ret_digits)
{
    ddl_lexer l = {.text = sql};
    ddl_token t = ddl_next(&l);
    *ret_digits = STR("0");
    if (!ddl_is_word(t, "current_timestamp")) return false;
    t = ddl_next(&l);
    if (t.kind == DDL_END) return true;
    if (!ddl_is_punct(t, '(')) return false;
    t = ddl_next(&l);
    if (t.kind == DDL_WORD) {
        *ret_digits = t.text;
        t = ddl_next(&l);
    }
    return ddl_is_punct(t, ')') && ddl_next(&l).kind == DDL_END;
}

/* The moment as the column holds it: a DATETIME has the time of the session's zone, as in MySQL. */
str pg_now(const column_def *t, str digits, arena *a)
{
    const char *word = t->type == COL_TIMESTAMP ? "CURRENT_TIMESTAMP" : "LOCALTIMESTAMP";
    return arena_printf(a, "%s(%.*s)%s", word, STR_ARG(digits), t->type == COL_TEXT ? "::text" : "");
}

/* ---- defaults ---- */

static bool plan_expression(const default_work *c)
{
    str sql;
    if (!pg_translate(c->w, c->d->default_sql, PG_FOR_DEFAULT, c->t, &sql)) return dropped(c, RULE_COUNT, "PostgreSQL has no expression that means the same");
    if (!str_eq(sql, STR("NULL"))) c->t->default_sql = sql;
    return true;
}

static bool plan_explicit(const default_work *c)
{
    str digits, bytes, sql = c->d->default_sql;
    ddl_lexer l = {.text = sql};
    ddl_token first = ddl_next(&l), second = ddl_next(&l), third = ddl_next(&l);
    bool moment_column = c->s->type == COL_DATETIME || c->s->type == COL_TIMESTAMP;
    if (moment_column && pg_is_now(sql, &digits)) {
        c->t->default_sql = pg_now(c->t, digits, c->w->m->a);
        return pg_made(c->t->default_sql, c->e);
    }
    if (ddl_is_word(first, "null") && second.kind == DDL_END) return true;
    if (first.kind == DDL_STRING && second.kind == DDL_END) {
        str text = ddl_unquote_string(c->w->m->a, first.text);
        return pg_made(text, c->e) && plan_literal(c, text, false);
    }
    if ((second.kind == DDL_END || third.kind == DDL_END) && bytes_of_word(c, first, second, &bytes)) {
        bool binary = c->s->type == COL_BINARY || c->s->type == COL_VARBINARY || c->s->type == COL_BLOB || c->s->type == COL_BIT;
        return binary ? plan_literal(c, bytes, true) : dropped(c, RULE_COUNT, "its form is not known");
    }
    bool number = c->s->type <= COL_DECIMAL || c->s->type == COL_YEAR, sign = ddl_is_punct(first, '-');
    str digits_text = sign ? second.text : first.text;
    if (number && digits_text.n && digits_text.p[0] >= '0' && digits_text.p[0] <= '9') return plan_literal(c, str_trim(sql), false);
    return plan_expression(c);
}

/* T22. Columns whose PostgreSQL type is no integer count by a sequence: identity columns are integers. */
static bool plan_auto_increment(const default_work *c)
{
    bool serial, integer = c->t->type == COL_SMALLINT || c->t->type == COL_INT || c->t->type == COL_BIGINT;
    mapping_maker *m = c->w->m;
    if (!mapping_chose(m, c->w->s, c->s, RULE_T22, "serial", &serial, c->e)) return false;
    c->t->auto_increment = true;
    if (integer && !serial) {
        c->t->identity = 'd';
        return true;
    }
    BUF_AUTO full = BUF_INIT;
    BUF_AUTO value = BUF_INIT;
    BUF_AUTO owner = BUF_INIT;
    str name = arena_printf(m->a, "%.*s_%.*s_seq", STR_ARG(c->w->t->name), STR_ARG(c->t->name));
    if (!pg_made(name, c->e)) return false;
    name = pg_short_name(m, c->w->s, name);
    pg_add_qualified(&full, c->w->t->schema, name);
    buf_add_c(&value, "nextval(");
    pg_add_literal(&value, str_or_empty(buf_str(&full)));
    buf_add_c(&value, "::regclass)");
    buf_printf(&owner, "ALTER SEQUENCE %.*s OWNED BY ", STR_ARG(buf_str(&full)));
    pg_add_qualified(&owner, c->w->t->schema, c->w->t->name);
    buf_add_byte(&owner, '.');
    pg_add_name(&owner, c->t->name);
    if (full.failed || value.failed || owner.failed) return err_no_memory(c->e, "a sequence");
    c->t->default_sql = arena_copy(m->a, buf_str(&value));
    object_def o = {.kind = STR("sequence"), .schema = c->w->t->schema, .name = name, .create_sql = arena_printf(m->a, "CREATE SEQUENCE %.*s", STR_ARG(buf_str(&full)))};
    if (!pg_made(c->t->default_sql, c->e) || !pg_add_object(m, o, c->e)) return false;
    o.create_sql = arena_copy(m->a, buf_str(&owner));
    o.name = arena_printf(m->a, "%.*s owner", STR_ARG(name)); /* objects are told apart by name */
    o.kind = STR("sequence owner");
    o.after_load = true;
    return pg_add_object(m, o, c->e);
}

/* T21: decided here, translated when all columns have their types. */
static bool plan_generated(const default_work *c)
{
    bool plain;
    pg_column_detail *detail = (pg_column_detail *)(uintptr_t)c->plan->detail;
    if (!mapping_chose(c->w->m, c->w->s, c->s, RULE_T21, "plain", &plain, c->e)) return false;
    detail->computed = !plain;
    return true;
}

bool pg_plan_default(const pg_work *w, uint32_t column, err *e)
{
    default_work c = {.w = w, .s = &w->s->columns[column], .t = &w->t->columns[column], .d = &w->d->columns[column], .plan = &w->p->columns[column], .e = e};
    if (c.d->on_update_sql.p && !mapping_chose(w->m, w->s, c.s, RULE_T23, "report", &((pg_column_detail *)(uintptr_t)c.plan->detail)->no_on_update, e)) return false;
    if (c.d->generated) return plan_generated(&c);
    if (c.s->auto_increment) return plan_auto_increment(&c);
    return !c.d->default_sql.p || plan_explicit(&c);
}

/* ---- generated columns and checks ---- */

static bool plan_generation(const pg_work *w, uint32_t i, err *e)
{
    column_def *t = &w->t->columns[i], *from = &w->m->source->tables[w->s->id]->columns[i];
    const pg_column_detail *detail = w->p->columns[i].detail;
    str sql = STR_NULL;
    bool key = pg_is_key_column(w->s, i); /* its value has to come with the row, to find it */
    if (detail->computed && !key && pg_translate(w, w->d->columns[i].generation_sql, PG_FOR_VALUE, t, &sql)) {
        t->generated = t->generated_stored = true;
        t->generation_sql = sql;
        return true;
    }
    if (detail->computed) {
        BUF_AUTO what = BUF_INIT;
        buf_printf(&what, "an ordinary column with the source's values, for PostgreSQL %s: AS %.*s", key ? "cannot find rows by it" : "has no expression that means the same",
                   STR_ARG(str_sub(w->d->columns[i].generation_sql, 0, 300)));
        if (what.failed) return err_no_memory(e, "a finding");
        mapping_find(w->m, w->s, from, RULE_T21, (mapping_finding){.kind = STR("generated column"), .what = buf_str(&what), .source_text = w->d->columns[i].generation_sql});
    }
    from->generated = from->generated_stored = false;
    return true;
}

static bool plan_check(const pg_work *w, str name, str sql, err *e)
{
    str condition;
    if (pg_translate(w, sql, PG_FOR_CHECK, NULL, &condition)) {
        str made = arena_printf(w->m->a, "(%.*s)", STR_ARG(condition));
        return pg_made(made, e) && pg_add_check(w, pg_short_name(w->m, w->s, name), made, e);
    }
    BUF_AUTO what = BUF_INIT;
    buf_printf(&what, "the check is not carried, PostgreSQL has no condition that means the same: %.*s", STR_ARG(str_sub(sql, 0, 300)));
    if (what.failed) return err_no_memory(e, "a finding");
    mapping_find(w->m, w->s, NULL, RULE_COUNT, (mapping_finding){.kind = STR("check"), .object = name, .what = buf_str(&what), .source_text = sql});
    return true;
}

static bool plan_column_check(const pg_work *w, uint32_t i, err *e)
{
    str sql = w->d->columns[i].check_sql, name;
    if (!sql.p || w->t->columns[i].type == COL_JSON) return true; /* json_valid of MariaDB's JSON is the type now */
    name = arena_printf(w->m->a, "%.*s_%.*s_check", STR_ARG(w->t->name), STR_ARG(w->t->columns[i].name));
    return pg_made(name, e) && plan_check(w, name, sql, e);
}

bool pg_plan_expressions(const pg_work *w, err *e)
{
    for (uint32_t i = 0; i < w->s->column_count; i++) {
        if (!w->s->columns[i].selected) continue;
        if (w->d->columns[i].generated && !plan_generation(w, i, e)) return false;
        if (!plan_column_check(w, i, e)) return false;
    }
    for (uint32_t i = 0; i < w->d->check_count; i++) {
        const ddl_check *k = &w->d->checks[i];
        str name = k->name.p ? k->name : arena_printf(w->m->a, "%.*s_check%u", STR_ARG(w->t->name), i + 1);
        if (!pg_made(name, e) || (!k->not_enforced && !plan_check(w, name, k->expression, e))) return false;
    }
    return true;
}
