/* See ledger_text.h. */
#include "job/ledger_text.h"

ledger_state ledger_text_read(str stored)
{
    if (!stored.n) return LEDGER_NONE;
    if (str_eq(stored, STR("removed"))) return LEDGER_REMOVED;
    return str_eq(stored, STR("kept")) ? LEDGER_KEPT : LEDGER_MADE;
}

const char *ledger_text_write(ledger_state state) { return state == LEDGER_REMOVED ? "removed" : "kept"; }
