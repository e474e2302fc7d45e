/* What the user chose in the rules of the mapping: job by job, table by table, column by column. */
#include "engine/mapping/mapping_plan.h"

static const struct {
    const char *name, *words;
} rules[] = {
#define MAPPING_RULE(name, words, meaning) {#name, words},
#include "engine/mapping/mapping_rules.def"
#undef MAPPING_RULE
};

str mapping_rule_name(mapping_rule r) { return r < RULE_COUNT ? str_from_c(rules[r].name) : STR(""); }
str mapping_rule_words(mapping_rule r) { return r < RULE_COUNT ? str_from_c(rules[r].words) : STR(""); }

/* "word" or "word:argument" as one of the rule's words. */
static bool know(mapping_rule r, str text, mapping_choice *ret)
{
    str words = mapping_rule_words(r), word;
    while (words.n && str_split_next(&words, '|', &word)) {
        if (str_ends_with(word, STR(":"))) {
            if (!str_starts_with(text, word) || text.n == word.n) continue;
            *ret = (mapping_choice){.word = str_sub(word, 0, word.n - 1), .argument = str_sub(text, word.n, SIZE_MAX)};
            return true;
        }
        if (!str_eq(text, word)) continue;
        *ret = (mapping_choice){.word = word, .argument = STR("")};
        return true;
    }
    return false;
}

static bool find_rule(str name, mapping_rule *ret)
{
    for (int i = 0; i < RULE_COUNT; i++)
        if (str_eq(name, str_from_c(rules[i].name))) {
            *ret = (mapping_rule)i;
            return true;
        }
    return false;
}

static bool bad_word(str key, mapping_rule r, str word, err *e)
{
    str words = mapping_rule_words(r);
    if (!words.n) return err_set(e, ERR_BAD_INPUT, "sluice.types, %.*s: there is nothing to choose in %s", STR_ARG(key), rules[r].name);
    return err_set(e, ERR_BAD_INPUT, "sluice.types, %.*s: '%.*s' is not a choice of %s; it has %.*s", STR_ARG(key), STR_ARG(word), rules[r].name, STR_ARG(words));
}

/* One part of a list: "T9=strip" or "strip". */
typedef struct part {
    str text;
    bool named;
    mapping_rule rule; /* when named */
} part;

static bool next_part(str *rest, str key, part *ret, bool *ret_more, err *e)
{
    str piece;
    *ret_more = str_split_next(rest, ',', &piece);
    if (!*ret_more) return true;
    piece = str_trim(piece);
    size_t at = str_find_byte(piece, '=', 0);
    *ret = (part){.text = piece};
    if (at == SIZE_MAX) return true;
    str name = str_trim(str_sub(piece, 0, at));
    ret->named = true;
    ret->text = str_trim(str_sub(piece, at + 1, SIZE_MAX));
    return find_rule(name, &ret->rule) || err_set(e, ERR_BAD_INPUT, "sluice.types, %.*s: there is no rule '%.*s'", STR_ARG(key), STR_ARG(name));
}

static bool look_in_list(str key, str list, mapping_rule r, mapping_choice *ret, bool *ret_found, err *e)
{
    part p;
    *ret_found = false;
    for (bool more;;) {
        if (!next_part(&list, key, &p, &more, e)) return false;
        if (!more) return true;
        if (p.named && p.rule != r) continue;
        if (know(r, p.text, ret)) *ret_found = true;
        else if (p.named) return bad_word(key, r, p.text, e);
    }
}

static bool key_of(const mapping_maker *m, const table_def *t, const column_def *c, str *ret, err *e)
{
    *ret = c ? arena_printf(m->a, "%.*s.%.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(c->name))
             : arena_printf(m->a, "%.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
    return ret->p || err_no_memory(e, "a choice");
}

static bool look(const mapping_maker *m, const table_def *t, const column_def *c, mapping_rule r, mapping_choice *ret, err *e)
{
    const mapping_options *o = m->options;
    str words = mapping_rule_words(r), first;
    for (int level = c ? 0 : t ? 1 : 2; o->choice && level < 2; level++) {
        str key, list;
        bool found;
        if (!key_of(m, t, level ? NULL : c, &key, e)) return false;
        list = o->choice(o->ctx, key);
        if (!list.p) continue;
        if (!look_in_list(key, list, r, ret, &found, e)) return false;
        if (found) return true;
    }
    str chosen = o->choice ? o->choice(o->ctx, mapping_rule_name(r)) : STR_NULL;
    if (chosen.p) return know(r, str_trim(chosen), ret) || bad_word(mapping_rule_name(r), r, chosen, e);
    (void)str_split_next(&words, '|', &first);
    *ret = (mapping_choice){.word = first, .argument = STR("")};
    return true;
}

bool mapping_choose(mapping_maker *m, const table_def *t, const column_def *c, mapping_rule r, mapping_choice *ret, err *e)
{
    m->asked_table[t->id][r] = true;
    if (c) m->asked_column[r] = true;
    return look(m, t, c, r, ret, e);
}

str mapping_choice_text(mapping_maker *m, const table_def *t, const column_def *c, mapping_rule r)
{
    mapping_choice choice;
    err ignored = ERR_INIT;
    if (!mapping_rule_words(r).n || !look(m, t, c, r, &choice, &ignored)) return STR("");
    if (!choice.argument.n) return choice.word;
    return str_or_empty(arena_printf(m->a, "%.*s:%.*s", STR_ARG(choice.word), STR_ARG(choice.argument)));
}

bool mapping_chose(mapping_maker *m, const table_def *t, const column_def *c, mapping_rule r, const char *word, bool *ret, err *e)
{
    mapping_choice choice;
    if (!mapping_choose(m, t, c, r, &choice, e)) return false;
    *ret = str_eq(choice.word, str_from_c(word));
    return true;
}

bool mapping_check_choices(mapping_maker *m, const table_def *t, const column_def *c, err *e)
{
    const bool *asked = c ? m->asked_column : m->asked_table[t->id];
    str key, list;
    part p;
    mapping_choice ignored;
    if (!m->options->choice) return true;
    if (!key_of(m, t, c, &key, e)) return false;
    list = m->options->choice(m->options->ctx, key);
    for (bool more = list.p != NULL; more;) {
        uint32_t meanings = 0;
        if (!next_part(&list, key, &p, &more, e)) return false;
        if (!more) break;
        for (int r = 0; r < RULE_COUNT; r++)
            meanings += asked[r] && (!p.named || p.rule == (mapping_rule)r) && know((mapping_rule)r, p.text, &ignored);
        if (!meanings) return err_set(e, ERR_BAD_INPUT, "sluice.types, %.*s: '%.*s' has no effect there", STR_ARG(key), STR_ARG(p.text));
        if (meanings > 1 && c)
            return err_set(e, ERR_BAD_INPUT, "sluice.types, %.*s: '%.*s' is a choice of several rules; write the rule in front (T9=%.*s)", STR_ARG(key),
                           STR_ARG(p.text), STR_ARG(p.text));
    }
    for (int r = 0; c && r < RULE_COUNT; r++) m->asked_column[r] = false;
    return true;
}

bool mapping_check_option(str key, str value, err *e)
{
    mapping_rule r;
    mapping_choice ignored;
    part p;
    if (str_find_byte(key, '.', 0) == SIZE_MAX) {
        if (!find_rule(key, &r)) return err_set(e, ERR_BAD_INPUT, "sluice.types: there is no rule '%.*s'", STR_ARG(key));
        return know(r, str_trim(value), &ignored) || bad_word(key, r, value, e);
    }
    for (bool more;;) {
        bool known = false;
        if (!next_part(&value, key, &p, &more, e)) return false;
        if (!more) return true;
        for (int i = 0; i < RULE_COUNT; i++) known = known || ((!p.named || p.rule == (mapping_rule)i) && know((mapping_rule)i, p.text, &ignored));
        if (!known && p.named) return bad_word(key, p.rule, p.text, e);
        if (!known) return err_set(e, ERR_BAD_INPUT, "sluice.types, %.*s: no rule has the choice '%.*s'", STR_ARG(key), STR_ARG(p.text));
    }
}
