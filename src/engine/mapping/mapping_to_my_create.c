/* The text of CREATE TABLE in the form of SHOW CREATE TABLE, which engine/mysql takes apart. */
#include "engine/mapping/mapping_to_my.h"

/* As much of a comment as the servers take (MySQL manual, CREATE TABLE); the rest is told. */
static void add_comment(const my_work *w, const column_def *c, str comment, size_t most_chars, const char *word, buf *out)
{
    size_t chars = 0, n = 0;
    for (; n < comment.n; n++) {
        if (((uint8_t)comment.p[n] & 0xc0) == 0x80) continue;
        if (chars++ == most_chars) break;
    }
    if (n < comment.n) mapping_find(w->m, w->s, c, RULE_COUNT, (mapping_finding){.what = STR("the comment is cut: MySQL takes 1024 characters for a column, 2048 for a table")});
    if (!comment.n) return;
    buf_add_c(out, word);
    my_add_literal(out, str_sub(comment, 0, n));
}

void my_add_type(const column_def *c, buf *out)
{
    buf_add(out, c->native_type);
    if (c->charset.n && c->type != COL_JSON) buf_printf(out, " CHARACTER SET %.*s COLLATE %.*s", STR_ARG(c->charset), STR_ARG(c->collation));
}

static void add_column(const my_work *w, uint32_t i, buf *out)
{
    enum { COMMENT_CHARS = 1024 };
    const column_def *c = &w->t->columns[i];
    const my_column_detail *d = w->details[i];
    buf_add_c(out, "\n  ");
    my_add_name(out, c->name);
    if (!c->selected) { /* never made, but counted */
        buf_add_c(out, " int");
        return;
    }
    buf_add_byte(out, ' ');
    my_add_type(c, out);
    if (c->generated) {
        buf_printf(out, " GENERATED ALWAYS AS (%.*s) STORED", STR_ARG(c->generation_sql));
        return;
    }
    buf_add_c(out, c->nullable ? (c->type == COL_TIMESTAMP ? " NULL" : "") : " NOT NULL");
    if (d->srid) buf_printf(out, " /*!80003 SRID %u */", d->srid);
    if (c->default_sql.p) buf_printf(out, " DEFAULT %.*s", STR_ARG(c->default_sql));
    else if (c->nullable) buf_add_c(out, " DEFAULT NULL");
    if (c->auto_increment) buf_add_c(out, " AUTO_INCREMENT");
    add_comment(w, &w->s->columns[i], c->comment, COMMENT_CHARS, " COMMENT ", out);
    if (d->check_sql.p) buf_printf(out, " CHECK (%.*s)", STR_ARG(d->check_sql));
}

static void add_checks(const my_work *w, buf *out)
{
    for (uint32_t i = 0; i < w->t->check_count; i++) {
        buf_add_c(out, ",\n  CONSTRAINT ");
        my_add_name(out, w->t->checks[i].name);
        buf_printf(out, " CHECK %.*s", STR_ARG(w->t->checks[i].condition_sql));
    }
}

bool my_write_create(const my_work *w, err *e)
{
    enum { COMMENT_CHARS = 2048 };
    BUF_AUTO out = BUF_INIT;
    table_def *t = w->t;
    buf_add_c(&out, "CREATE TABLE ");
    my_add_name(&out, t->name);
    buf_add_c(&out, " (");
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (i) buf_add_byte(&out, ',');
        add_column(w, i, &out);
    }
    for (uint32_t i = 0; i < t->key_count; i++) {
        buf_add_c(&out, ",\n  ");
        buf_add(&out, t->keys[i].definition_sql);
    }
    add_checks(w, &out);
    buf_printf(&out, "\n) ENGINE=InnoDB DEFAULT CHARSET=%.*s COLLATE=%.*s", STR_ARG(t->charset), STR_ARG(t->collation));
    add_comment(w, NULL, t->comment, COMMENT_CHARS, " COMMENT=", &out);
    t->create_sql = out.failed ? STR_NULL : arena_copy(w->m->a, buf_str(&out));
    return my_made(t->create_sql, e);
}
