/* Dates and times of MySQL as PostgreSQL's texts. MySQL stores days that no calendar has ('0000-00-00', '2020-00-10', with ALLOW_INVALID_DATES '2020-02-31') and
 * the year 0; PostgreSQL refuses them. */
#include "engine/mapping/mapping_to_pg.h"

#include <string.h>

static bool digits(str s, size_t at, size_t n, unsigned *ret)
{
    *ret = 0;
    if (s.n < at + n) return false;
    for (size_t i = at; i < at + n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        *ret = *ret * 10 + (unsigned)(s.p[i] - '0');
    }
    return true;
}

bool pg_is_day(str text)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year, month, day;
    if (!digits(text, 0, 4, &year) || !digits(text, 5, 2, &month) || !digits(text, 8, 2, &day) || text.p[4] != '-' || text.p[7] != '-') return false;
    if (year < 1 || month < 1 || month > 12 || day < 1) return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* A date that is none, by the choice in T15. */
static bool no_day(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    const pg_column_detail *d = p->detail;
    str text = str_sub(val_bytes(v), 0, 32);
    switch (d->no_day) {
    case PG_NO_DAY_NULL: *v = (val){.kind = VAL_NULL}; return true;
    case PG_NO_DAY_SENTINEL: return pg_set_text(v, VAL_TEXT, d->sentinel, t);
    case PG_NO_DAY_ERROR: break;
    }
    return mapping_trouble_set(t, RULE_T15, mem, "'%.*s' is no day of the calendar, which PostgreSQL needs", STR_ARG(text));
}

static bool is_moment(const val *v) { return v->kind == VAL_DATE || v->kind == VAL_DATETIME || v->kind == VAL_TIMESTAMP; }

bool pg_convert_date(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    if (v->kind != VAL_DATE || v->n != 10) return pg_unexpected(p, mem, v, t);
    if (!pg_is_day(val_bytes(v))) return no_day(p, mem, v, t);
    v->kind = VAL_TEXT;
    return true;
}

static bool with_suffix(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    const pg_column_detail *d = p->detail;
    if (!d->suffix.n) {
        v->kind = VAL_TEXT;
        return true;
    }
    char *text = arena_bytes(mem, v->n + d->suffix.n);
    if (text) {
        memcpy(text, v->u.p, v->n);
        memcpy(text + v->n, d->suffix.p, d->suffix.n);
    }
    return pg_set_text(v, VAL_TEXT, (str){text, v->n + d->suffix.n}, t);
}

bool pg_convert_datetime(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    if (!is_moment(v) || v->n < 19 || v->n > 26) return pg_unexpected(p, mem, v, t);
    return pg_is_day(val_bytes(v)) ? with_suffix(p, mem, v, t) : no_day(p, mem, v, t);
}

bool pg_convert_moment_text(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    return is_moment(v) && v->n >= 10 && v->n <= 26 ? with_suffix(p, mem, v, t) : pg_unexpected(p, mem, v, t);
}

/* ---- times ---- */

bool pg_convert_interval(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    if (v->kind != VAL_TIME) return pg_unexpected(p, mem, v, t);
    v->kind = VAL_TEXT;
    return true;
}

bool pg_convert_time(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    str text = val_is_inline(v) ? STR("") : val_bytes(v), zeros = STR("24:00:00.000000");
    unsigned hour;
    if (v->kind != VAL_TIME || text.n < 8) return pg_unexpected(p, mem, v, t);
    bool day = text.p[2] == ':' && digits(text, 0, 2, &hour) && hour < 24;
    if (!day && !str_starts_with(zeros, text))
        return mapping_trouble_set(t, RULE_T18, mem, "'%.*s' is no time of a day", STR_ARG(str_sub(text, 0, 32)));
    v->kind = VAL_TEXT;
    return true;
}

bool pg_convert_year(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    if (v->kind != VAL_YEAR || v->u.i < 0 || v->u.i > 9999) return pg_unexpected(p, mem, v, t);
    return pg_set_text(v, VAL_NUMBER, arena_printf(mem, "%d", (int)v->u.i), t);
}
