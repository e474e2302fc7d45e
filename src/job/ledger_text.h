/* The ledger's states in the catalog and in messages, and as an engine sees them. */
#ifndef JOB_LEDGER_TEXT_H
#define JOB_LEDGER_TEXT_H

#include "engine/engine.h"

/* "" = no entry; what is "intended", "created" or left over is LEDGER_MADE. */
ledger_state ledger_text_read(str stored);
/* "removed" or "kept". */
const char *ledger_text_write(ledger_state state);

#endif
