/* GTID positions of MariaDB. */
#include "codec/gtid_position.h"

#include <stdlib.h>
#include <string.h>

void gtid_position_finish(gtid_position *p)
{
    free(p->gtids);
    *p = (gtid_position){0};
}

static uint32_t find(const gtid_position *p, uint32_t domain)
{
    uint32_t i = 0;
    while (i < p->count && p->gtids[i].domain < domain) i++;
    return i;
}

const gtid_mariadb *gtid_position_find(const gtid_position *p, uint32_t domain)
{
    uint32_t i = find(p, domain);
    return i < p->count && p->gtids[i].domain == domain ? &p->gtids[i] : NULL;
}

bool gtid_position_set(gtid_position *p, gtid_mariadb g, err *e)
{
    uint32_t i = find(p, g.domain);
    if (i < p->count && p->gtids[i].domain == g.domain) {
        p->gtids[i] = g;
        return true;
    }
    if (p->count >= GTID_POSITION_MAX_DOMAINS) return err_set(e, ERR_LIMIT, "a GTID position has more than %d domains", GTID_POSITION_MAX_DOMAINS);
    if (p->count == p->cap) {
        uint32_t cap = p->cap ? p->cap * 2 : 4;
        gtid_mariadb *more = realloc(p->gtids, cap * sizeof *more);
        if (!more) return err_no_memory(e, "a GTID position");
        p->gtids = more;
        p->cap = cap;
    }
    memmove(&p->gtids[i + 1], &p->gtids[i], (p->count - i) * sizeof *p->gtids);
    p->gtids[i] = g;
    p->count++;
    return true;
}

/* "domain-server-sequence" */
static bool parse_one(str text, gtid_mariadb *ret)
{
    uint64_t part[3];
    str rest = text, piece;
    for (int i = 0; i < 3; i++)
        if (!str_split_next(&rest, '-', &piece) || !str_to_u64(piece, &part[i])) return false;
    if (rest.p || part[0] > UINT32_MAX || part[1] > UINT32_MAX) return false;
    *ret = (gtid_mariadb){(uint32_t)part[0], (uint32_t)part[1], part[2]};
    return true;
}

static bool parse_into(str text, gtid_position *p, err *e)
{
    str rest = str_trim(text), piece;
    if (rest.n == 0) return true;
    while (str_split_next(&rest, ',', &piece)) {
        gtid_mariadb g;
        piece = str_trim(piece);
        if (!parse_one(piece, &g))
            return err_set(e, ERR_BAD_INPUT, "\"%.*s\" is not a MariaDB GTID (domain-server-sequence)", STR_ARG(str_sub(piece, 0, 80)));
        if (gtid_position_find(p, g.domain)) return err_set(e, ERR_BAD_INPUT, "a GTID position names domain %u twice", g.domain);
        if (!gtid_position_set(p, g, e)) return false;
    }
    return true;
}

bool gtid_position_parse(str text, gtid_position *ret, err *e)
{
    *ret = (gtid_position){0};
    gtid_position p = {0};
    if (!parse_into(text, &p, e)) {
        gtid_position_finish(&p);
        return false;
    }
    *ret = p;
    return true;
}

void gtid_position_print(const gtid_position *p, buf *out)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (i) buf_add_byte(out, ',');
        buf_add_u64(out, p->gtids[i].domain);
        buf_add_byte(out, '-');
        buf_add_u64(out, p->gtids[i].server_id);
        buf_add_byte(out, '-');
        buf_add_u64(out, p->gtids[i].sequence);
    }
}

bool gtid_position_copy(const gtid_position *p, gtid_position *ret, err *e)
{
    gtid_position out = {0};
    if (!gtid_position_union(&out, p, e)) {
        gtid_position_finish(&out);
        return false;
    }
    *ret = out;
    return true;
}

bool gtid_position_contains(const gtid_position *p, gtid_mariadb g)
{
    const gtid_mariadb *own = gtid_position_find(p, g.domain);
    return own && own->sequence >= g.sequence;
}

bool gtid_position_contains_position(const gtid_position *whole, const gtid_position *part)
{
    for (uint32_t i = 0; i < part->count; i++)
        if (!gtid_position_contains(whole, part->gtids[i])) return false;
    return true;
}

bool gtid_position_union(gtid_position *into, const gtid_position *from, err *e)
{
    for (uint32_t i = 0; i < from->count; i++)
        if (!gtid_position_contains(into, from->gtids[i]) && !gtid_position_set(into, from->gtids[i], e)) return false;
    return true;
}

bool gtid_position_equal(const gtid_position *a, const gtid_position *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const gtid_mariadb *x = &a->gtids[i], *y = &b->gtids[i];
        if (x->domain != y->domain || x->server_id != y->server_id || x->sequence != y->sequence) return false;
    }
    return true;
}
