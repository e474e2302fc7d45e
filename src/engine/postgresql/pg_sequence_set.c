/* Setting the target's sequences to where those of the source stand. */
#include "engine/postgresql/pg_sequence.h"

typedef struct place {
    str full;            /* quoted name; p == NULL: the target has none */
    str grant;           /* what the role lacks, p == NULL for nothing */
    pg_sequence now;
    bool has_max;        /* the column's largest number, of an AUTO_INCREMENT at the source */
    int64_t max;
    int64_t value;       /* what is to be set */
    bool called, set;
} place;

typedef struct setting {
    target *t;
    const catalog_def *c;
    const sequence_state *list;
    place *places;
    uint64_t margin;
    arena *a;
    sequence_result *ret;
} setting;

static const table_def *table_of(const setting *w, uint32_t i) { return w->list[i].table ? w->c->tables[w->list[i].table->id] : NULL; }
static str column_of(const setting *w, uint32_t i) { return table_of(w, i)->columns[w->list[i].column].target_name; }

static bool missed(const setting *w, uint32_t i, sequence_outcome outcome, str why, err *e)
{
    w->ret[i].outcome = outcome;
    w->ret[i].why = why;
    return why.p || err_no_memory(e, "the outcome of a sequence");
}

static bool name_result(const setting *w, uint32_t i, err *e)
{
    const sequence_state *s = &w->list[i];
    const table_def *t = table_of(w, i);
    str name = t ? arena_printf(w->a, "%.*s.%.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name), STR_ARG(column_of(w, i)))
                 : arena_printf(w->a, "%.*s.%.*s", STR_ARG(s->target_schema), STR_ARG(s->target_name));
    w->ret[i] = (sequence_result){.name = name, .outcome = SEQUENCE_RIGHT};
    return name.p || err_no_memory(e, "the name of a sequence");
}

/* --- where it is --- */

/* By the column that it belongs to or whose default it is, or by its name. */
#define FIND_HEAD                                                                                                                                             \
    "SELECT v.i, pg_catalog.format('%I.%I', n.nspname, c.relname), CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'UPDATE') AND "                          \
    "pg_catalog.has_sequence_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN NULL ELSE pg_catalog.format("                 \
    "'GRANT USAGE ON SCHEMA %I TO %I; GRANT SELECT, UPDATE ON SEQUENCE %I.%I TO %I', n.nspname, current_user, n.nspname, c.relname, current_user) END, "       \
    PG_SEQUENCE_DEFINITION " FROM (VALUES "
#define FIND_TAIL                                                                                                                                             \
    ") v(i, tab_schema, tab, col, seq_schema, seq, by_name) JOIN LATERAL (SELECT o.oid FROM (SELECT d.objid AS oid, 1 AS rank FROM pg_catalog.pg_namespace tn " \
    "JOIN pg_catalog.pg_class t ON t.relnamespace = tn.oid AND t.relname = v.tab JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attname = v.col "   \
    "JOIN pg_catalog.pg_depend d ON d.classid = 1259 AND d.refclassid = 1259 AND d.refobjid = t.oid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i') "  \
    "WHERE tn.nspname = v.tab_schema UNION ALL SELECT d.refobjid, 2 FROM pg_catalog.pg_namespace tn JOIN pg_catalog.pg_class t ON t.relnamespace = tn.oid AND "  \
    "t.relname = v.tab JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attname = v.col JOIN pg_catalog.pg_attrdef f ON f.adrelid = t.oid AND "       \
    "f.adnum = a.attnum JOIN pg_catalog.pg_depend d ON d.classid = 2604 AND d.objid = f.oid AND d.refclassid = 1259 WHERE tn.nspname = v.tab_schema UNION ALL "  \
    "SELECT x.oid, v.by_name FROM pg_catalog.pg_class x JOIN pg_catalog.pg_namespace xn ON xn.oid = x.relnamespace WHERE xn.nspname = v.seq_schema AND "        \
    "x.relname = v.seq) o JOIN pg_catalog.pg_sequence k ON k.seqrelid = o.oid ORDER BY o.rank LIMIT 1) f ON true JOIN pg_catalog.pg_class c ON c.oid = f.oid "  \
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid"

static void add_text(buf *sql, str text)
{
    buf_add_c(sql, ", ");
    if (text.p) pg_quote_literal(sql, text);
    else buf_add_c(sql, "NULL");
    buf_add_c(sql, "::text");
}

static bool find_row(const setting *w, const PGresult *r, int row, uint32_t to, err *e)
{
    uint64_t i;
    if (!str_to_u64(pg_field(r, row, 0), &i) || i >= to) return err_set(e, ERR_PROTOCOL, "a row about a sequence is not well formed");
    place *p = &w->places[i];
    str grant = pg_field(r, row, 2);
    p->full = arena_copy(w->a, pg_field(r, row, 1));
    p->grant = grant.p ? arena_copy(w->a, grant) : STR_NULL;
    if (!p->full.p || (grant.p && !p->grant.p)) return err_no_memory(e, "a sequence");
    return pg_sequence_read_definition(r, row, 3, &p->now, e);
}

static bool find(const setting *w, uint32_t from, uint32_t to, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    PGresult *r;
    buf_add_c(&sql, FIND_HEAD);
    for (uint32_t i = from; i < to; i++) {
        const sequence_state *s = &w->list[i];
        const table_def *t = table_of(w, i);
        buf_printf(&sql, "%s(%u", i > from ? ", " : "", i);
        add_text(&sql, t ? t->target_schema : STR_NULL);
        add_text(&sql, t ? t->target_name : STR_NULL);
        add_text(&sql, t ? column_of(w, i) : STR_NULL);
        add_text(&sql, s->target_schema);
        add_text(&sql, s->target_name);
        buf_printf(&sql, ", %d)", s->owned ? 3 : 0);
    }
    buf_add_c(&sql, FIND_TAIL);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(w->t->conn, buf_str(&sql), &r, e)) return err_context(e, "looking for sequences");
    bool ok = true;
    for (int row = 0; ok && row < PQntuples(r); row++) ok = find_row(w, r, row, to, e);
    PQclear(r);
    return ok;
}

/* --- where it stands --- */

static bool is_open(const setting *w, uint32_t i) { return w->places[i].full.p && !w->places[i].grant.p && !w->list[i].obstacle.p; }

/* The source may have given a number that its counter does not know of (UPDATE of the column). */
static void add_max(const setting *w, uint32_t i, buf *sql)
{
    const table_def *t = table_of(w, i);
    if (w->list[i].name.p || !t) {
        buf_add_c(sql, "NULL");
        return;
    }
    buf_add_c(sql, "(SELECT pg_catalog.trunc(pg_catalog.max(");
    pg_quote_name(sql, column_of(w, i));
    buf_add_c(sql, ")::numeric)::text FROM ");
    pg_quote_table(sql, t->target_schema, t->target_name);
    buf_add_byte(sql, ')');
}

static bool read_values(const setting *w, uint32_t from, uint32_t to, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    PGresult *r;
    for (uint32_t i = from; i < to; i++) {
        if (!is_open(w, i)) continue;
        buf_printf(&sql, "%sSELECT %u, last_value, is_called, ", sql.n ? " UNION ALL " : "", i);
        add_max(w, i, &sql);
        buf_printf(&sql, " FROM %.*s", STR_ARG(w->places[i].full));
    }
    if (sql.n == 0) return true;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(w->t->conn, buf_str(&sql), &r, e)) return err_context(e, "reading sequences");
    bool ok = true;
    for (int row = 0; ok && row < PQntuples(r); row++) {
        uint64_t i;
        ok = (str_to_u64(pg_field(r, row, 0), &i) && i < to) || err_set(e, ERR_PROTOCOL, "a row about a sequence is not well formed");
        ok = ok && pg_sequence_read_value(r, row, 1, &w->places[i].now, e);
        str max = pg_field(r, row, 3);
        if (!ok || !max.p) continue;
        w->places[i].has_max = true;
        if (!str_to_i64(max, &w->places[i].max)) w->places[i].max = max.p[0] == '-' ? INT64_MIN : INT64_MAX;
    }
    PQclear(r);
    return ok;
}

/* --- where it is to stand --- */

/* The numbers of one that cycles come again whatever is left out. */
static int64_t margin_of(const setting *w, uint32_t i) { return w->places[i].now.cycles ? 0 : (int64_t)w->margin; }

/* The next number, margin and column's largest number included. False: there is none. */
static bool wanted_next(const setting *w, uint32_t i, int64_t *ret)
{
    const sequence_state *s = &w->list[i];
    const place *p = &w->places[i];
    int64_t next, ahead;
    if (!s->next.p || !str_to_i64(s->next, &next)) return false;
    if (p->has_max && p->max >= next && __builtin_add_overflow(p->max, 1, &next)) return false;
    if (__builtin_mul_overflow(margin_of(w, i), p->now.increment, &ahead) || __builtin_add_overflow(next, ahead, &next)) return false;
    if (p->now.increment > 0 ? next > p->now.max : next < p->now.min) return false;
    *ret = next < p->now.min ? p->now.min : next > p->now.max ? p->now.max : next;
    return true;
}

/* Of the same kind and without a margin it gets the very state. */
static bool takes_state(const setting *w, uint32_t i, int64_t *ret)
{
    const sequence_state *s = &w->list[i];
    const pg_sequence *now = &w->places[i].now;
    return s->name.p && margin_of(w, i) == 0 && str_to_i64(s->value, ret) && *ret >= now->min && *ret <= now->max;
}

/* One that gave no number here yet is set to anything; any other goes on only, but for one that cycles, whose numbers come again. */
static sequence_outcome decide(const setting *w, uint32_t i)
{
    place *p = &w->places[i];
    const pg_sequence *now = &p->now;
    int64_t next = 0, has = 0;
    bool more = wanted_next(w, i, &next), has_more = pg_sequence_next(now, &has), state = takes_state(w, i, &p->value), up = now->increment > 0;
    bool same = more == has_more && next == has, used = now->called || now->value != now->start;
    p->called = state ? w->list[i].called : !more;
    if (!state) p->value = more ? next : up ? now->max : now->min;
    if (state ? now->value == p->value && now->called == p->called : same) return SEQUENCE_RIGHT;
    if (used && !now->cycles && !same && (has_more ? more && (up ? has > next : has < next) : true)) return SEQUENCE_AHEAD;
    return SEQUENCE_SET;
}

static bool judge(const setting *w, uint32_t i, err *e)
{
    const sequence_state *s = &w->list[i];
    const place *p = &w->places[i];
    if (s->obstacle.p) return missed(w, i, SEQUENCE_FAILED, s->obstacle, e);
    if (!p->full.p) return missed(w, i, SEQUENCE_ABSENT, s->table ? STR("the destination's column takes no numbers from a sequence") : STR("the destination has no sequence of this name"), e);
    if (p->grant.p) return missed(w, i, SEQUENCE_FAILED, arena_printf(w->a, "the destination account may not set it; run at the destination: %.*s", STR_ARG(p->grant)), e);
    if (s->descends != (p->now.increment < 0)) return missed(w, i, SEQUENCE_FAILED, STR("the destination's sequence counts the other way"), e);
    w->ret[i].outcome = decide(w, i);
    w->places[i].set = w->ret[i].outcome == SEQUENCE_SET;
    return true;
}

/* Only where it still stands as it was read: whoever takes a number meanwhile keeps it. */
static bool set_values(const setting *w, uint32_t from, uint32_t to, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    for (uint32_t i = from; i < to; i++) {
        const place *p = &w->places[i];
        if (!p->set) continue;
        buf_printf(&sql, "%sSELECT pg_catalog.setval(", sql.n ? " UNION ALL " : "");
        pg_quote_literal(&sql, p->full);
        buf_printf(&sql, "::regclass, '%lld', %s) FROM %.*s WHERE last_value = '%lld' AND is_called = %s", (long long)p->value, p->called ? "true" : "false", STR_ARG(p->full),
                   (long long)p->now.value, p->now.called ? "true" : "false");
    }
    if (sql.n == 0) return true;
    if (sql.failed) return err_no_memory(e, "a statement");
    return pg_conn_exec(w->t->conn, buf_str(&sql), NULL, e) || err_context(e, "setting sequences");
}

/* As it is read back. */
static bool verify(const setting *w, uint32_t i, err *e)
{
    sequence_result *r = &w->ret[i];
    int64_t next;
    if (r->outcome >= SEQUENCE_ABSENT) return true;
    if (r->outcome == SEQUENCE_SET && decide(w, i) == SEQUENCE_SET && !missed(w, i, SEQUENCE_FAILED, STR("it was used while it was to be set; call again"), e)) return false;
    if (!pg_sequence_next(&w->places[i].now, &next)) return true;
    r->next = arena_printf(w->a, "%lld", (long long)next);
    return r->next.p || err_no_memory(e, "a sequence");
}

static bool set_batch(const setting *w, uint32_t from, uint32_t to, err *e)
{
    bool ok = true;
    for (uint32_t i = from; ok && i < to; i++) ok = name_result(w, i, e);
    ok = ok && find(w, from, to, e) && read_values(w, from, to, e);
    for (uint32_t i = from; ok && i < to; i++) ok = judge(w, i, e);
    ok = ok && set_values(w, from, to, e) && read_values(w, from, to, e);
    for (uint32_t i = from; ok && i < to; i++) ok = verify(w, i, e);
    return ok;
}

bool pg_sequences_set(target *t, const catalog_def *c, const sequence_state *list, uint32_t count, uint64_t margin, arena *a, sequence_result *ret, err *e)
{
    setting w = {.t = t, .c = c, .list = list, .places = arena_array(a, count + 1, sizeof *w.places), .margin = margin, .a = a, .ret = ret};
    bool ok = w.places || err_no_memory(e, "sequences");
    for (uint32_t i = 0; ok && i < count; i++) w.places[i] = (place){.set = false};
    for (uint32_t i = 0; ok && i < count; i += PG_SEQUENCE_BATCH) ok = set_batch(&w, i, i + PG_SEQUENCE_BATCH < count ? i + PG_SEQUENCE_BATCH : count, e);
    return ok;
}
