/* Texts of PostgreSQL with the limits of the target's column. */
#include "engine/mapping/mapping_to_my.h"

static size_t count_chars(str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* The text in UTF-8: a database in SQL_ASCII keeps whatever it was given. */
static bool decode(const column_plan *p, arena *mem, str *text, mapping_trouble *t)
{
    const my_column_detail *d = p->detail;
    str bytes = *text;
    if (!d->charset) return true;
    switch (charset_to_utf8(d->charset, bytes, false, mem, text)) {
    case CHARSET_DONE: return true;
    case CHARSET_NO_MEMORY: t->what = STR_NULL; return false;
    case CHARSET_BAD_BYTES: break;
    }
    BUF_AUTO hex = BUF_INIT;
    buf_add_hex(&hex, str_sub(*text, 0, 16));
    return mapping_trouble_set(t, RULE_T67, mem, "the bytes 0x%s are no text of the declared encoding", buf_c(&hex));
}

static bool set_text(const column_plan *p, str text, arena *mem, val *v, mapping_trouble *t)
{
    const my_column_detail *d = p->detail;
    if (!decode(p, mem, &text, t)) return false;
    if (d->most_bytes && text.n > d->most_bytes)
        return mapping_trouble_set(t, d->rule, mem, "a text of %zu bytes does not fit %.*s", text.n, STR_ARG(p->target->native_type));
    if (d->most_chars && text.n > d->most_chars) { /* fewer bytes are no more characters */
        size_t n = count_chars(text);
        if (n > d->most_chars) return mapping_trouble_set(t, d->rule, mem, "a text of %zu characters does not fit %.*s", n, STR_ARG(p->target->native_type));
    }
    return my_set_bytes(v, VAL_TEXT, text, t);
}

bool my_convert_text(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    return v->kind == VAL_TEXT || v->kind == VAL_NUMBER ? set_text(p, val_bytes(v), mem, v, t) : my_unexpected(p, mem, v, t);
}

bool my_convert_char(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    if (v->kind != VAL_TEXT) return my_unexpected(p, mem, v, t);
    str text = val_bytes(v);
    while (text.n && text.p[text.n - 1] == ' ') text.n--;
    return set_text(p, text, mem, v, t);
}
