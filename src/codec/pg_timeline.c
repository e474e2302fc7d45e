/* Histories of timelines. */
#include "codec/pg_timeline.h"

/* Up to the next tab, or all that is left. */
static str field(str *rest)
{
    size_t tab = str_find_byte(*rest, '\t', 0);
    str all = *rest;
    *rest = tab == SIZE_MAX ? STR("") : str_sub(all, tab + 1, SIZE_MAX);
    return tab == SIZE_MAX ? all : str_sub(all, 0, tab);
}

bool pg_timeline_end(str history, uint32_t timeline, pg_lsn *ret, err *e)
{
    str line;
    uint64_t last = 0, number;
    pg_lsn found = PG_LSN_NONE, end;
    while (history.n && str_split_next(&history, '\n', &line)) {
        str rest = str_trim(line);
        err ignored = ERR_INIT;
        if (!rest.n || rest.p[0] == '#') continue;
        str which = field(&rest), where = field(&rest);
        if (!str_to_u64(which, &number) || number <= last || number > UINT32_MAX || !pg_lsn_parse(where, &end, &ignored)) {
            str shown = str_sub(line, 0, 60);
            return err_set(e, ERR_CORRUPT, "'%.*s' is not a line of a timeline's history", STR_ARG(shown));
        }
        last = number;
        if (number == timeline) found = end;
    }
    *ret = found;
    return true;
}
