/* One column of the direction PostgreSQL to MySQL at work: what the files that plan types share. */
#ifndef ENGINE_MAPPING_MAPPING_TO_MY_COLUMN_H
#define ENGINE_MAPPING_MAPPING_TO_MY_COLUMN_H

#include "engine/mapping/mapping_to_my.h"

typedef struct my_column_work {
    const my_work *w;
    uint32_t index;
    const column_def *s;
    column_def *t;
    column_plan *plan;
    my_column_detail *detail;
    my_key_use use;
    err *e;
} my_column_work;

/* mapping_to_my_column.c */
ERR_MUST_USE bool my_choose(const my_column_work *c, mapping_rule r, mapping_choice *ret);
ERR_MUST_USE bool my_chose(const my_column_work *c, mapping_rule r, const char *word, bool *ret);
/* A finding whose condition, in PostgreSQL's SQL, is a format with the quoted source column for each "%c" and n for each "%n"; NULL: every row. */
ERR_MUST_USE bool my_find(const my_column_work *c, mapping_rule r, bool fails, const char *what, const char *condition, uint32_t n);
/* The same with a condition that holds for rows that are fine as well. */
ERR_MUST_USE bool my_find_rough(const my_column_work *c, mapping_rule r, const char *what, const char *condition);
ERR_MUST_USE bool my_set_type(const my_column_work *c, col_type type, str native, column_convert convert);
ERR_MUST_USE bool my_set_sized(const my_column_work *c, col_type type, const char *name, uint32_t n, column_convert convert);

/* mapping_to_my_column_text.c: texts, bytes and JSON, which keys and the size of a row make shorter. */
/* A text type of at most `chars` characters (0: any number); rule: of the choices that help when it is too long. Texts of letters are compared by letters outside
 * of keys (T44), others (numbers, addresses, lists) by bytes. */
typedef enum my_text_kind { MY_LETTERS, MY_LETTERS_NO_CASE, MY_CODES } my_text_kind;
ERR_MUST_USE bool my_plan_text(const my_column_work *c, mapping_rule r, my_text_kind kind, uint32_t chars, column_convert convert);
/* CHAR(n) of letters, n <= 255. */
ERR_MUST_USE bool my_plan_char(const my_column_work *c, uint32_t chars);
ERR_MUST_USE bool my_plan_bytes(const my_column_work *c, mapping_rule r, column_convert convert);
/* JSON by the choice in r; its text in keys, which take no JSON. */
ERR_MUST_USE bool my_plan_json(const my_column_work *c, mapping_rule r);

#endif
