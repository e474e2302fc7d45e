/* The mapping as it is planned, and what its two directions (mapping_to_pg_*.c, mapping_to_my_*.c) share. Everything lives in the arena of mapping_make. */
#ifndef ENGINE_MAPPING_MAPPING_PLAN_H
#define ENGINE_MAPPING_MAPPING_PLAN_H

#include "engine/mapping/mapping.h"

/* Rows of mapping_rules.def. */
typedef enum mapping_rule {
#define MAPPING_RULE(name, words, meaning) RULE_##name,
#include "engine/mapping/mapping_rules.def"
#undef MAPPING_RULE
    RULE_COUNT
} mapping_rule;

/* Why a value cannot be carried; set with mapping_trouble_set. */
typedef struct mapping_trouble {
    mapping_rule rule;
    str what; /* names the value: "'2020-00-10' is no date of PostgreSQL"; p == NULL: no memory */
} mapping_trouble;

typedef struct column_plan column_plan;

/* Rewrites a value of the source into the target's form, in place; new texts in `mem`. Never called for NULL, UNCHANGED and ABSENT; may make a NULL. Called
 * from several threads at once: the plan is only read. False with *t set. */
typedef bool (*column_convert)(const column_plan *p, arena *mem, val *v, mapping_trouble *t);

struct column_plan {
    column_convert convert; /* NULL: values stay as they are */
    const column_def *source;
    column_def *target;
    const void *detail;     /* the convert function's own */
};

typedef struct table_plan {
    const table_def *source;
    table_def *target;
    column_plan *columns;   /* source->column_count */
    uint32_t *active;       /* indexes of the columns that have a convert function */
    uint32_t active_count;
} table_plan;

struct mapping {
    catalog_def *catalog;   /* the target's */
    const table_plan *tables; /* by id; NULL: rows pass through untouched */
    const struct mapping_direction *direction;
};

/* mapping_make at work. */
typedef struct mapping_maker {
    catalog_def *source, *target;
    const mapping_options *options;
    const mapping_findings *findings;   /* NULL: nobody wants them */
    arena *a;
    table_plan *tables;                 /* by id */
    void *state;                        /* the direction's own, from begin */
    bool asked_column[RULE_COUNT];      /* rules whose choice was looked up since the last mapping_check_choices of a column */
    bool (*asked_table)[RULE_COUNT];    /* by table id: rules that were looked up for the table and its columns */
} mapping_maker;

/* One direction. begin: before the first table. plan_table: fills the columns of p and of p->target, which begins with the source's names, selection and
 * estimates and nothing else; in the order of ids. finish: what needs all tables (foreign keys, names that meet, objects of m->target). alter: a type or a new
 * column in the target's SQL; was: the target's column before, for a type; *ret_same: the target's type stays. NULL: sources of the family tell no such changes. */
typedef struct mapping_direction {
    bool (*begin)(mapping_maker *m, err *e);
    bool (*plan_table)(mapping_maker *m, table_plan *p, err *e);
    bool (*finish)(mapping_maker *m, err *e);
    bool (*alter)(const column_plan *to, const column_def *was, column_alter *x, arena *a, bool *ret_same, err *e);
} mapping_direction;

extern const mapping_direction mapping_to_pg, mapping_to_my;

/* ---- what the user chose: mapping_choice.c ---- */

typedef struct mapping_choice {
    str word;     /* one of the rule's words, without the ':' */
    str argument; /* what follows the ':', empty without one */
} mapping_choice;

/* Both are empty for RULE_COUNT, which stands for no rule. */
str mapping_rule_name(mapping_rule r);
/* "error|null|sentinel:|text", empty when there is nothing to choose. */
str mapping_rule_words(mapping_rule r);
/* The choice in a rule by "schema.table.column" (c not NULL), "schema.table" and the rule's name, else the default. A column's or table's choice is a list,
 * "T9=strip,T8=replace"; a bare word stands for the rule that knows it. ERR_BAD_INPUT names key and words. */
ERR_MUST_USE bool mapping_choose(mapping_maker *m, const table_def *t, const column_def *c, mapping_rule r, mapping_choice *ret, err *e);
/* "sentinel:1970-01-01": the choice as mapping_choose finds it, for a report: it does not count as asked. Empty for a rule without words or without memory. */
str mapping_choice_text(mapping_maker *m, const table_def *t, const column_def *c, mapping_rule r);
/* The same for a question of yes and no: was `word` chosen? */
ERR_MUST_USE bool mapping_chose(mapping_maker *m, const table_def *t, const column_def *c, mapping_rule r, const char *word, bool *ret, err *e);
/* After the last mapping_choose of a column: each part of its own list must have had an effect and only one meaning. mapping.c asks the same about each table
 * (c NULL) at the end. */
ERR_MUST_USE bool mapping_check_choices(mapping_maker *m, const table_def *t, const column_def *c, err *e);

/* ---- reports: mapping_report.c ---- */

/* Tells a finding of a rule; a missing text may be STR_NULL. options is filled from the rule's words, choice from the job. */
void mapping_find(mapping_maker *m, const table_def *t, const column_def *c, mapping_rule r, mapping_finding f);
/* How to choose: "sluice.types T15: error, null, sentinel:... or text"; into text. Nothing when the rule has no words. */
void mapping_add_advice(mapping_rule r, buf *text);
/* Sets the trouble, its text in mem. Returns false. */
bool mapping_trouble_set(mapping_trouble *t, mapping_rule r, arena *mem, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The error of a value: table, column, key of the row, trouble, advice. row: as far as it is converted. Returns false. */
bool mapping_value_error(const table_plan *p, uint32_t column, const val *row, const mapping_trouble *t, err *e);

/* ---- numbers: mapping_number.c ---- */

/* The shortest decimal text that reads back as the same number; at most MAPPING_FLOAT_BYTES. Returns its length. */
#define MAPPING_FLOAT_BYTES 40
size_t mapping_float_text(double d, bool single, char *out);

#endif
