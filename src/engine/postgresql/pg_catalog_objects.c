/* What is selected besides tables, in the order in which it can be made: rows of pg_catalog_objects.def, joined by what pg_depend says. */
#include <string.h>

#include "engine/postgresql/pg_catalog.h"

typedef struct edge edge;

typedef struct node {
    object_def def;
    str id;          /* "class/oid", as the queries name it */
    str relation;    /* id of the table, view or other object that it belongs to, p == NULL for none */
    edge *needs;
    bool is_table, wanted, visited, made;
} node;

struct edge {
    node *to;
    edge *next;
};

typedef struct object_reading {
    pg_catalog_reading *r;
    map by_id;       /* id → node * */
    node **list;     /* in the order of the queries */
    uint32_t count, cap;
    node **stack;
    uint32_t depth;
} object_reading;

static const struct {
    const char *kind;
    bool after_load;
    const char *sql;
} queries[] = {
#define OBJECT(kind, after_load, sql) {kind, after_load, sql},
#include "engine/postgresql/pg_catalog_objects.def"
};

/* --- objects --- */

static bool add_to_list(object_reading *o, node *n)
{
    if (o->count == o->cap) {
        uint32_t cap = o->cap ? o->cap * 2 : 256;
        node **list = arena_array(o->r->a, cap, sizeof(node *));
        if (!list) return false;
        if (o->count) memcpy(list, o->list, o->count * sizeof(node *));
        o->list = list, o->cap = cap;
    }
    o->list[o->count++] = n;
    return map_put(&o->by_id, n->id, n);
}

static bool is_rights(str kind) { return str_starts_with(kind, STR("owner of ")) || str_starts_with(kind, STR("privileges on ")) || str_eq(kind, STR("default privileges")); }

/* Selected for itself; what others need comes by them. */
static bool is_selected(const pg_catalog_reading *r, const node *n)
{
    if (n->is_table) return n->def.table != NULL;
    if (n->relation.p) return false;
    if (str_ends_with(n->def.kind, STR(" schema"))) return true; /* rights: the job makes each that it has something of */
    if (str_eq(n->def.kind, STR("view"))) return dblist_match_view(r->objects, n->def.schema, n->def.name).selected;
    return dblist_whole_database(r->objects, n->def.schema);
}

static bool read_object(object_reading *o, uint32_t query, str schema, const PGresult *res, int row, err *e)
{
    pg_catalog_reading *r = o->r;
    bool ok = true;
    node *n = arena_alloc(r->a, sizeof *n);
    str owner = pg_field(res, row, 4);
    if (!n) return err_no_memory(e, "an object");
    *n = (node){.def = {.kind = str_from_c(queries[query].kind), .after_load = queries[query].after_load}, .id = pg_catalog_cell(r, res, row, 0, &ok)};
    if (ok && map_get(&o->by_id, n->id)) return true; /* an extension, for the second schema */
    int other = PQfnumber(res, "schema"), roles = PQfnumber(res, "roles"), acting = PQfnumber(res, "acting"), belongs = PQfnumber(res, "belongs");
    n->def.schema = other >= 0 ? pg_catalog_cell(r, res, row, other, &ok) : arena_copy(r->a, schema);
    n->def.name = n->def.target_name = pg_catalog_cell(r, res, row, 1, &ok);
    n->def.create_sql = n->def.source_sql = pg_catalog_cell(r, res, row, 2, &ok);
    int text = PQfnumber(res, "source");
    if (text >= 0) n->def.source_sql = pg_catalog_cell(r, res, row, text, &ok);
    n->def.obstacle = pg_catalog_cell(r, res, row, 3, &ok);
    if (!ok || !n->def.schema.p) return err_no_memory(e, "an object");
    if (roles >= 0 && !pg_catalog_lines(r, pg_field(res, row, roles), &n->def.roles, &n->def.role_count, e)) return false;
    if (acting >= 0 && !pg_catalog_lines(r, pg_field(res, row, acting), &n->def.acting, &n->def.acting_count, e)) return false;
    n->def.rights = is_rights(n->def.kind);
    if (n->def.rights && !n->def.source_sql.p) return true; /* what every new object has */
    n->def.target_schema = dblist_has_database(r->objects, n->def.schema) ? arena_copy(r->a, dblist_target_database(r->objects, n->def.schema)) : n->def.schema;
    n->is_table = str_eq(n->def.kind, STR("table"));
    if (owner.p && n->is_table) n->def.table = map_get(&r->by_oid, owner);
    if (owner.p && !n->is_table) n->relation = arena_printf(r->a, "1259/%.*s", STR_ARG(owner));
    if (belongs >= 0) n->relation = pg_catalog_cell(r, res, row, belongs, &ok);
    if (n->def.table) {
        n->def.kind = n->def.table->partition_of.p ? STR("partition") : STR("table");
        n->def.target_schema = n->def.table->target_schema;
        n->def.target_name = n->def.table->target_name;
    }
    n->wanted = is_selected(r, n);
    if (!n->def.target_schema.p || !ok || (owner.p && !n->is_table && !n->relation.p) || !add_to_list(o, n)) return err_no_memory(e, "an object");
    return true;
}

static bool read_objects(object_reading *o, err *e)
{
    for (uint32_t q = 0; q < sizeof queries / sizeof *queries; q++)
        for (uint32_t i = 0; i < o->r->out->database_count; i++) {
            str schema = o->r->out->databases[i].name;
            PGresult *res;
            bool ok = true;
            if (!pg_catalog_query(o->r, queries[q].sql, schema, &res, e)) return err_context(e, "reading each %s of schema %.*s", queries[q].kind, STR_ARG(schema));
            for (int k = 0; ok && k < PQntuples(res); k++) ok = read_object(o, q, schema, res, k, e);
            PQclear(res);
            if (!ok) return false;
        }
    return true;
}

/* --- what needs what --- */

/* Each entry of pg_depend by the object that it is a part of: a default is its table's, an array that of its elements, a member of an extension is the extension.
 * "needs": what it refers to must be there before it is made. Sequences need nothing: who owns them is said afterwards.
 * plpgsql is everywhere. */
#define PARTS                                                                                                                                \
    "WITH RECURSIVE member(c, o, node) AS MATERIALIZED (SELECT classid, objid, '3079/' || refobjid FROM pg_depend WHERE deptype = 'e'), "      \
    "element(oid, base) AS (SELECT t.oid, CASE WHEN t.typoutput = 'array_out'::regproc THEN t.typelem WHEN t.typtype = 'm' THEN "              \
    "(SELECT (to_jsonb(g) ->> 'rngtypid')::oid FROM pg_range g WHERE (to_jsonb(g) ->> 'rngmultitypid')::oid = t.oid) END "                    \
    "FROM pg_type t WHERE t.oid >= 16384), "                                                                                                 \
    "base(oid, base) AS (SELECT a.oid, coalesce(c.base, b.base, a.base, a.oid) FROM element a LEFT JOIN element b ON b.oid = a.base LEFT JOIN element c ON c.oid = b.base), " \
    "own(c, o, node, needs) AS (SELECT 1259::oid, c.oid, '1259/' || coalesce((SELECT d.refobjid FROM pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'i' AND c.relkind = 'S' " \
    "LIMIT 1), c.oid), c.relkind <> 'S' FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.oid >= 16384 "                \
    "UNION ALL SELECT 1259, c.oid, '1247/' || c.reltype, true FROM pg_class c WHERE c.relkind = 'c' AND c.oid >= 16384 "                      \
    "UNION ALL SELECT 1259, i.indexrelid, '1259/' || i.indrelid, false FROM pg_index i WHERE i.indrelid >= 16384 "                            \
    "UNION ALL SELECT 1247, b.oid, CASE WHEN c.relkind <> 'c' THEN '1259/' || c.oid ELSE '1247/' || b.base END, true FROM base b JOIN pg_type t ON t.oid = b.base "  \
    "LEFT JOIN pg_class c ON c.oid = t.typrelid "                                                                                            \
    "UNION ALL SELECT 2604, d.oid, '1259/' || d.adrelid, true FROM pg_attrdef d "                                                            \
    "UNION ALL SELECT 2606, k.oid, CASE WHEN k.conrelid <> 0 THEN '1259/' || k.conrelid ELSE '1247/' || k.contypid END, k.contype = 'c' FROM pg_constraint k WHERE k.contype <> 'f' " \
    "UNION ALL SELECT 2618, r.oid, CASE r.rulename WHEN '_RETURN' THEN '1259/' || r.ev_class ELSE '2618/' || r.oid END, true FROM pg_rewrite r WHERE r.oid >= 16384 " \
    "UNION ALL SELECT 1255, p.oid, coalesce((SELECT '1247/' || d.refobjid FROM pg_depend d WHERE d.classid = 1255 AND d.objid = p.oid AND d.refclassid = 1247 AND d.deptype = 'i' LIMIT 1), " \
    "'1255/' || p.oid), true FROM pg_proc p WHERE p.oid >= 16384 "                                                                           \
    "UNION ALL SELECT DISTINCT d.classid, d.objid, d.classid || '/' || d.objid, true FROM pg_depend d WHERE d.objid >= 16384 AND d.classid NOT IN (1259, 1247, 2604, 2606, 2618, 1255)), " \
    "part(c, o, node, needs) AS MATERIALIZED (SELECT w.c, w.o, coalesce(m.node, w.node), w.needs AND m.node IS NULL FROM own w LEFT JOIN member m ON m.c = w.c AND m.o = w.o " \
    "UNION ALL SELECT m.c, m.o, m.node, false FROM member m WHERE m.o < 16384 OR m.c NOT IN (1259, 1247, 1255)) "
#define NEEDS_SQL                                                                                                                           \
    PARTS "SELECT a.node, b.node, min(pg_describe_object(d.refclassid, d.refobjid, 0)), bool_or(d.refclassid = 2606) FROM pg_depend d JOIN part a ON a.c = d.classid AND a.o = d.objid AND a.needs " \
          "JOIN part b ON b.c = d.refclassid AND b.o = d.refobjid WHERE d.deptype <> 'e' AND a.node <> b.node " \
          "AND b.node IS DISTINCT FROM (SELECT '3079/' || oid FROM pg_extension WHERE extname = 'plpgsql') GROUP BY a.node, b.node ORDER BY a.node, b.node"

static bool add_obstacle(pg_catalog_reading *r, node *n, str text, err *e)
{
    n->def.obstacle = n->def.obstacle.p ? arena_printf(r->a, "%.*s; %.*s", STR_ARG(n->def.obstacle), STR_ARG(text)) : arena_copy(r->a, text);
    return n->def.obstacle.p || err_no_memory(e, "an object");
}

static bool add_need(object_reading *o, const PGresult *res, int row, err *e)
{
    node *from = map_get(&o->by_id, pg_field(res, row, 0)), *to = map_get(&o->by_id, pg_field(res, row, 1));
    if (!from || (from->is_table && !from->def.table)) return true;
    if (!to || (to->is_table && !to->def.table)) {
        BUF_AUTO text = BUF_INIT;
        str what = pg_field(res, row, 2);
        buf_printf(&text, "it needs %.*s, which is not selected", STR_ARG(what));
        return text.failed ? err_no_memory(e, "an object") : add_obstacle(o->r, from, buf_str(&text), e);
    }
    if (!from->is_table && str_eq(pg_field(res, row, 3), STR("t")) && to->is_table) from->def.after_load = true; /* needs a key */
    edge *added = arena_alloc(o->r->a, sizeof *added);
    if (!added) return err_no_memory(e, "an object");
    *added = (edge){to, from->needs};
    from->needs = added;
    return true;
}

static bool read_needs(object_reading *o, err *e)
{
    PGresult *res;
    bool ok = true;
    if (!pg_conn_query(o->r->c, STR(NEEDS_SQL), &res, e)) return err_context(e, "reading what needs what");
    for (int i = 0; ok && i < PQntuples(res); i++) ok = add_need(o, res, i, e);
    PQclear(res);
    return ok;
}

/* --- selection and order --- */

/* Wanted with all that it needs. */
static void want(object_reading *o, node *first)
{
    first->wanted = true;
    first->visited = true;
    o->stack[o->depth++] = first;
    while (o->depth) {
        const node *n = o->stack[--o->depth];
        for (const edge *k = n->needs; k; k = k->next) {
            if (k->to->visited) continue;
            k->to->wanted = k->to->visited = true;
            o->stack[o->depth++] = k->to;
        }
    }
}

/* What belongs to a wanted table or view is wanted; it may need views in turn. */
static void select_nodes(object_reading *o)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (o->list[i]->wanted && !o->list[i]->visited) want(o, o->list[i]);
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < o->count; i++) {
            node *n = o->list[i];
            const node *relation = n->relation.p ? map_get(&o->by_id, n->relation) : NULL;
            if (n->wanted || !relation || !relation->wanted) continue;
            want(o, n);
            more = true;
        }
    }
}

static void put(object_reading *o, node *n)
{
    const node *relation = n->relation.p ? map_get(&o->by_id, n->relation) : NULL;
    if (n->def.rights) {
        n->def.of_kind = !relation ? STR("schema") : relation->is_table ? STR("table") : relation->def.kind;
        n->def.of_name = relation ? relation->def.target_name : n->def.target_schema;
    }
    o->r->out->objects[o->r->out->object_count++] = n->def;
}

/* Depth first, those of one side of the load: what a node needs stands before it. In a cycle one need is passed over: the server then says what it misses. */
static void put_in_order(object_reading *o, node *first, bool after_load)
{
    if (first->made) return;
    first->made = true;
    o->stack[o->depth++] = first;
    while (o->depth) {
        node *n = o->stack[o->depth - 1];
        while (n->needs && (n->needs->to->made || n->needs->to->def.after_load > after_load)) n->needs = n->needs->next;
        if (n->needs) {
            n->needs->to->made = true;
            o->stack[o->depth++] = n->needs->to;
            continue;
        }
        o->depth--;
        if (n->def.after_load == after_load) put(o, n);
    }
}

static bool is_contents(const node *n) { return str_eq(n->def.kind, STR("contents")); }
/* Contents are read through the job's account, which this may take the rows from. */
static bool is_last(const node *n) { return n->def.rights || str_eq(n->def.kind, STR("forced row security")); }

/* What needs something that is made behind the load is made there, too; a table cannot. */
static void move_behind_load(object_reading *o)
{
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < o->count; i++) {
            node *n = o->list[i];
            if (n->is_table || n->def.after_load) continue;
            for (const edge *k = n->needs; k && !n->def.after_load; k = k->next) n->def.after_load = k->to->def.after_load;
            more |= n->def.after_load;
        }
    }
}

/* What needs something that is not made cannot be made either; a table is tried all the same, as the destination may have it. */
static bool pass_on_obstacles(object_reading *o, err *e)
{
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < o->count; i++) {
            node *n = o->list[i];
            if (!n->wanted || n->is_table || !n->def.create_sql.p) continue;
            const node *relation = n->relation.p ? map_get(&o->by_id, n->relation) : NULL, *missing = relation && !relation->is_table && !relation->def.create_sql.p ? relation : NULL;
            for (const edge *k = n->needs; k && !missing; k = k->next)
                if (!k->to->is_table && !k->to->def.create_sql.p) missing = k->to;
            if (!missing) continue;
            BUF_AUTO text = BUF_INIT;
            buf_printf(&text, "it needs %.*s %.*s, which is not carried", STR_ARG(missing->def.kind), STR_ARG(missing->def.name));
            if (text.failed) return err_no_memory(e, "an object");
            n->def.create_sql = STR_NULL;
            more = true;
            if (!add_obstacle(o->r, n, buf_str(&text), e)) return false;
        }
    }
    return true;
}

/* The job gives another name to it, or to a part of it. */
static bool is_renamed(const node *n)
{
    const table_def *t = n->def.table;
    if (!str_eq(n->def.schema, n->def.target_schema) || !str_eq(n->def.name, n->def.target_name)) return true;
    for (uint32_t k = 0; t && k < t->column_count; k++)
        if (!t->columns[k].selected || !str_eq(t->columns[k].name, t->columns[k].target_name)) return true;
    return false;
}

/* Texts about sequences are written anew. ret: this was one. */
static bool rename_text(object_reading *o, node *n, const node *relation, bool *ret, err *e)
{
    *ret = true;
    if (str_eq(n->def.kind, STR("sequence"))) return !is_renamed(n) || pg_catalog_rename_sequence(o->r->out, &n->def, o->r->a, e);
    if (str_eq(n->def.kind, STR("sequence owner")) && relation && relation->def.table)
        return (!is_renamed(n) && !is_renamed(relation)) || pg_catalog_rename_owner(relation->def.table, &n->def, o->r->a, e);
    *ret = false;
    return true;
}

/* A text names what it needs as the source does. What the body of a function names is known to nobody. */
static bool refuse_texts(object_reading *o, err *e)
{
    bool any = false;
    for (uint32_t i = 0; i < o->count; i++) any |= o->list[i]->wanted && is_renamed(o->list[i]);
    for (uint32_t i = 0; any && i < o->count; i++) {
        node *n = o->list[i];
        if (!n->def.create_sql.p || str_eq(n->def.kind, STR("extension"))) continue;
        const node *relation = n->relation.p ? map_get(&o->by_id, n->relation) : NULL;
        bool rewritten;
        if (!rename_text(o, n, relation, &rewritten, e)) return false;
        if (rewritten) continue;
        bool refused = is_renamed(n) || (relation && is_renamed(relation));
        for (const edge *k = n->needs; k && !refused; k = k->next) refused = is_renamed(k->to);
        if (!refused && !str_eq(n->def.kind, STR("function"))) continue;
        if (refused) n->def.create_sql = STR_NULL;
        if (!add_obstacle(o->r, n, refused ? STR("its text is in the source's names, and the job renames or leaves out some") : STR("its body may name what the job renames or leaves out"), e))
            return false;
    }
    return true;
}

static bool order_nodes(object_reading *o, err *e)
{
    catalog_def *c = o->r->out;
    c->objects = arena_array(o->r->a, o->count, sizeof *c->objects);
    if (!c->objects) return err_no_memory(e, "objects");
    move_behind_load(o);
    for (int behind = 0; behind <= 1; behind++)
        for (uint32_t i = 0; i < o->count; i++)
            if (o->list[i]->wanted && o->list[i]->def.after_load == behind && !is_contents(o->list[i]) && !is_last(o->list[i])) put_in_order(o, o->list[i], behind);
    uint32_t before = c->object_count;
    for (uint32_t i = 0; i < before; i++) /* contents in the order of their views */
        for (uint32_t k = o->count; k-- && str_eq(c->objects[i].kind, STR("view")) && is_contents(o->list[k]);)
            if (o->list[k]->wanted && str_eq(o->list[k]->def.name, c->objects[i].name) && str_eq(o->list[k]->def.schema, c->objects[i].schema)) put(o, o->list[k]);
    for (uint32_t i = 0; i < o->count; i++)
        if (o->list[i]->wanted && is_last(o->list[i])) put(o, o->list[i]);
    return true;
}

bool pg_catalog_read_objects(pg_catalog_reading *r, err *e)
{
    object_reading o = {.r = r, .by_id = MAP_INIT};
    bool ok = read_objects(&o, e) && read_needs(&o, e);
    o.stack = ok ? arena_array(r->a, (size_t)o.count + 1, sizeof(node *)) : NULL;
    if (ok && !o.stack) ok = err_no_memory(e, "objects");
    if (ok) select_nodes(&o);
    ok = ok && refuse_texts(&o, e) && pass_on_obstacles(&o, e) && order_nodes(&o, e);
    map_finish(&o.by_id);
    return ok;
}
