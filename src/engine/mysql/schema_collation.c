/* Mapping of collations between MySQL and MariaDB.
 * MySQL's utf8mb4_*_0900_* (UCA 9.0, NO PAD) and MariaDB's *_uca1400_* (UCA 14.0, padded unless nopad) have no equal on the other side
 * (MySQL 9.7 and MariaDB 10.11, information_schema.COLLATIONS); the nearest by accent and case sensitivity and padding is taken. */
#include "engine/mysql/schema_collation.h"

#include <string.h>

static bool read_names(conn *c, const char *sql, arena *a, map *known, err *e)
{
    MYSQL_RES *res;
    if (!conn_query(c, str_from_c(sql), &res, e)) return false;
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        str name = arena_copy(a, (str){row[0], mysql_fetch_lengths(res)[0]});
        ok = name.p && map_put(known, name, known);
    }
    mysql_free_result(res);
    return ok || err_no_memory(e, "collations");
}

bool collation_read_known(conn *c, arena *a, map *known, err *e)
{
    if (!read_names(c, "SELECT COLLATION_NAME FROM information_schema.COLLATIONS WHERE COLLATION_NAME IS NOT NULL", a, known, e)) return false;
    /* MariaDB >= 10.10 lists uca1400 without charset there, and with it here. */
    return !c->is_mariadb || c->version < 101000 ||
           read_names(c, "SELECT FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY", a, known, e);
}

static bool knows(const map *known, str name) { return name.p && map_get(known, name) != NULL; }

/* utf8_x ↔ utf8mb3_x. */
static str other_utf8_name(str c, arena *a)
{
    if (str_starts_with(c, STR("utf8_"))) return arena_printf(a, "utf8mb3_%.*s", STR_ARG(str_sub(c, 5, c.n)));
    if (str_starts_with(c, STR("utf8mb3_"))) return arena_printf(a, "utf8_%.*s", STR_ARG(str_sub(c, 8, c.n)));
    return STR_NULL;
}

/* Languages as MySQL 0900 and MariaDB uca1400 call them. */
static const char *const languages[][2] = {
    {"de_pb", "german2"}, {"is", "icelandic"}, {"lv", "latvian"}, {"ro", "romanian"}, {"sl", "slovenian"}, {"pl", "polish"}, {"et", "estonian"},
    {"es", "spanish"}, {"sv", "swedish"}, {"tr", "turkish"}, {"cs", "czech"}, {"da", "danish"}, {"lt", "lithuanian"}, {"sk", "slovak"},
    {"es_trad", "spanish2"}, {"la", "roman"}, {"eo", "esperanto"}, {"hu", "hungarian"}, {"hr", "croatian"}, {"vi", "vietnamese"},
};

/* utf8mb4_[lang_]0900_x → utf8mb4_uca1400_[language_]nopad_x */
static str from_0900(str c, arena *a)
{
    if (str_eq(c, STR("utf8mb4_0900_bin"))) return STR("utf8mb4_nopad_bin");
    size_t at = str_find(c, STR("0900_"));
    if (at == SIZE_MAX || !str_starts_with(c, STR("utf8mb4_"))) return STR_NULL;
    str suffix = str_sub(c, at + 5, c.n), lang = str_sub(c, 8, at > 9 ? at - 9 : 0);
    if (!lang.n) return arena_printf(a, "utf8mb4_uca1400_nopad_%.*s", STR_ARG(suffix));
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
        if (str_eq(lang, str_from_c(languages[i][0])))
            return arena_printf(a, "utf8mb4_uca1400_%s_nopad_%.*s", languages[i][1], STR_ARG(suffix));
    return STR_NULL;
}

/* charset_uca1400_[language_][nopad_]x → the nearest of MySQL. */
static str from_uca1400(str c, arena *a)
{
    size_t at = str_find(c, STR("_uca1400_"));
    if (at == SIZE_MAX) return STR_NULL;
    str charset = str_sub(c, 0, at), rest = str_sub(c, at + 9, c.n);
    if (rest.n < 5) return STR_NULL;
    str suffix = str_sub(rest, rest.n - 5, 5), middle = str_sub(rest, 0, rest.n > 6 ? rest.n - 6 : 0);
    bool nopad = str_ends_with(middle, STR("nopad"));
    if (nopad) middle = str_sub(middle, 0, middle.n > 6 ? middle.n - 6 : 0);
    bool padded_equal = !nopad && str_eq(suffix, STR("ai_ci"));
    if (!middle.n && padded_equal) return arena_printf(a, "%.*s_unicode_520_ci", STR_ARG(charset));
    if (!str_eq(charset, STR("utf8mb4")) || str_eq(suffix, STR("ai_cs"))) return STR_NULL;
    if (!middle.n) return arena_printf(a, "utf8mb4_0900_%.*s", STR_ARG(suffix));
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
        if (str_eq(middle, str_from_c(languages[i][1]))) return arena_printf(a, "utf8mb4_%s_0900_%.*s", languages[i][0], STR_ARG(suffix));
    return STR_NULL;
}

/* Single names without a rule. The first that the target knows is taken. */
static const char *const singles[][2] = {
    {"utf8mb4_0900_ai_ci", "utf8mb4_unicode_520_nopad_ci"}, {"utf8mb4_0900_ai_ci", "utf8mb4_unicode_520_ci"}, {"utf8mb4_nopad_bin", "utf8mb4_0900_bin"},
    {"utf8mb4_unicode_520_nopad_ci", "utf8mb4_0900_ai_ci"}, {"utf8mb4_unicode_nopad_ci", "utf8mb4_0900_ai_ci"},
};

collation_fit collation_map(const map *known, str collation, arena *a, str *ret)
{
    *ret = collation;
    if (!collation.n || knows(known, collation)) return COLLATION_SAME;
    str other = other_utf8_name(collation, a);
    if (knows(known, other)) return *ret = other, COLLATION_SAME;
    other = from_0900(collation, a);
    if (knows(known, other)) return *ret = other, COLLATION_SIMILAR;
    other = from_uca1400(collation, a);
    if (knows(known, other)) return *ret = other, COLLATION_SIMILAR;
    if (other.p && knows(known, other_utf8_name(other, a))) return *ret = other_utf8_name(other, a), COLLATION_SIMILAR;
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++)
        if (str_eq(collation, str_from_c(singles[i][0])) && knows(known, str_from_c(singles[i][1])))
            return *ret = str_from_c(singles[i][1]), COLLATION_SIMILAR;
    return COLLATION_UNKNOWN;
}

str collation_charset(str collation)
{
    size_t at = str_find_byte(collation, '_', 0);
    return at == SIZE_MAX ? collation : str_sub(collation, 0, at);
}
