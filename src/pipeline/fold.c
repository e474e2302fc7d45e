/* Exact and folded forms of row keys. */
#include "pipeline/fold.h"

#include <string.h>

/* MySQL manual, "Unicode Character Sets" and "Collation Naming Conventions"; MariaDB Knowledge Base, "Supported Character Sets and Collations". */
static fold_kind fold_of_collation(str collation)
{
    static const char *const known[] = {"_general_ci", "_0900_ai_ci", "_0900_as_ci", "_0900_as_cs", "_unicode_ci", "_unicode_520_ci", "latin1_swedish_ci"};
    if (collation.n == 0) return FOLD_LETTERS;
    if (str_ends_with(collation, STR("_bin")) || str_eq(collation, STR("binary"))) return FOLD_PADDED;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_ends_with(collation, str_from_c(known[i]))) {
            /* utf8mb4_lt_0900_ai_ci and the like are made for one language: two underscores before the suffix */
            size_t head = collation.n - strlen(known[i]);
            return str_find_byte((str){collation.p, head}, '_', 0) == SIZE_MAX ? FOLD_CASE : FOLD_LETTERS;
        }
    return FOLD_LETTERS;
}

/* Texts are equal when their bytes are, unless a collation says otherwise: only one that was chosen for the column may be nondeterministic. char(n) ignores
 * spaces at its end; citext and what else compares in ways of its own is COL_OTHER. */
static fold_kind fold_of_postgresql(const column_def *c)
{
    switch (c->type) {
    case COL_SMALLINT: case COL_INT: case COL_BIGINT: case COL_DATE: case COL_DATETIME: case COL_TIMESTAMP: case COL_UUID: case COL_ENUM: case COL_BLOB:
        return FOLD_EXACT;
    case COL_TEXT: case COL_VARCHAR: return c->collation.n ? FOLD_NEVER : FOLD_EXACT;
    case COL_CHAR: return c->collation.n ? FOLD_NEVER : FOLD_PADDED;
    case COL_DECIMAL: return FOLD_NUMBER;
    default: return FOLD_NEVER;
    }
}

static fold_kind fold_of_mysql(const column_def *c)
{
    switch (c->type) {
    case COL_TINYINT: case COL_SMALLINT: case COL_MEDIUMINT: case COL_INT: case COL_BIGINT: case COL_BIT:
    case COL_BINARY: case COL_VARBINARY: case COL_BLOB:
    case COL_DATE: case COL_TIME: case COL_DATETIME: case COL_TIMESTAMP: case COL_YEAR:
    case COL_ENUM: case COL_SET: case COL_UUID: case COL_INET: return FOLD_EXACT;
    case COL_CHAR: case COL_VARCHAR: case COL_TEXT: return fold_of_collation(c->collation);
    case COL_DECIMAL: return FOLD_NUMBER;
    default: return FOLD_NEVER;
    }
}

static fold_kind fold_of_column(const table_def *t, const column_def *c) { return t->sql == SQL_POSTGRESQL ? fold_of_postgresql(c) : fold_of_mysql(c); }

fold_kind fold_of_key(const table_def *t)
{
    if (t->row_key == TABLE_NO_KEY) return FOLD_NEVER;
    const key_def *k = &t->keys[t->row_key];
    fold_kind worst = FOLD_EXACT;
    for (uint32_t i = 0; i < k->count; i++) {
        fold_kind kind = fold_of_column(t, &t->columns[k->columns[i]]);
        if (kind > worst) worst = kind;
    }
    return worst;
}

static void add_exact(buf *b, const val *v)
{
    buf_add_byte(b, (char)v->kind);
    if (val_is_inline(v)) {
        buf_add(b, (str){(const char *)&v->u, sizeof v->u});
        return;
    }
    buf_add(b, (str){(const char *)&v->n, sizeof v->n});
    buf_add(b, val_bytes(v));
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return ((unsigned char)(c | 0x20)) >= 'a' && ((unsigned char)(c | 0x20)) <= 'z'; }

/* Spaces and punctuation are left out: some collations ignore them. Control characters and what is not ASCII cannot be bounded. */
static void add_folded_text(buf *b, str s, fold_kind kind, bool *wild)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((unsigned char)c < 0x20 || (unsigned char)c >= 0x7f) {
            *wild = true;
            return;
        }
        if (is_digit(c)) buf_add_byte(b, c);
        else if (is_letter(c)) buf_add_byte(b, kind == FOLD_CASE ? (char)(c | 0x20) : 'a');
    }
    buf_add_byte(b, 0);
}

static void add_trimmed(buf *b, str s, char trim)
{
    while (s.n && s.p[s.n - 1] == trim) s.n--;
    buf_add(b, (str){(const char *)&s.n, sizeof s.n});
    buf_add(b, s);
}

static void add_folded(buf *b, const val *v, fold_kind kind, bool *wild)
{
    if (val_is_inline(v) || kind == FOLD_EXACT) {
        add_exact(b, v);
    } else if (kind == FOLD_PADDED) {
        add_trimmed(b, val_bytes(v), ' ');
    } else if (kind == FOLD_NUMBER) {
        str s = val_bytes(v);
        if (str_find_byte(s, '.', 0) == SIZE_MAX) {
            add_trimmed(b, s, 0);
        } else {
            while (s.n && s.p[s.n - 1] == '0') s.n--;
            add_trimmed(b, s, '.');
        }
    } else {
        add_folded_text(b, val_bytes(v), kind, wild);
    }
}

bool fold_encode_key(const table_def *t, const val *row, buf *exact, buf *folded, bool *ret_wild)
{
    const key_def *k = &t->keys[t->row_key];
    *ret_wild = false;
    for (uint32_t i = 0; i < k->count; i++) {
        const val *v = &row[k->columns[i]];
        if (v->kind == VAL_ABSENT || v->kind == VAL_UNCHANGED) return false;
        fold_kind kind = fold_of_column(t, &t->columns[k->columns[i]]);
        if (kind == FOLD_NEVER) return false;
        add_exact(exact, v);
        if (folded) add_folded(folded, v, kind, ret_wild);
    }
    return true;
}
