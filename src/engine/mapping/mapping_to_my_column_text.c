/* Texts, bytes and JSON. MySQL compares LONGTEXT in keys only by a prefix: keyed columns are VARCHAR, as long as the key lets them be. A row has 65535 bytes
 * without its LONGTEXTs: the longest VARCHARs become LONGTEXT. */
#include "engine/mapping/mapping_to_my_column.h"

#include <string.h>

#define TEXT_BYTES 65535u
#define MEDIUMTEXT_BYTES 16777215u
#define KEY_COLUMN_BYTES 40       /* most of a number, time or address in a key or row */
#define POINTER_BYTES 12          /* of a LONGTEXT in a row */
#define VARCHAR_MOST 16383u       /* characters of four bytes in a row */

/* ---- how long ---- */

/* A column of letters or bytes in keys, and the bytes that it asks for; 0: as many as there are. */
static bool has_length(const column_def *c, uint64_t *ret_wish)
{
    const type_def *t = my_base_type(c);
    *ret_wish = 0;
    if (t->kind != 'b') return t->kind != 'e';
    switch (t->type) {
    case COL_CHAR:
    case COL_VARCHAR: *ret_wish = (uint64_t)t->length * MAPPING_MY_BYTES_PER_CHAR; return true;
    case COL_BIT: *ret_wish = t->length; return true;
    case COL_TEXT: case COL_BLOB: case COL_JSON: case COL_OTHER: return true;
    default: return false;
    }
}

/* Bytes for one column of a key: what each asks for, as long as it is not more than its share of what is left. */
static uint64_t share(const table_def *t, const uint32_t *columns, uint32_t count)
{
    uint64_t left = MAPPING_MY_MAX_KEY_BYTES, most = MAPPING_MY_MAX_KEY_BYTES;
    for (bool changed = true; changed;) {
        uint32_t open = 0;
        uint64_t taken = 0, wish;
        for (uint32_t i = 0; i < count; i++) {
            bool lengthy = columns[i] < t->column_count && has_length(&t->columns[columns[i]], &wish);
            if (!lengthy) taken += KEY_COLUMN_BYTES;
            else if (wish && wish <= most) taken += wish;
            else open++;
        }
        uint64_t now = open ? (taken < left ? (left - taken) / open : 0) : most;
        changed = now < most && open;
        most = now;
    }
    return most;
}

/* Bytes that a keyed column may have: the least of its keys. */
static uint32_t keyed_bytes(const my_column_work *c)
{
    const table_def *t = c->w->s;
    uint64_t least = MAPPING_MY_MAX_KEY_BYTES;
    for (uint32_t i = 0; i < t->key_count + t->foreign_key_count; i++) {
        bool foreign = i >= t->key_count;
        const uint32_t *columns = foreign ? t->foreign_keys[i - t->key_count].columns : t->keys[i].columns;
        uint32_t count = foreign ? t->foreign_keys[i - t->key_count].count : t->keys[i].count;
        bool here = false;
        for (uint32_t k = 0; k < count; k++) here = here || columns[k] == c->index;
        uint64_t bytes = here && (foreign || t->keys[i].unique) ? share(t, columns, count) : least;
        if (bytes < least) least = bytes;
    }
    return (uint32_t)least;
}

/* Characters of the longest VARCHAR outside of keys, so that all of the table fit its row. */
static uint32_t varchar_most(const table_def *t)
{
    for (uint32_t limit = VARCHAR_MOST;;) {
        uint64_t bytes = 0;
        uint32_t longest = 0;
        for (uint32_t i = 0; i < t->column_count; i++) {
            const column_def *c = &t->columns[i];
            uint64_t wish;
            if (!c->selected) continue;
            bool lengthy = has_length(c, &wish) && wish, keyed = my_column_key_use(t, i) == MY_KEYED;
            uint32_t chars = lengthy ? (uint32_t)(wish / MAPPING_MY_BYTES_PER_CHAR) : 0;
            if (keyed && has_length(c, &wish)) bytes += lengthy && wish < MAPPING_MY_MAX_KEY_BYTES ? wish + 2 : MAPPING_MY_MAX_KEY_BYTES;
            else if (!lengthy) bytes += KEY_COLUMN_BYTES;
            else if (chars > limit) bytes += POINTER_BYTES;
            else {
                bytes += wish + 2;
                if (chars > longest) longest = chars;
            }
        }
        if (bytes <= MAPPING_MY_MAX_ROW_BYTES || !longest) return limit;
        limit = longest - 1;
    }
}

/* ---- texts ---- */

static bool plan_collation(const my_column_work *c, my_text_kind kind)
{
    const my_state *st = c->w->m->state;
    mapping_choice collation = {0};
    if (kind != MY_CODES && !my_choose(c, RULE_T44, &collation)) return false;
    bool named = str_eq(collation.word, STR("collation"));
    c->t->charset = STR("utf8mb4");
    c->t->collation = kind == MY_LETTERS_NO_CASE ? st->collation_no_case : kind == MY_CODES || c->use != MY_NO_KEY ? st->collation_bytes : st->collation_text;
    if (!named) return true;
    for (size_t i = 0; i < collation.argument.n; i++) {
        char ch = collation.argument.p[i];
        bool known = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_';
        if (!known || !str_starts_with(collation.argument, STR("utf8mb4_")))
            return err_set(c->e, ERR_BAD_INPUT, "sluice.types T44: '%.*s' is no collation of utf8mb4", STR_ARG(collation.argument));
    }
    c->t->collation = collation.argument;
    return c->use != MY_KEYED || str_ends_with(collation.argument, STR("_bin")) ||
           my_find(c, RULE_T44, true, "texts that the chosen collation takes as equal meet in the key", NULL, 0);
}

static bool set_varchar(const my_column_work *c, uint32_t chars, column_convert convert)
{
    c->t->length = chars;
    return my_set_sized(c, COL_VARCHAR, "varchar", chars, convert);
}

static bool set_large_text(const my_column_work *c, const char *name, uint32_t bytes, column_convert convert)
{
    c->t->length = bytes;
    c->detail->most_bytes = bytes == UINT32_MAX ? 0 : bytes;
    return my_set_type(c, COL_TEXT, str_from_c(name), convert);
}

/* T43 by word; *ret_done: it decided. */
static bool plan_chosen(const my_column_work *c, uint32_t chars, column_convert convert, bool *ret_done)
{
    mapping_choice size;
    uint64_t n;
    *ret_done = true;
    if (!my_choose(c, RULE_T43, &size)) return false;
    if (str_eq(size.word, STR("varchar"))) {
        if (!str_to_u64(size.argument, &n) || n < 1 || n > VARCHAR_MOST)
            return err_set(c->e, ERR_BAD_INPUT, "sluice.types T43: varchar has 1 to %u characters, not '%.*s'", VARCHAR_MOST, STR_ARG(size.argument));
        c->detail->most_chars = (uint32_t)n;
        return my_find(c, RULE_T43, true, "longer texts do not fit the chosen VARCHAR", "pg_catalog.char_length(%c::text) > %n", (uint32_t)n) && set_varchar(c, (uint32_t)n, convert);
    }
    bool medium = str_eq(size.word, STR("mediumtext")), small = str_eq(size.word, STR("text"));
    *ret_done = (medium || small) && c->use != MY_KEYED && !chars;
    if (!*ret_done) return true;
    return my_find(c, RULE_T43, true, "longer texts do not fit the chosen type", "pg_catalog.octet_length(%c::text) > %n", medium ? MEDIUMTEXT_BYTES : TEXT_BYTES) &&
           (medium ? set_large_text(c, "mediumtext", MEDIUMTEXT_BYTES, convert) : set_large_text(c, "text", TEXT_BYTES, convert));
}

static bool plan_keyed(const my_column_work *c, mapping_rule r, uint32_t chars, column_convert convert)
{
    uint32_t most = keyed_bytes(c) / MAPPING_MY_BYTES_PER_CHAR;
    if (!most) return err_set(c->e, ERR_NOT_SUPPORTED, "the keys of the column leave no byte for it: an index of InnoDB has %d; select fewer columns or take the key away", MAPPING_MY_MAX_KEY_BYTES);
    if (chars && chars <= most) return set_varchar(c, chars, convert);
    c->detail->most_chars = most;
    return my_find(c, r, true, "a key of MySQL has at most 3072 bytes, so that longer texts do not fit", "pg_catalog.char_length(%c::text) > %n", most) && set_varchar(c, most, convert);
}

/* T67: bytes that no encoding tells. */
static bool plan_unknown_encoding(const my_column_work *c, mapping_rule r, column_convert *convert, bool *ret_done)
{
    my_state *st = c->w->m->state;
    mapping_choice encoding;
    *ret_done = false;
    if (!st->no_encoding) return true;
    if (!my_choose(c, RULE_T67, &encoding)) return false;
    *ret_done = str_eq(encoding.word, STR("bytes"));
    if (*ret_done) return my_plan_bytes(c, r, my_convert_raw);
    if (!encoding.argument.n)
        return err_set(c->e, ERR_NOT_SUPPORTED, "the database is in SQL_ASCII, which does not tell what its letters are; declare it: sluice.types T67: encoding:utf8mb4, "
                                                "encoding:latin1 or another character set of MySQL, or bytes to carry BLOBs");
    if (!*convert) *convert = my_convert_text;
    return charset_find(&st->charsets, encoding.argument, c->w->m->a, &c->detail->charset, c->e);
}

static bool shortens(column_convert convert, const my_column_detail *d) { return convert || d->most_chars || d->most_bytes || d->charset; }

bool my_plan_text(const my_column_work *c, mapping_rule r, my_text_kind kind, uint32_t chars, column_convert convert)
{
    bool done;
    c->detail->rule = r;
    if (kind != MY_CODES && !plan_unknown_encoding(c, r, &convert, &done)) return false;
    if (kind != MY_CODES && done) return true;
    if (!plan_collation(c, kind)) return false;
    if (r == RULE_T43 && !plan_chosen(c, chars, convert, &done)) return false;
    if (r != RULE_T43 || !done) {
        bool ok = c->use == MY_KEYED                             ? plan_keyed(c, r, chars, convert)
                  : chars && chars <= varchar_most(c->w->s) ? set_varchar(c, chars, convert)
                                                                 : set_large_text(c, "longtext", UINT32_MAX, convert);
        if (!ok) return false;
    }
    if (!c->plan->convert && shortens(convert, c->detail)) c->plan->convert = my_convert_text;
    return true;
}

bool my_plan_char(const my_column_work *c, uint32_t chars)
{
    column_convert convert = my_convert_char;
    bool done;
    c->detail->rule = RULE_T66;
    if (!plan_unknown_encoding(c, RULE_T66, &convert, &done) || done) return done;
    if (!plan_collation(c, MY_LETTERS)) return false;
    if (c->use == MY_KEYED && chars * MAPPING_MY_BYTES_PER_CHAR > keyed_bytes(c)) return plan_keyed(c, RULE_T66, chars, convert);
    c->t->length = chars;
    return my_set_sized(c, COL_CHAR, "char", chars, convert);
}

/* ---- bytes ---- */

static bool set_varbinary(const my_column_work *c, mapping_rule r, const char *what, uint32_t bytes, column_convert convert)
{
    c->t->length = bytes;
    c->detail->most_bytes = bytes;
    return my_find(c, r, true, what, "pg_catalog.octet_length(%c) > %n", bytes) && my_set_sized(c, COL_VARBINARY, "varbinary", bytes, convert);
}

bool my_plan_bytes(const my_column_work *c, mapping_rule r, column_convert convert)
{
    mapping_choice size = {0};
    uint64_t n;
    c->detail->rule = r;
    if (r == RULE_T45 && !my_choose(c, RULE_T45, &size)) return false;
    if (size.argument.n) {
        if (!str_to_u64(size.argument, &n) || n < 1 || n > MAPPING_MY_MAX_ROW_BYTES)
            return err_set(c->e, ERR_BAD_INPUT, "sluice.types T45: varbinary has 1 to %d bytes, not '%.*s'", MAPPING_MY_MAX_ROW_BYTES, STR_ARG(size.argument));
        return set_varbinary(c, r, "longer values do not fit the chosen VARBINARY", (uint32_t)n, convert);
    }
    if (c->use == MY_KEYED) return set_varbinary(c, r, "a key of MySQL has at most 3072 bytes, so that longer values do not fit", keyed_bytes(c), convert);
    c->t->length = UINT32_MAX;
    return my_set_type(c, COL_BLOB, STR("longblob"), convert);
}

/* ---- JSON ---- */

static bool find_json_loss(const my_column_work *c, mapping_rule r)
{
    const type_def *t = c->detail->type;
    bool mariadb = c->detail->mariadb;
    if (t->kind == 'a' && !my_find(c, r, true, "lists of JSON count from 1; arrays with other bounds do not fit", "%c::text LIKE '[%'", 0)) return false;
    if (mariadb) return true;
    if (t->type == COL_JSON && str_eq(t->name, STR("json")) &&
        !my_find(c, r, false, "MySQL's JSON keeps the value, not its text: white space, repeated members and the order of members go", NULL, 0))
        return false;
    return my_find_rough(c, r, "numbers with more digits than a double has (in texts they do not count)", "%c::text ~ '[0-9][0-9.]{15,}|[0-9][eE][+-]?[0-9]{2,}'");
}

bool my_plan_json(const my_column_work *c, mapping_rule r)
{
    BUF_AUTO check = BUF_INIT;
    bool text, mariadb = c->detail->mariadb;
    if (!my_chose(c, r, "text", &text)) return false;
    if (c->use == MY_KEYED && !text && !my_find(c, r, false, "keys of MySQL take no JSON: the column becomes a text as PostgreSQL prints it", NULL, 0)) return false;
    if (text || c->use == MY_KEYED) return my_plan_text(c, r, MY_CODES, 0, NULL);
    c->detail->rule = r;
    if (!find_json_loss(c, r)) return false;
    c->t->charset = STR("utf8mb4");
    c->t->collation = STR("utf8mb4_bin");
    c->t->length = UINT32_MAX;
    if (!mariadb) return my_set_type(c, COL_JSON, STR("json"), my_convert_json);
    buf_add_c(&check, "json_valid(");
    my_add_name(&check, c->t->name);
    buf_add_byte(&check, ')');
    c->detail->check_sql = check.failed ? STR_NULL : arena_copy(c->w->m->a, buf_str(&check));
    return my_made(c->detail->check_sql, c->e) && my_set_type(c, COL_TEXT, STR("longtext"), my_convert_json);
}
