/* T28: partitions of MySQL as PostgreSQL's. RANGE and LIST of columns of numbers and days, where both servers put a row
 * into the partition of the same name; RANGE of YEAR(d) and TO_DAYS(d) by the days where they begin; HASH and KEY as
 * HASH of the same columns (which row is where differs, and means nothing). All else becomes a plain table, told. The
 * partitions stand behind the clause in create_sql, one statement each. Text form: sql/partition_info.cc of
 * MariaDB 10.11, measured on it. */
#include "engine/mapping/mapping_to_pg.h"

#define PARTS_MOST 16 /* columns of a clause (MySQL manual, Restrictions and Limitations on Partitioning) */
#define PARTITIONS_MOST 8192

enum method { BY_RANGE, BY_LIST, BY_HASH };
enum bound_of { OF_COLUMN, OF_YEAR, OF_TO_DAYS };

typedef struct partition_work {
    const pg_work *w;
    map *names;
    ddl_lexer lexer;
    ddl_token now;
    enum method method;
    enum bound_of bound_of;
    uint32_t columns[PARTS_MOST];
    uint32_t count;
    const char *why; /* it becomes a plain table */
    buf clause, partitions;
    err *e;
} partition_work;

static void advance(partition_work *k)
{
    k->now = ddl_next(&k->lexer);
}
static bool take_word(partition_work *k, const char *w)
{
    return ddl_is_word(k->now, w) ? advance(k), true : false;
}
static bool take_punct(partition_work *k, char c)
{
    return ddl_is_punct(k->now, c) ? advance(k), true : false;
}
static bool refuse(partition_work *k, const char *why)
{
    if (!k->why) k->why = why;
    return false;
}
static bool unknown(partition_work *k)
{
    return refuse(k, "its form is not known");
}

/* ---- columns ---- */

static bool is_integer(const column_def *c)
{
    return c->type <= COL_BIGINT;
}

/* Whether the target sorts and compares the column as the source does, so that a bound means the same rows. */
static bool is_exact(const column_def *s, const column_def *t)
{
    bool days = (s->type == COL_DATE && t->type == COL_DATE) || (s->type == COL_DATETIME && t->type == COL_DATETIME);
    return days || (is_integer(s) && (is_integer(t) || t->type == COL_DECIMAL));
}

static bool take_column(partition_work *k)
{
    bool name =
        k->now.kind == DDL_NAME || k->now.kind == DDL_WORD; /* COLUMNS and KEY have names without quotes in MySQL */
    uint32_t i = name ? table_find_column(k->w->s, ddl_unquote_name(k->w->m->a, k->now)) : UINT32_MAX;
    advance(k);
    if (i == UINT32_MAX || ddl_is_punct(k->now, '('))
        return refuse(k, "it is by an expression that PostgreSQL does not have in the same form");
    if (k->count == PARTS_MOST) return unknown(k);
    const column_def *s = &k->w->s->columns[i], *t = &k->w->t->columns[i];
    if (!s->selected) return refuse(k, "a column of it is not selected");
    if (k->w->d->columns[i].generated) return refuse(k, "it is by a generated column");
    if (k->method == BY_RANGE && s->nullable)
        return refuse(k, "it is by RANGE of a column that may be NULL, for which PostgreSQL has no range");
    if (k->method != BY_HASH && !is_exact(s, t))
        return refuse(k, "it is by a column that PostgreSQL compares in another way, or not");
    if (k->method == BY_HASH && t->type == COL_JSON)
        return refuse(k, "it is by a column that has no hash in PostgreSQL");
    k->columns[k->count++] = i;
    return true;
}

/* "(`a`,`b`)", "(year(`d`))"; "()" of KEY is the primary key. */
static bool take_columns(partition_work *k)
{
    if (!take_punct(k, '(')) return unknown(k);
    if (k->method == BY_RANGE && (ddl_is_word(k->now, "year") || ddl_is_word(k->now, "to_days"))) {
        k->bound_of = ddl_is_word(k->now, "year") ? OF_YEAR : OF_TO_DAYS;
        advance(k);
        if (!take_punct(k, '(') || !take_column(k)) return unknown(k);
        const column_def *t = &k->w->t->columns[k->columns[0]];
        if (t->type != COL_DATE && t->type != COL_DATETIME)
            return refuse(k, "it is by a column that holds no days in PostgreSQL");
        return (take_punct(k, ')') && take_punct(k, ')')) ||
               refuse(k, "it is by an expression that PostgreSQL does not have in the same form");
    }
    if (k->method == BY_HASH && take_punct(k, ')')) {
        const key_def *primary = k->w->s->key_count && k->w->s->keys[0].primary ? &k->w->s->keys[0] : NULL;
        if (!primary || primary->count > PARTS_MOST)
            return refuse(k, "it is by the primary key, which there is none of");
        for (uint32_t i = 0; i < primary->count; i++)
            k->columns[k->count++] = primary->columns[i];
        return true;
    }
    do {
        if (!take_column(k)) return false;
    } while (take_punct(k, ','));
    return take_punct(k, ')') || refuse(k, "it is by an expression that PostgreSQL does not have in the same form");
}

/* PostgreSQL wants the columns of the clause in each unique key, as MySQL does, and there as whole columns. */
static bool keys_allow(partition_work *k)
{
    for (uint32_t i = 0; i < k->w->s->key_count; i++) {
        const key_def *key = &k->w->s->keys[i];
        if (!key->unique) continue;
        if (key->has_prefix) return refuse(k, "a unique key of it is on a prefix");
        uint32_t found = 0;
        for (uint32_t c = 0; c < k->count; c++)
            for (uint32_t n = 0; n < key->count; n++)
                found += key->columns[n] == k->columns[c];
        if (found < k->count) return refuse(k, "a unique key of it lacks a column of the clause");
    }
    return true;
}

/* ---- bounds ---- */

/* The day of MySQL's TO_DAYS: 366 is 0001-01-01 (MySQL manual, TO_DAYS). */
static str day_of(arena *a, int64_t days)
{
    int64_t z = days - 60, era = z / 146097, doe = z % 146097; /* days since 0000-03-01, by eras of 400 years */
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100),
            mp = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9,
            year = yoe + era * 400 + (month <= 2);
    return arena_printf(a, "'%04d-%02d-%02d'", (int)year, (int)month, (int)day);
}

static bool add_bound_number(partition_work *k, bool negative, str digits, buf *out)
{
    int64_t n;
    if (k->bound_of == OF_COLUMN) {
        uint64_t any;
        if (!str_to_u64(digits, &any)) return unknown(k);
        buf_printf(out, "%s%.*s", negative ? "-" : "", STR_ARG(digits));
        return true;
    }
    if (!str_to_i64(digits, &n)) return unknown(k);
    if (negative || n < (k->bound_of == OF_YEAR ? 1 : 366) || n > (k->bound_of == OF_YEAR ? 9999 : 3652424))
        return refuse(k, "a bound of it is no day of PostgreSQL's calendar");
    if (k->bound_of == OF_YEAR)
        buf_printf(out, "'%04d-01-01'", (int)n);
    else
        buf_add(out, day_of(k->w->m->a, n));
    return true;
}

/* A number, a quoted day or moment, MAXVALUE, NULL. */
static bool add_bound(partition_work *k, uint32_t column, buf *out)
{
    bool negative = take_punct(k, '-');
    ddl_token t = k->now;
    advance(k);
    if (ddl_is_word(t, "MAXVALUE") || ddl_is_word(t, "NULL")) {
        buf_add(out, ddl_is_word(t, "NULL") ? STR("NULL") : STR("MAXVALUE"));
        return true;
    }
    if (t.kind == DDL_WORD) return add_bound_number(k, negative, t.text, out);
    str text = t.kind == DDL_STRING && !is_integer(&k->w->s->columns[column]) ? ddl_unquote_string(k->w->m->a, t.text)
                                                                              : STR_NULL;
    if (!text.p || !pg_is_day(text)) return refuse(k, "a bound of it is no day of PostgreSQL's calendar");
    pg_add_literal(out, text);
    return true;
}

/* "LESS THAN (10,MAXVALUE)" or "LESS THAN MAXVALUE": the upper end. */
static bool take_range(partition_work *k, str *ret)
{
    BUF_AUTO text = BUF_INIT;
    bool grouped = take_word(k, "LESS") && take_word(k, "THAN") ? take_punct(k, '(') : unknown(k);
    for (uint32_t i = 0; !k->why && i < k->count; i++) {
        if (i) buf_add_c(&text, ", ");
        if (i && !take_punct(k, ',')) return unknown(k);
        if (!add_bound(k, k->columns[i], &text)) return false;
    }
    if (k->why || (grouped && !take_punct(k, ')'))) return unknown(k);
    *ret = text.failed ? STR_NULL : arena_copy(k->w->m->a, buf_str(&text));
    return ret->p || unknown(k);
}

static bool take_list(partition_work *k, buf *out)
{
    if (!take_word(k, "IN") || !take_punct(k, '(')) return unknown(k);
    for (bool first = true; first || take_punct(k, ','); first = false) {
        if (!first) buf_add_c(out, ", ");
        if (!add_bound(k, k->columns[0], out)) return false;
    }
    return take_punct(k, ')') || unknown(k);
}

/* ---- partitions ---- */

static bool begin_partition(partition_work *k, str name)
{
    str wish = arena_printf(k->w->m->a, "%.*s_%.*s", STR_ARG(k->w->t->name), STR_ARG(name));
    if (!wish.p || !pg_relation_name(k->w, k->names, wish, &wish, k->e)) return false;
    buf_add_c(&k->partitions, "; CREATE TABLE ");
    pg_add_qualified(&k->partitions, k->w->t->schema, wish);
    buf_add_c(&k->partitions, " PARTITION OF ");
    pg_add_qualified(&k->partitions, k->w->t->schema, k->w->t->name);
    buf_add_c(&k->partitions, " FOR VALUES ");
    return true;
}

/* "ENGINE = InnoDB COMMENT = 'x' ..." up to the next partition. */
static bool pass_options(partition_work *k)
{
    while (!ddl_is_punct(k->now, ',') && !ddl_is_punct(k->now, ')') && k->now.kind != DDL_END &&
           k->now.kind != DDL_BAD) {
        if (ddl_is_punct(k->now, '(')) return refuse(k, "it has subpartitions");
        advance(k);
    }
    return true;
}

static bool take_partition(partition_work *k, str *lower)
{
    BUF_AUTO bound = BUF_INIT;
    if (!take_word(k, "PARTITION")) return unknown(k);
    str name = k->now.kind == DDL_NAME || k->now.kind == DDL_WORD ? ddl_unquote_name(k->w->m->a, k->now) : STR_NULL,
        upper = STR_NULL;
    advance(k);
    if (!name.p || !take_word(k, "VALUES")) return unknown(k);
    if (k->method == BY_RANGE) {
        if (!take_range(k, &upper)) return false;
        buf_printf(&bound, "FROM (%.*s) TO (%.*s)", STR_ARG(*lower), STR_ARG(upper));
        *lower = upper;
    } else {
        buf_add_c(&bound, "IN (");
        if (!take_list(k, &bound)) return false;
        buf_add_byte(&bound, ')');
    }
    if (!begin_partition(k, name)) return false;
    buf_add(&k->partitions, bound.failed ? STR("") : buf_str(&bound));
    k->partitions.failed |= bound.failed;
    return pass_options(k);
}

static bool take_partitions(partition_work *k)
{
    str lower = STR("MINVALUE");
    for (uint32_t i = 1; i < k->count; i++)
        lower = arena_printf(k->w->m->a, "%.*s, MINVALUE", STR_ARG(lower));
    if (ddl_is_word(k->now, "SUBPARTITION")) return refuse(k, "it has subpartitions");
    if (!lower.p || !take_punct(k, '(')) return unknown(k);
    do {
        if (!take_partition(k, &lower)) return false;
    } while (take_punct(k, ','));
    return (take_punct(k, ')') && k->now.kind == DDL_END) || unknown(k);
}

/* "PARTITIONS 4", or a list of named ones. */
static bool take_hash_partitions(partition_work *k)
{
    uint64_t n = 1;
    if (take_word(k, "PARTITIONS")) {
        if (!str_to_u64(k->now.text, &n) || !n || n > PARTITIONS_MOST) return unknown(k);
        advance(k);
    } else if (take_punct(k, '(')) {
        for (n = 0; take_word(k, "PARTITION") || (n && take_punct(k, ',') && take_word(k, "PARTITION")); n++)
            if (!pass_options(k)) return false;
        if (!n || n > PARTITIONS_MOST || !take_punct(k, ')')) return unknown(k);
    }
    if (k->now.kind != DDL_END) return unknown(k);
    for (uint64_t i = 0; i < n; i++) {
        if (!begin_partition(k, arena_printf(k->w->m->a, "p%u", (unsigned)i))) return false;
        buf_printf(&k->partitions, "WITH (MODULUS %u, REMAINDER %u)", (unsigned)n, (unsigned)i);
    }
    return true;
}

/* "PARTITION BY [LINEAR] RANGE|LIST|HASH|KEY [ALGORITHM = n] [COLUMNS] (...)". */
static bool take_method(partition_work *k)
{
    if (!take_word(k, "PARTITION") || !take_word(k, "BY")) return unknown(k);
    (void)take_word(k, "LINEAR");
    if (take_word(k, "RANGE"))
        k->method = BY_RANGE;
    else if (take_word(k, "LIST"))
        k->method = BY_LIST;
    else if (take_word(k, "HASH") || take_word(k, "KEY"))
        k->method = BY_HASH;
    else
        return unknown(k);
    if (take_word(k, "ALGORITHM")) {
        (void)take_punct(k, '=');
        advance(k);
    }
    (void)take_word(k, "COLUMNS");
    return true;
}

static bool translate(partition_work *k)
{
    static const char *const methods[] = {[BY_RANGE] = "RANGE", [BY_LIST] = "LIST", [BY_HASH] = "HASH"};
    advance(k);
    if (!take_method(k) || !take_columns(k) || !keys_allow(k)) return false;
    if (k->method == BY_LIST && k->count != 1) return refuse(k, "it is by LIST of several columns");
    buf_printf(&k->clause, "PARTITION BY %s (", methods[k->method]);
    for (uint32_t i = 0; i < k->count; i++) {
        if (i) buf_add_c(&k->clause, ", ");
        pg_add_name(&k->clause, k->w->t->columns[k->columns[i]].name);
    }
    buf_add_byte(&k->clause, ')');
    return k->method == BY_HASH ? take_hash_partitions(k) : take_partitions(k);
}

static bool finish(partition_work *k, bool translated)
{
    BUF_AUTO what = BUF_INIT;
    if (!translated && !k->why) return k->e->code != ERR_NONE ? false : err_no_memory(k->e, "partitions");
    if (translated) {
        buf_add(&k->clause, str_or_empty(buf_str(&k->partitions)));
        k->w->t->create_sql =
            k->clause.failed || k->partitions.failed ? STR_NULL : arena_copy(k->w->m->a, buf_str(&k->clause));
        return pg_made(k->w->t->create_sql, k->e);
    }
    buf_printf(&what, "a plain table, its partitions are not carried: %s: %.*s", k->why,
               STR_ARG(str_sub(k->w->d->partition, 0, 200)));
    if (what.failed) return err_no_memory(k->e, "a finding");
    mapping_find(k->w->m, k->w->s, NULL, RULE_T28, (mapping_finding){.kind = STR("partitions"), .object = k->w->s->name, .what = buf_str(&what), .source_text = k->w->d->partition});
    return true;
}

bool pg_plan_partitions(const pg_work *w, map *names, err *e)
{
    partition_work k = {.w = w, .names = names, .lexer = {.text = w->d->partition}, .e = e};
    bool plain;
    if (!w->d->partition.p) return true;
    if (!mapping_chose(w->m, w->s, NULL, RULE_T28, "plain", &plain, e)) return false;
    if (plain) k.why = "as chosen";
    bool ok = finish(&k, !plain && translate(&k));
    buf_finish(&k.clause);
    buf_finish(&k.partitions);
    return ok;
}
