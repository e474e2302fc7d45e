/* DEFAULT and AUTO_INCREMENT. A default that is a literal goes the way of the column's values, so that both have one form; PostgreSQL prints it as a value of the
 * column's type with a cast behind it ('{}'::jsonb). The moment of the statement and new UUIDs are known; all else is told, the data does not need it. */
#include "engine/mapping/mapping_to_my.h"

#include <string.h>

typedef struct default_work {
    const my_work *w;
    uint32_t index;
    const column_def *s;
    column_def *t;
    const column_plan *plan;
    err *e;
} default_work;

static bool dropped(const default_work *c, mapping_rule r, const char *why)
{
    BUF_AUTO text = BUF_INIT;
    buf_printf(&text, "DEFAULT %.*s is not carried: %s", STR_ARG(str_sub(c->s->default_sql, 0, 200)), why);
    mapping_find(c->w->m, c->w->s, c->s, r, (mapping_finding){.kind = STR("default"), .what = text.failed ? STR("") : buf_str(&text), .source_text = str_or_empty(c->s->default_sql)});
    return true;
}

/* ---- AUTO_INCREMENT ---- */

static bool is_integer(col_type t) { return t <= COL_BIGINT; }

/* InnoDB wants a key that begins with the column. */
static bool leads_a_key(const table_def *t, uint32_t column)
{
    for (uint32_t i = 0; i < t->key_count; i++) {
        const key_def *k = &t->keys[i];
        bool whole = !k->has_prefix && k->count && k->columns[0] == column;
        for (uint32_t n = 0; n < k->count; n++) whole = whole && k->columns[n] < t->column_count && t->columns[k->columns[n]].selected;
        if (whole) return true;
    }
    return false;
}

static bool tell_sequence(const default_work *c, const char *why)
{
    BUF_AUTO text = BUF_INIT;
    buf_printf(&text, "the column takes its numbers from a sequence at the source and does not become AUTO_INCREMENT: %s", why);
    mapping_find(c->w->m, c->w->s, c->s, RULE_T68, (mapping_finding){.what = text.failed ? STR("") : buf_str(&text)});
    return true;
}

/* Of an identity column, whose definition is known: AUTO_INCREMENT counts upwards, by one setting of the server. */
static bool plan_step(const default_work *c, bool *ret_down)
{
    str before = STR(" INCREMENT BY "), text = c->s->identity_sql, number;
    size_t at = text.p ? str_find(text, before) : SIZE_MAX;
    int64_t step = 1;
    *ret_down = false;
    if (at == SIZE_MAX) return true;
    text = str_sub(text, at + before.n, SIZE_MAX);
    (void)str_split_next(&text, ' ', &number);
    if (!str_to_i64(number, &step) || step == 1) return true;
    *ret_down = step < 0;
    if (*ret_down) return tell_sequence(c, "it counts downwards");
    BUF_AUTO told = BUF_INIT;
    buf_printf(&told, "the column counts in steps of %lld at the source, AUTO_INCREMENT in those of the destination's auto_increment_increment", (long long)step);
    mapping_find(c->w->m, c->w->s, c->s, RULE_T68, (mapping_finding){.what = told.failed ? STR("") : buf_str(&told)});
    return true;
}

static bool plan_sequence(const default_work *c)
{
    bool down;
    for (uint32_t i = 0; i < c->w->t->column_count; i++)
        if (c->w->t->columns[i].auto_increment) return tell_sequence(c, "a table has one such column");
    if (!is_integer(c->t->type)) return tell_sequence(c, "its type is no integer");
    if (!leads_a_key(c->w->s, c->index)) return tell_sequence(c, "no key begins with it");
    if (!plan_step(c, &down)) return false;
    if (down) return true;
    c->t->auto_increment = true;
    c->t->nullable = false;
    return true;
}

/* ---- literals ---- */

/* "'it''s'::character varying(5)", "-1.5", "'-1'::integer", "true", "NULL::text". False: it is none. is_number: it stood without quotes. */
static bool read_literal(str sql, arena *a, str *ret, bool *ret_null, bool *ret_number)
{
    size_t n = 0, i = 0;
    char *text = arena_bytes(a, sql.n + 1);
    if (!text) return false;
    bool escaped = str_starts_with(sql, STR("E'"));
    *ret_null = *ret_number = false;
    if (escaped) i++;
    if (i < sql.n && sql.p[i] == '\'') {
        for (i++; i < sql.n; i++) {
            if (sql.p[i] == '\'' && !(i + 1 < sql.n && sql.p[i + 1] == '\'')) break;
            if (sql.p[i] == '\'' || (escaped && sql.p[i] == '\\')) i++;
            if (i < sql.n) text[n++] = sql.p[i];
        }
        if (i++ >= sql.n) return false;
    } else {
        while (i < sql.n && sql.p[i] != ':') text[n++] = sql.p[i++];
        str word = {text, n};
        *ret_null = str_eq(word, STR("NULL"));
        *ret_number = n && (text[n - 1] >= '0' && text[n - 1] <= '9');
        for (size_t k = 0; k < n; k++) *ret_number = *ret_number && ((text[k] >= '0' && text[k] <= '9') || text[k] == '.' || (text[k] == '-' && !k));
        if (str_eq(word, STR("true")) || str_eq(word, STR("false"))) n = 1; /* as values are printed */
        else if (!*ret_null && !*ret_number) return false;
    }
    *ret = (str){text, n};
    str rest = str_sub(sql, i, SIZE_MAX);
    return !rest.n || (str_starts_with(rest, STR("::")) && str_find_byte(rest, '\'', 0) == SIZE_MAX && str_find(rest, STR("||")) == SIZE_MAX);
}

static void add_hex(buf *sql, str bytes)
{
    buf_add_c(sql, "0x");
    buf_add_hex(sql, bytes);
}

/* A value in the target's form as SQL. */
static bool write_value(const val *v, buf *sql)
{
    switch ((val_kind)v->kind) {
    case VAL_NUMBER: buf_add(sql, val_bytes(v)); return true;
    case VAL_F32:
    case VAL_F64: {
        char text[MAPPING_FLOAT_BYTES];
        buf_add(sql, (str){text, mapping_float_text(v->u.f, v->kind == VAL_F32, text)});
        return true;
    }
    case VAL_BIT:
        buf_add_c(sql, "b'");
        for (uint32_t i = 0; i < v->n * 8; i++) buf_add_byte(sql, (char)('0' + ((uint8_t)v->u.p[i / 8] >> (7 - i % 8) & 1)));
        buf_add_byte(sql, '\'');
        return true;
    case VAL_BYTES:
        if (v->n) add_hex(sql, val_bytes(v));
        else buf_add_c(sql, "''");
        return true;
    case VAL_TEXT: case VAL_JSON: case VAL_DATE: case VAL_TIME: case VAL_DATETIME: case VAL_TIMESTAMP: my_add_literal(sql, val_bytes(v)); return true;
    default: return false;
    }
}

/* BLOB, TEXT and JSON take a default only as an expression. */
static bool is_large(col_type t) { return t == COL_TEXT || t == COL_BLOB || t == COL_JSON; }

static bool set_default(const default_work *c, const buf *sql, bool expression)
{
    BUF_AUTO whole = BUF_INIT;
    if (expression) buf_add_byte(&whole, '(');
    buf_add(&whole, buf_str(sql));
    if (expression) buf_add_byte(&whole, ')');
    c->t->default_sql = sql->failed || whole.failed ? STR_NULL : arena_copy(c->w->m->a, buf_str(&whole));
    return my_made(c->t->default_sql, c->e);
}

static bool is_read_as_number(const column_def *s) { return s->type <= COL_DECIMAL; }

bool my_value_sql(const column_plan *p, str text, arena *a, buf *sql, bool *ret_null, mapping_trouble *t)
{
    val v = {.kind = is_read_as_number(p->source) ? VAL_NUMBER : VAL_TEXT, .u.p = text.p, .n = (uint32_t)text.n};
    if (p->convert && !p->convert(p, a, &v, t)) return false;
    *ret_null = v.kind == VAL_NULL;
    if (*ret_null) return true;
    bool large = is_large(p->target->type);
    if (large) buf_add_byte(sql, '(');
    if (!write_value(&v, sql)) return mapping_trouble_set(t, RULE_COUNT, a, "the destination has no literal for such a value");
    if (large) buf_add_byte(sql, ')');
    return true;
}

static bool plan_literal(const default_work *c, str text, bool number)
{
    BUF_AUTO sql = BUF_INIT;
    mapping_trouble trouble = {0};
    bool is_null = false, fits = c->plan->convert || is_read_as_number(c->s) || !number || c->t->type == COL_TEXT;
    if (fits) fits = my_value_sql(c->plan, text, c->w->m->a, &sql, &is_null, &trouble);
    if (!fits && c->plan->convert && !trouble.what.p) return err_no_memory(c->e, "a default");
    if (is_null) return true;
    return fits ? set_default(c, &sql, false) : dropped(c, RULE_COUNT, "the destination has no such value");
}

/* ---- known functions ---- */

static const struct {
    const char *sql;
    enum { NOW, LOCAL_NOW, TODAY, NEW_UUID } what;
} known[] = {
    {"now()", NOW}, {"CURRENT_TIMESTAMP", NOW}, {"transaction_timestamp()", NOW}, {"statement_timestamp()", NOW}, {"clock_timestamp()", NOW}, {"LOCALTIMESTAMP", LOCAL_NOW},
    {"CURRENT_DATE", TODAY}, {"gen_random_uuid()", NEW_UUID}, {"public.gen_random_uuid()", NEW_UUID}, {"public.uuid_generate_v4()", NEW_UUID}, {"uuidv4()", NEW_UUID},
};

static bool plan_moment(const default_work *c, bool local)
{
    BUF_AUTO sql = BUF_INIT;
    bool stamp = c->t->type == COL_TIMESTAMP;
    if (!stamp && c->t->type != COL_DATETIME) return dropped(c, RULE_COUNT, "the column's type at the destination holds no moment");
    bool utc = !stamp && !local && c->s->definition && my_base_type(c->s)->type == COL_TIMESTAMP; /* DATETIME holds UTC there */
    buf_add_c(&sql, utc ? "utc_timestamp(" : "CURRENT_TIMESTAMP");
    if (utc) buf_printf(&sql, "%u)", c->t->scale);
    else if (c->t->scale) buf_printf(&sql, "(%u)", c->t->scale);
    return set_default(c, &sql, utc);
}

static bool plan_function(const default_work *c, bool *ret_known)
{
    BUF_AUTO sql = BUF_INIT;
    *ret_known = true;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!str_eq(c->s->default_sql, str_from_c(known[i].sql))) continue;
        switch (known[i].what) {
        case NOW:
        case LOCAL_NOW: return plan_moment(c, known[i].what == LOCAL_NOW);
        case TODAY:
            buf_add_c(&sql, "curdate()");
            return c->t->type == COL_DATE ? set_default(c, &sql, true) : dropped(c, RULE_COUNT, "the column's type at the destination is no date");
        case NEW_UUID:
            buf_add_c(&sql, "uuid()");
            return c->t->type == COL_CHAR || c->t->type == COL_UUID ? set_default(c, &sql, true) : dropped(c, RULE_COUNT, "the destination has no function for it");
        }
    }
    *ret_known = false;
    return true;
}

/* One without columns: those are not allowed there. */
static bool plan_expression(const default_work *c)
{
    str sql;
    if (!my_translate(c->w, c->s->default_sql, c->t, &sql)) return dropped(c, RULE_COUNT, "the destination has no expression that is known to mean the same");
    c->t->default_sql = arena_printf(c->w->m->a, "(%.*s)", STR_ARG(sql));
    return my_made(c->t->default_sql, c->e);
}

bool my_plan_default(const my_work *w, uint32_t column, err *e)
{
    default_work c = {.w = w, .index = column, .s = &w->s->columns[column], .t = &w->t->columns[column], .plan = &w->p->columns[column], .e = e};
    bool is_null, number, found;
    str text;
    if (c.s->auto_increment) return plan_sequence(&c);
    if (!c.s->default_sql.p || c.s->generated) return true;
    if (str_starts_with(c.s->default_sql, STR("nextval("))) return plan_sequence(&c);
    if (!plan_function(&c, &found)) return false;
    if (found) return true;
    if (!read_literal(c.s->default_sql, w->m->a, &text, &is_null, &number)) return plan_expression(&c);
    return is_null || plan_literal(&c, text, number);
}
