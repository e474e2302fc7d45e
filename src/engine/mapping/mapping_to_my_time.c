/* Dates, times and intervals of PostgreSQL as MySQL and MariaDB take them. Both have the days of the years 1 to 9999 and the time 24:00:00; infinities, years
 * before 1 and after 9999 are told or replaced by the choice T56. */
#include "engine/mapping/mapping_to_my.h"

#include <string.h>

#include "codec/pg_datetime.h"

#define DAY_US 86400000000ll
#define HOUR_US 3600000000ll
#define MINUTE_US 60000000ll
#define SECOND_US 1000000ll
#define TIMESTAMP_END_S 2147483647 /* 2038-01-19 03:14:07, the last second of TIMESTAMP */

static bool outside(const column_plan *p, const pg_datetime *d, val_kind kind, arena *mem, val *v, mapping_trouble *t)
{
    bool early = d->kind == PG_DATETIME_BC || d->kind == PG_DATETIME_MINUS_INFINITY;
    return my_no_value(p, RULE_T56, kind, early, mem, v, "lies outside of the years 1 to 9999", t);
}

bool my_convert_date(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    pg_datetime d;
    err ignored = ERR_INIT;
    if (v->kind != VAL_TEXT || !pg_datetime_parse_date(val_bytes(v), &d, &ignored)) return my_unexpected(p, mem, v, t);
    if (d.kind != PG_DATETIME_ORDINARY) return outside(p, &d, VAL_DATE, mem, v, t);
    v->kind = VAL_DATE;
    return true;
}

static bool read_moment(const column_plan *p, arena *mem, const val *v, pg_datetime *ret, bool *ret_zoned, mapping_trouble *t)
{
    const my_column_detail *d = p->detail;
    err ignored = ERR_INIT;
    *ret_zoned = d->type->type == COL_TIMESTAMP;
    bool ok = v->kind == VAL_TEXT && pg_datetime_parse_timestamp(val_bytes(v), *ret_zoned, ret, &ignored) && (ret->kind > PG_DATETIME_FAR || ret->zone_s == 0);
    return ok || my_unexpected(p, mem, v, t);
}

static void cut_zone(val *v, bool zoned)
{
    enum { SUFFIX = sizeof "+00" - 1 };
    if (zoned) v->n -= SUFFIX;
}

bool my_convert_datetime(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    pg_datetime d;
    bool zoned;
    if (!read_moment(p, mem, v, &d, &zoned, t)) return false;
    if (d.kind != PG_DATETIME_ORDINARY) return outside(p, &d, VAL_DATETIME, mem, v, t);
    cut_zone(v, zoned);
    v->kind = VAL_DATETIME;
    return true;
}

bool my_convert_timestamp(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    pg_datetime d;
    bool zoned;
    int64_t us;
    if (!read_moment(p, mem, v, &d, &zoned, t)) return false;
    if (d.kind != PG_DATETIME_ORDINARY) return outside(p, &d, VAL_TIMESTAMP, mem, v, t);
    if (!pg_datetime_to_unix_us(&d, &us)) return my_unexpected(p, mem, v, t);
    if (us < SECOND_US || us >= (TIMESTAMP_END_S + 1ll) * SECOND_US)
        return mapping_trouble_set(t, RULE_T55, mem, "'%.*s' lies outside of TIMESTAMP, which has 1970-01-01 00:00:01 to 2038-01-19 03:14:07", STR_ARG(val_bytes(v)));
    cut_zone(v, zoned);
    v->kind = VAL_TIMESTAMP;
    return true;
}

bool my_convert_time(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    pg_datetime d;
    err ignored = ERR_INIT;
    if (v->kind != VAL_TEXT || !pg_datetime_parse_time(val_bytes(v), false, &d, &ignored)) return my_unexpected(p, mem, v, t);
    v->kind = VAL_TIME;
    return true;
}

/* ---- intervals ---- */

static void add_part(buf *out, int64_t n, char unit)
{
    if (n) buf_printf(out, "%lld%c", (long long)n, unit);
}

/* Each part has its own sign (src/backend/utils/adt/datetime.c, EncodeInterval, INTSTYLE_ISO_8601). */
static void write_iso(buf *out, const pg_interval *i)
{
    int64_t rest = i->micros % MINUTE_US;
    buf_add_byte(out, 'P');
    add_part(out, i->months / 12, 'Y');
    add_part(out, i->months % 12, 'M');
    add_part(out, i->days, 'D');
    if (i->micros) buf_add_byte(out, 'T');
    add_part(out, i->micros / HOUR_US, 'H');
    add_part(out, i->micros / MINUTE_US % 60, 'M');
    if (rest) {
        int64_t seconds = rest / SECOND_US, micros = rest % SECOND_US;
        if (rest < 0) buf_add_byte(out, '-'), seconds = -seconds, micros = -micros;
        buf_add_i64(out, seconds);
        if (micros) buf_printf(out, ".%06lld", (long long)micros);
        while (micros && out->n && out->p[out->n - 1] == '0') out->n--;
        buf_add_byte(out, 'S');
    }
    if (!i->months && !i->days && !i->micros) buf_add_c(out, "T0S");
}

static bool read_interval(const column_plan *p, arena *mem, const val *v, pg_interval *ret, mapping_trouble *t)
{
    err ignored = ERR_INIT;
    return (v->kind == VAL_TEXT && pg_interval_parse(val_bytes(v), ret, &ignored)) || my_unexpected(p, mem, v, t);
}

bool my_convert_interval(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    pg_interval i;
    BUF_AUTO out = BUF_INIT;
    if (!read_interval(p, mem, v, &i, t)) return false;
    if (i.infinite) return true; /* its own word */
    write_iso(&out, &i);
    return my_set_bytes(v, VAL_TEXT, out.failed ? STR_NULL : arena_copy(mem, buf_str(&out)), t);
}

bool my_convert_interval_us(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    pg_interval i;
    int64_t us;
    if (!read_interval(p, mem, v, &i, t)) return false;
    if (i.infinite || i.months)
        return mapping_trouble_set(t, RULE_T54, mem, "'%.*s' has no length in microseconds: months and years are not all as long", STR_ARG(str_sub(val_bytes(v), 0, 64)));
    if (__builtin_mul_overflow((int64_t)i.days, DAY_US, &us) || __builtin_add_overflow(us, i.micros, &us))
        return mapping_trouble_set(t, RULE_T54, mem, "'%.*s' has more microseconds than a BIGINT holds", STR_ARG(str_sub(val_bytes(v), 0, 64)));
    return my_set_bytes(v, VAL_NUMBER, arena_printf(mem, "%lld", (long long)us), t);
}
