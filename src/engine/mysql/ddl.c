/* SHOW CREATE TABLE taken apart: columns, keys, foreign keys, checks, options. */
#include "engine/mysql/ddl.h"

#include <string.h>

/* The reader's place: one token of look-ahead. */
typedef struct reader {
    ddl_lexer lexer;
    ddl_token now;
    size_t last_end; /* where the token before `now` ended */
    arena *a;
    bool failed;
} reader;

static void advance(reader *r)
{
    r->last_end = r->now.end;
    r->now = ddl_next(&r->lexer);
    if (r->now.kind == DDL_BAD) r->failed = true;
}

static bool take_word(reader *r, const char *word)
{
    if (!ddl_is_word(r->now, word)) return false;
    advance(r);
    return true;
}

static bool take_punct(reader *r, char c)
{
    if (!ddl_is_punct(r->now, c)) return false;
    advance(r);
    return true;
}

static void expect_punct(reader *r, char c)
{
    if (!take_punct(r, c)) r->failed = true;
}

static str from(const reader *r, size_t start) { return str_sub(r->lexer.text, start, r->last_end > start ? r->last_end - start : 0); }

static str take_name(reader *r)
{
    str s = STR_NULL;
    if (r->now.kind == DDL_NAME || r->now.kind == DDL_WORD) s = ddl_unquote_name(r->a, r->now);
    if (!s.p) r->failed = true;
    advance(r);
    return s;
}

static str take_text(reader *r)
{
    str s = r->now.text;
    if (r->now.kind == DDL_END) r->failed = true;
    advance(r);
    return s;
}

/* A balanced group, with its parentheses. */
static str take_group(reader *r)
{
    size_t start = r->now.start;
    uint32_t depth = 0;
    if (!ddl_is_punct(r->now, '(')) r->failed = true;
    while (!r->failed) {
        if (ddl_is_punct(r->now, '(')) depth++;
        bool close = ddl_is_punct(r->now, ')');
        if (r->now.kind == DDL_END) r->failed = true;
        advance(r);
        if (close && --depth == 0) break;
    }
    return r->failed ? STR_NULL : from(r, start);
}

static bool in_list(ddl_token t, const char *const *words)
{
    for (; *words; words++)
        if (ddl_is_word(t, *words)) return true;
    return false;
}

/* An expression without parentheses around it ends at a word that starts the next attribute. */
static str take_expression(reader *r)
{
    static const char *const stops[] = {"ON", "COMMENT", "AUTO_INCREMENT", "CHECK", "CONSTRAINT", "INVISIBLE", "COLUMN_FORMAT", "STORAGE", "GENERATED",
                                        "WITH", "WITHOUT", "SRID", "REF_SYSTEM_ID", "NOT", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", NULL};
    size_t start = r->now.start;
    while (!r->failed && r->now.kind != DDL_END && !ddl_is_punct(r->now, ',') && !ddl_is_punct(r->now, ')') && !in_list(r->now, stops)) {
        if (ddl_is_punct(r->now, '('))
            take_group(r);
        else
            advance(r);
    }
    str s = from(r, start);
    if (!s.n) r->failed = true;
    return s;
}

static bool at_element_end(const reader *r) { return r->failed || r->now.kind == DDL_END || ddl_is_punct(r->now, ',') || ddl_is_punct(r->now, ')'); }

/* Passes over what is left of an element and returns its first token. */
static str take_unknown(reader *r)
{
    str first = r->now.text;
    while (!at_element_end(r)) {
        if (ddl_is_punct(r->now, '('))
            take_group(r);
        else
            advance(r);
    }
    return first;
}

static void read_type(reader *r, ddl_column *c)
{
    size_t start = r->now.start;
    c->type_word = take_text(r);
    if (ddl_is_word(r->now, "precision") || ddl_is_word(r->now, "varying")) advance(r);
    if (ddl_is_punct(r->now, '(')) {
        str g = take_group(r);
        if (g.n >= 2) c->type_group = str_sub(g, 1, g.n - 2);
    }
    for (;;) {
        if (take_word(r, "unsigned"))
            c->is_unsigned = true;
        else if (take_word(r, "zerofill"))
            c->zerofill = c->is_unsigned = true;
        else if (!take_word(r, "signed"))
            break;
    }
    c->type = from(r, start);
}

static void read_generated(reader *r, ddl_column *c)
{
    take_word(r, "ALWAYS");
    if (!take_word(r, "AS")) r->failed = true;
    if (!ddl_is_punct(r->now, '(')) { /* AS ROW START: system versioning */
        c->unknown = take_unknown(r);
        return;
    }
    c->generated = true;
    c->generation_sql = take_group(r);
    if (take_word(r, "STORED") || take_word(r, "PERSISTENT"))
        c->stored = true;
    else
        take_word(r, "VIRTUAL");
}

static void read_attribute(reader *r, ddl_column *c)
{
    if (take_word(r, "CHARACTER")) {
        take_word(r, "SET");
        c->charset = take_text(r);
    } else if (take_word(r, "COLLATE")) {
        c->collation = take_text(r);
    } else if (take_word(r, "GENERATED")) {
        read_generated(r, c);
    } else if (take_word(r, "NOT")) {
        c->not_null = take_word(r, "NULL");
    } else if (take_word(r, "NULL")) {
        c->null = true;
    } else if (take_word(r, "DEFAULT")) {
        c->default_sql = take_expression(r);
    } else if (take_word(r, "ON")) {
        take_word(r, "UPDATE");
        c->on_update_sql = take_expression(r);
    } else if (take_word(r, "AUTO_INCREMENT")) {
        c->auto_increment = true;
    } else if (take_word(r, "COMMENT")) {
        c->comment_sql = take_text(r);
    } else if (take_word(r, "INVISIBLE")) {
        c->invisible = true;
    } else if (take_word(r, "COMPRESSED")) {
        c->compressed = true;
    } else if (take_word(r, "CHECK")) {
        c->check_sql = take_group(r);
    } else if (take_word(r, "SRID")) {
        c->srid = take_text(r);
    } else if (take_word(r, "REF_SYSTEM_ID")) {
        expect_punct(r, '=');
        c->srid = take_text(r);
    } else if (take_word(r, "COLUMN_FORMAT") || take_word(r, "STORAGE")) {
        advance(r);
    } else {
        c->unknown = take_unknown(r);
    }
}

static void read_column(reader *r, ddl_column *c)
{
    *c = (ddl_column){.name = take_name(r)};
    read_type(r, c);
    while (!at_element_end(r)) read_attribute(r, c);
}

/* Parts of the group at the reader's place, by the commas directly inside it. */
static uint32_t count_parts(const reader *r)
{
    reader probe = *r;
    uint32_t depth = 0, n = 1;
    do {
        if (ddl_is_punct(probe.now, '(')) depth++;
        if (ddl_is_punct(probe.now, ')')) depth--;
        if (ddl_is_punct(probe.now, ',') && depth == 1) n++;
        advance(&probe);
    } while (depth && !probe.failed && probe.now.kind != DDL_END);
    return n;
}

static void read_part(reader *r, ddl_part *p)
{
    if (ddl_is_punct(r->now, '(')) {
        p->expression = take_group(r);
    } else {
        p->column = take_name(r);
        if (take_punct(r, '(')) {
            uint64_t n = 0;
            if (!str_to_u64(take_text(r), &n) || n > UINT32_MAX) r->failed = true;
            p->prefix = (uint32_t)n;
            expect_punct(r, ')');
        }
    }
    if (take_word(r, "DESC"))
        p->descending = true;
    else
        take_word(r, "ASC");
}

static void read_key_parts(reader *r, ddl_key *k)
{
    uint32_t cap = count_parts(r);
    k->parts = arena_array(r->a, cap, sizeof *k->parts);
    if (!k->parts) r->failed = true;
    expect_punct(r, '(');
    while (!r->failed && k->count < cap) {
        read_part(r, &k->parts[k->count++]);
        if (!take_punct(r, ',')) break;
    }
    expect_punct(r, ')');
}

static void read_key(reader *r, ddl_key_kind kind, size_t start, ddl_key *k)
{
    *k = (ddl_key){.kind = kind};
    if (!take_word(r, "KEY")) take_word(r, "INDEX");
    if (kind == DDL_PRIMARY)
        k->name = STR("PRIMARY");
    else
        k->name = take_name(r);
    read_key_parts(r, k);
    while (!at_element_end(r)) {
        if (take_word(r, "USING"))
            k->hash = ddl_is_word(r->now, "HASH"), advance(r);
        else if (take_word(r, "COMMENT"))
            k->comment_sql = take_text(r);
        else if (take_word(r, "INVISIBLE") || take_word(r, "IGNORED"))
            k->invisible = true;
        else if (take_word(r, "VISIBLE") || take_word(r, "NOT"))
            take_word(r, "IGNORED");
        else if (take_word(r, "WITH"))
            take_word(r, "PARSER"), k->parser = take_name(r);
        else if (take_word(r, "KEY_BLOCK_SIZE"))
            take_punct(r, '='), advance(r);
        else
            k->unknown = take_unknown(r);
    }
    k->text = from(r, start);
}

static str *read_names(reader *r, uint32_t *ret_count)
{
    uint32_t cap = count_parts(r), n = 0;
    str *names = arena_array(r->a, cap, sizeof *names);
    if (!names) r->failed = true;
    expect_punct(r, '(');
    while (!r->failed && n < cap) {
        names[n++] = take_name(r);
        if (!take_punct(r, ',')) break;
    }
    expect_punct(r, ')');
    *ret_count = n;
    return names;
}

static str read_action(reader *r)
{
    static const char *const actions[] = {"CASCADE", "RESTRICT", NULL};
    for (const char *const *w = actions; *w; w++)
        if (take_word(r, *w)) return str_from_c(*w);
    if (take_word(r, "NO")) return take_word(r, "ACTION"), STR("NO ACTION");
    if (take_word(r, "SET")) {
        if (take_word(r, "NULL")) return STR("SET NULL");
        if (take_word(r, "DEFAULT")) return STR("SET DEFAULT");
    }
    r->failed = true;
    return STR_NULL;
}

static void read_foreign_key(reader *r, str name, ddl_foreign_key *f)
{
    *f = (ddl_foreign_key){.name = name, .on_delete = STR("RESTRICT"), .on_update = STR("RESTRICT")};
    if (!take_word(r, "KEY")) r->failed = true;
    if (!ddl_is_punct(r->now, '(')) take_name(r);
    uint32_t parents = 0;
    f->columns = read_names(r, &f->count);
    if (!take_word(r, "REFERENCES")) r->failed = true;
    f->parent_table = take_name(r);
    if (take_punct(r, '.')) {
        f->parent_schema = f->parent_table;
        f->parent_table = take_name(r);
    }
    f->parent_columns = read_names(r, &parents);
    if (parents != f->count) r->failed = true;
    while (!at_element_end(r)) {
        if (!take_word(r, "ON")) r->failed = true;
        if (take_word(r, "DELETE"))
            f->on_delete = read_action(r);
        else if (take_word(r, "UPDATE"))
            f->on_update = read_action(r);
        else
            r->failed = true;
    }
}

static void read_check(reader *r, str name, ddl_check *c)
{
    *c = (ddl_check){.name = name, .expression = take_group(r)};
    if (take_word(r, "NOT")) c->not_enforced = take_word(r, "ENFORCED");
}

static void read_element(reader *r, ddl_table *t)
{
    size_t start = r->now.start;
    if (r->now.kind == DDL_NAME) {
        read_column(r, &t->columns[t->column_count++]);
        return;
    }
    str name = STR_NULL;
    if (take_word(r, "CONSTRAINT") && r->now.kind == DDL_NAME) name = take_name(r);
    if (take_word(r, "PRIMARY"))
        read_key(r, DDL_PRIMARY, start, &t->keys[t->key_count++]);
    else if (take_word(r, "UNIQUE"))
        read_key(r, DDL_UNIQUE, start, &t->keys[t->key_count++]);
    else if (take_word(r, "FULLTEXT"))
        read_key(r, DDL_FULLTEXT, start, &t->keys[t->key_count++]);
    else if (take_word(r, "SPATIAL"))
        read_key(r, DDL_SPATIAL, start, &t->keys[t->key_count++]);
    else if (take_word(r, "VECTOR"))
        read_key(r, DDL_VECTOR, start, &t->keys[t->key_count++]);
    else if (ddl_is_word(r->now, "KEY") || ddl_is_word(r->now, "INDEX"))
        read_key(r, DDL_PLAIN, start, &t->keys[t->key_count++]);
    else if (take_word(r, "FOREIGN"))
        read_foreign_key(r, name, &t->foreign_keys[t->foreign_key_count++]);
    else if (take_word(r, "CHECK"))
        read_check(r, name, &t->checks[t->check_count++]);
    else
        t->unknown = take_unknown(r);
}

/* Options that neither change what the table means nor how its data is kept safe. */
static const char *const harmless[] = {"DEFAULT", "AVG_ROW_LENGTH", "CHECKSUM", "TABLE_CHECKSUM", "DELAY_KEY_WRITE", "INSERT_METHOD", "MAX_ROWS", "MIN_ROWS",
                                       "PACK_KEYS", "STATS_AUTO_RECALC", "STATS_PERSISTENT", "STATS_SAMPLE_PAGES", "PAGE_CHECKSUM", "TRANSACTIONAL",
                                       "SEQUENCE", "AUTOEXTEND_SIZE", NULL};

static void read_option(reader *r, ddl_table *t)
{
    if (take_word(r, "DEFAULT")) return;
    if (take_word(r, "WITH")) {
        if (take_word(r, "SYSTEM")) t->versioned = take_word(r, "VERSIONING");
        return;
    }
    ddl_token key = r->now;
    str key_name = take_name(r);
    if (take_word(r, "DIRECTORY")) key_name = STR("DATA DIRECTORY");
    take_punct(r, '=');
    str value = ddl_is_punct(r->now, '(') ? take_group(r) : take_text(r);
    key.text = key_name;
    key.kind = DDL_WORD;
    if (ddl_is_word(key, "ENGINE"))
        t->engine = value;
    else if (ddl_is_word(key, "CHARSET"))
        t->charset = value;
    else if (ddl_is_word(key, "COLLATE"))
        t->collation = value;
    else if (ddl_is_word(key, "AUTO_INCREMENT"))
        t->auto_increment = value;
    else if (ddl_is_word(key, "COMMENT"))
        t->comment_sql = value;
    else if (ddl_is_word(key, "ROW_FORMAT"))
        t->row_format = value;
    else if (ddl_is_word(key, "KEY_BLOCK_SIZE"))
        t->key_block_size = value;
    else if (!in_list(key, harmless) && !t->physical.p)
        t->physical = key_name;
}

bool ddl_parse_table(str create_sql, arena *a, ddl_table *ret, err *e)
{
    if (create_sql.n > DDL_MAX_BYTES) return err_set(e, ERR_LIMIT, "a table definition of %zu bytes is larger than %u", create_sql.n, DDL_MAX_BYTES);
    reader r = {.lexer = {.text = create_sql}, .a = a};
    advance(&r);
    if (!take_word(&r, "CREATE")) r.failed = true;
    if (!take_word(&r, "TABLE")) r.failed = true;
    str name = take_name(&r);
    if (take_punct(&r, '.')) name = take_name(&r);
    ddl_table t = {0};
    uint32_t cap = r.failed || !ddl_is_punct(r.now, '(') ? 0 : count_parts(&r);
    t.columns = arena_array(a, cap, sizeof *t.columns);
    t.keys = arena_array(a, cap, sizeof *t.keys);
    t.foreign_keys = arena_array(a, cap, sizeof *t.foreign_keys);
    t.checks = arena_array(a, cap, sizeof *t.checks);
    if (!t.columns || !t.keys || !t.foreign_keys || !t.checks) return err_no_memory(e, "a table definition");
    expect_punct(&r, '(');
    for (uint32_t i = 0; i < cap && !r.failed; i++) {
        read_element(&r, &t);
        if (!take_punct(&r, ',')) break;
    }
    expect_punct(&r, ')');
    while (!r.failed && r.now.kind != DDL_END && !ddl_is_word(r.now, "PARTITION")) {
        if (!take_punct(&r, ',')) read_option(&r, &t);
    }
    if (!r.failed && r.now.kind != DDL_END) {
        size_t start = r.now.start;
        while (r.now.kind != DDL_END && !r.failed) advance(&r);
        t.partition = from(&r, start);
    }
    if (r.failed)
        return err_set(e, ERR_NOT_SUPPORTED, "the definition of table %.*s has an unknown form near '%.*s'", STR_ARG(name),
                       STR_ARG(str_sub(create_sql, r.last_end, 60)));
    *ret = t;
    return true;
}
