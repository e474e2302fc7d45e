/* Fuzz target: GTID sets and positions. Input: kind 1, then text (even) or binary form (odd). Printed and read again they are the same. */
#include <stdlib.h>

#include "codec/gtid_position.h"
#include "codec/gtid_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const gtid_set *s)
{
    err e = ERR_INIT;
    gtid_set again;
    BUF_AUTO text = BUF_INIT;
    BUF_AUTO bytes = BUF_INIT;
    gtid_set_print(s, &text);
    if (!gtid_set_parse(buf_str(&text), &again, &e) || !gtid_set_equal(s, &again)) abort();
    gtid_set_finish(&again);
    gtid_set_encode(s, &bytes);
    if (!gtid_set_decode(buf_str(&bytes), &again, &e) || !gtid_set_equal(s, &again)) abort();
    if (!gtid_set_union(&again, s, &e) || !gtid_set_equal(s, &again)) abort();
    uint32_t intervals = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        const gtid_source *src = &s->sources[i];
        intervals += src->count;
        for (uint32_t k = 1; k < src->count; k++)
            if (src->intervals[k].first <= src->intervals[k - 1].last + 1) abort();
    }
    if (intervals != s->interval_count) abort();
    gtid_set_finish(&again);
}

static void position(str text)
{
    err e = ERR_INIT;
    gtid_position p, again;
    if (!gtid_position_parse(text, &p, &e)) return;
    BUF_AUTO out = BUF_INIT;
    gtid_position_print(&p, &out);
    if (!gtid_position_parse(out.n ? buf_str(&out) : STR(""), &again, &e) || !gtid_position_equal(&p, &again)) abort();
    gtid_position_finish(&p);
    gtid_position_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    str rest = {(const char *)data + 1, size - 1};
    err e = ERR_INIT;
    gtid_set s;
    bool ok = data[0] & 1 ? gtid_set_decode(rest, &s, &e) : gtid_set_parse(rest, &s, &e);
    if (ok) {
        round_trip(&s);
        gtid_set_finish(&s);
    } else if (e.code == ERR_NONE || s.count) {
        abort();
    }
    position(rest);
    return 0;
}
