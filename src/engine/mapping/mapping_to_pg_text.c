/* Texts, ENUM and SET of MySQL as PostgreSQL's texts: UTF-8 without U+0000. */
#include "engine/mapping/mapping_to_pg.h"

#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

/* By the choice in T9; the text may stay where it is. */
static bool without_nul(const pg_column_detail *d, arena *mem, str *text, mapping_trouble *t)
{
    size_t nuls = 0;
    const char *first = text->n ? memchr(text->p, 0, text->n) : NULL;
    if (!first) return true;
    if (d->nul == PG_NUL_ERROR)
        return mapping_trouble_set(t, RULE_T9, mem, "the text has the character U+0000 at byte %zu, which no text of PostgreSQL can hold", (size_t)(first - text->p) + 1);
    for (size_t i = 0; i < text->n; i++) nuls += !text->p[i];
    size_t n = d->nul == PG_NUL_STRIP ? text->n - nuls : text->n + nuls * (sizeof REPLACEMENT - 2);
    char *made = arena_bytes(mem, n), *to = made;
    for (size_t i = 0; made && i < text->n; i++) {
        if (text->p[i]) {
            *to++ = text->p[i];
        } else if (d->nul == PG_NUL_REPLACE) {
            memcpy(to, REPLACEMENT, sizeof REPLACEMENT - 1);
            to += sizeof REPLACEMENT - 1;
        }
    }
    *text = (str){made, n};
    if (!made) t->what = STR_NULL;
    return made != NULL;
}

bool pg_text_of(const pg_column_detail *d, str bytes, arena *mem, str *ret, mapping_trouble *t)
{
    str text;
    switch (charset_to_utf8(d->charset, bytes, d->bad_bytes == PG_BAD_REPLACE, mem, &text)) {
    case CHARSET_NO_MEMORY: t->what = STR_NULL; return false;
    case CHARSET_BAD_BYTES: {
        BUF_AUTO hex = BUF_INIT;
        buf_add_hex(&hex, text);
        return mapping_trouble_set(t, RULE_T8, mem, "the bytes 0x%s at byte %zu are no text in the column's character set", buf_c(&hex),
                                   (size_t)(text.p - bytes.p) + 1);
    }
    case CHARSET_DONE: break;
    }
    if (!without_nul(d, mem, &text, t)) return false;
    if (text.n > MAPPING_PG_MAX_FIELD_BYTES)
        return mapping_trouble_set(t, RULE_T11, mem, "%zu bytes of text do not fit a field of PostgreSQL, which is smaller than 1 GiB", text.n);
    *ret = text;
    return true;
}

bool pg_convert_text(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    str text;
    if (v->kind != VAL_TEXT && v->kind != VAL_BYTES && v->kind != VAL_JSON) return pg_unexpected(p, mem, v, t);
    const pg_column_detail *d = p->detail;
    if (v->n <= MAPPING_PG_MAX_FIELD_BYTES && charset_keeps_ascii(d->charset) && val_is_plain(val_bytes(v))) {
        v->kind = VAL_TEXT;
        v->flags = VAL_PLAIN;
        return true;
    }
    return pg_text_of(p->detail, val_bytes(v), mem, &text, t) && pg_set_text(v, VAL_TEXT, text, t);
}

/* ---- ENUM, SET ---- */

static bool no_such_label(const pg_column_detail *d, const char *kind, uint64_t number, arena *mem, mapping_trouble *t)
{
    return mapping_trouble_set(t, kind[0] == 'E' ? RULE_T12 : RULE_T13, mem, "%llu is no value of this %s of %u labels", (unsigned long long)number, kind, d->label_count);
}

bool pg_convert_enum(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    const pg_column_detail *d = p->detail;
    str text;
    if (v->kind == VAL_UINT) {
        if (v->u.u > d->label_count) return no_such_label(d, "ENUM", v->u.u, mem, t);
        return pg_set_text(v, VAL_TEXT, d->labels[v->u.u], t);
    }
    if (v->kind != VAL_ENUM_TEXT) return pg_unexpected(p, mem, v, t);
    return pg_text_of(d, val_bytes(v), mem, &text, t) && pg_set_text(v, VAL_TEXT, text, t);
}

/* The labels one after the other: of a mask, or of a list, which has them in the order of the definition. */
typedef struct members {
    const pg_column_detail *d;
    uint64_t mask;
    uint32_t at;
    str list; /* p == NULL: by the mask */
} members;

static bool next_member(members *m, str *ret)
{
    if (m->list.p) return str_split_next(&m->list, ',', ret);
    while (m->at < m->d->label_count && !(m->mask >> m->at & 1)) m->at++;
    if (m->at >= m->d->label_count) return false;
    *ret = m->d->labels[m->at++];
    return true;
}

static bool start_members(const column_plan *p, arena *mem, const val *v, members *ret, mapping_trouble *t)
{
    const pg_column_detail *d = p->detail;
    *ret = (members){.d = d};
    if (v->kind == VAL_UINT) {
        if (d->label_count < 64 && v->u.u >> d->label_count) return no_such_label(d, "SET", v->u.u, mem, t);
        ret->mask = v->u.u;
        return true;
    }
    if (v->kind != VAL_ENUM_TEXT) return pg_unexpected(p, mem, v, t);
    if (!v->n) return true;
    return pg_text_of(d, val_bytes(v), mem, &ret->list, t);
}

static bool finish_members(buf *made, arena *mem, val *v, mapping_trouble *t)
{
    str text = made->failed ? STR_NULL : arena_copy(mem, str_or_empty(buf_str(made)));
    return pg_set_text(v, VAL_TEXT, text, t);
}

bool pg_convert_set(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    BUF_AUTO made = BUF_INIT;
    members m;
    str label;
    if (!start_members(p, mem, v, &m, t)) return false;
    buf_add_byte(&made, '{');
    while (next_member(&m, &label)) {
        buf_add_c(&made, made.n > 1 ? ",\"" : "\"");
        for (size_t i = 0; i < label.n; i++) {
            if (label.p[i] == '"' || label.p[i] == '\\') buf_add_byte(&made, '\\');
            buf_add_byte(&made, label.p[i]);
        }
        buf_add_byte(&made, '"');
    }
    buf_add_byte(&made, '}');
    return finish_members(&made, mem, v, t);
}

bool pg_convert_set_text(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    BUF_AUTO made = BUF_INIT;
    members m;
    str label;
    if (!start_members(p, mem, v, &m, t)) return false;
    for (bool first = true; next_member(&m, &label); first = false) {
        if (!first) buf_add_byte(&made, ',');
        buf_add(&made, label);
    }
    return finish_members(&made, mem, v, t);
}
