/* What the mapping tells: findings before the first row, errors of values. */
#include "engine/mapping/mapping_plan.h"

#include <stdarg.h>
#include <stdio.h>

/* Bytes of a value that a message shows. */
#define SHOWN_BYTES 100

void mapping_add_advice(mapping_rule r, buf *text)
{
    str words = mapping_rule_words(r), word;
    if (!words.n) return;
    buf_printf(text, "sluice.types %.*s: ", STR_ARG(mapping_rule_name(r)));
    for (bool first = true; words.p && str_split_next(&words, '|', &word); first = false) {
        if (!first) buf_add_c(text, words.p ? ", " : " or ");
        buf_add(text, word);
        if (str_ends_with(word, STR(":"))) buf_add_c(text, "...");
    }
}

void mapping_find(mapping_maker *m, const table_def *t, const column_def *c, mapping_rule r, mapping_finding f)
{
    BUF_AUTO advice = BUF_INIT;
    if (!m->findings) return;
    mapping_add_advice(r, &advice);
    f.table = t;
    f.column = c;
    f.rule = mapping_rule_name(r);
    f.object = str_or_empty(f.object);
    f.what = str_or_empty(f.what);
    f.condition_sql = str_or_empty(f.condition_sql);
    f.kind = str_or_empty(f.kind);
    f.schema = str_or_empty(f.schema);
    f.choice = mapping_choice_text(m, t, c, r);
    f.options = advice.failed ? STR("") : str_or_empty(buf_str(&advice));
    m->findings->add(m->findings->ctx, &f);
}

bool mapping_trouble_set(mapping_trouble *t, mapping_rule r, arena *mem, const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (n < 0) n = 0;
    *t = (mapping_trouble){.rule = r, .what = arena_copy(mem, (str){text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1})};
    return false;
}

/* Printable ASCII as it is, other bytes in hex. */
static void add_bytes(buf *out, str s)
{
    bool plain = true;
    for (size_t i = 0; i < s.n; i++) plain = plain && s.p[i] >= ' ' && s.p[i] <= '~';
    str shown = str_sub(s, 0, SHOWN_BYTES);
    if (plain) {
        buf_add_byte(out, '\'');
        buf_add(out, shown);
        buf_add_byte(out, '\'');
    } else {
        buf_add_c(out, "0x");
        buf_add_hex(out, shown);
    }
    if (shown.n < s.n) buf_add_c(out, "...");
}

static void add_value(buf *out, const val *v)
{
    switch ((val_kind)v->kind) {
    case VAL_ABSENT:
    case VAL_UNCHANGED: buf_add_c(out, "not sent"); break;
    case VAL_NULL: buf_add_c(out, "NULL"); break;
    case VAL_INT:
    case VAL_YEAR: buf_add_i64(out, v->u.i); break;
    case VAL_UINT: buf_add_u64(out, v->u.u); break;
    case VAL_F32:
    case VAL_F64: buf_printf(out, "%.17g", v->u.f); break;
    case VAL_NUMBER: buf_add(out, str_sub(val_bytes(v), 0, SHOWN_BYTES)); break;
    default: add_bytes(out, val_bytes(v)); break;
    }
}

/* The values of the row key, or of all columns when there is none: something must let the row be found. */
static void add_row(buf *out, const table_def *t, const val *row)
{
    const key_def *k = t->row_key == TABLE_NO_KEY ? NULL : &t->keys[t->row_key];
    uint32_t n = k ? k->count : t->column_count, shown = 0;
    for (uint32_t i = 0; i < n && out->n < 4 * SHOWN_BYTES; i++) {
        uint32_t c = k ? k->columns[i] : i;
        if (c >= t->column_count || row[c].kind == VAL_ABSENT) continue;
        buf_add_c(out, shown++ ? ", " : "");
        buf_add(out, t->columns[c].name);
        buf_add_byte(out, ' ');
        add_value(out, &row[c]);
    }
}

bool mapping_value_error(const table_plan *p, uint32_t column, const val *row, const mapping_trouble *t, err *e)
{
    BUF_AUTO key = BUF_INIT;
    BUF_AUTO advice = BUF_INIT;
    const table_def *s = p->source;
    if (!t->what.p) return err_no_memory(e, "a converted value");
    add_row(&key, s, row);
    mapping_add_advice(t->rule, &advice);
    return err_set(e, ERR_NOT_SUPPORTED, "table %.*s.%.*s, row with %.*s: column %.*s: %.*s; correct the row%s%.*s", STR_ARG(s->schema), STR_ARG(s->name),
                   STR_ARG(buf_str(&key)), STR_ARG(s->columns[column].name), STR_ARG(t->what), advice.n ? ", or choose in Reserve, " : "", STR_ARG(buf_str(&advice)));
}
