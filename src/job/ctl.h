/* The control socket between serve and its roles: JSON objects over SEQPACKET on fd 3 of the role, cut into fragments when they are large.
 * Each message has a member "type". Secrets travel here and nowhere else.
 *
 * serve → worker   job       {"type":"job", ...spec, see job/spec.h}
 *                  limits    {"type":"limits","phase":"full"|"stream","rows":n,"bytes":n,"queries":n}   -1 = no limit
 *                  ledger    {"type":"ledger","seq":n,"ok":b,"later":b,"id":n,"state":s,"text":s}       answer; later: the catalog cannot answer now; state: of "find", "" = no entry
 *                  end of file: finish the transaction, checkpoint, exit 0
 * worker → serve   stage     {"type":"stage","stage":"schema"|"full"|"index"|"stream","finished":b}
 *                  object    {"type":"object","stage":s,"kind":s,"name":s,"done":n,"total":n}
 *                  table     {"type":"table","schema":s,"name":s,"target_schema":s,"target_name":s,"total":n,"done":n,"bytes":n,"state":s}
 *                  applied   {"type":"applied","txns":n,"rows":n,"bytes":n,"commit_us":n,"position":s}  totals since the worker's start
 *                  caught_up {"type":"caught_up","yes":b}
 *                  note      {"type":"note","level":"INFO"|"WARN","text":s}                             a line for the job's log
 *                  retrying  {"type":"retrying","end":s,"attempt":n,"code":s,"text":s}                  code "None": it is over
 *                  ledger    {"type":"ledger","op":"intend","seq":n,"end":s,"kind":s,"name":s,"undo":s,"shared":b} or {"op":"created","seq":n,"id":n}
 *                            or {"op":"find","seq":n,"end":s,"kind":s,"name":s} or {"op":"settle","seq":n,"end":s,"kind":s,"name":s,"state":s,"why":s}
 *                  done      {"type":"done"}
 *                  failed    {"type":"failed","code":s,"retry":n,"native":n,"text":s}
 * serve → probe    connect   {"type":"connect","source":endpoint|null,"target":endpoint|null}
 *                  precheck  {"type":"precheck", ...spec}
 *                  cutover   {"type":"cutover", ...spec,"margin":n,"wait_ms":n}
 *                  cleanup   {"type":"cleanup","end":"src"|"dest","endpoint":{},"job_id":s,"identity":s,"entries":[{"kind":s,"name":s,"state":s}]}
 * probe → serve    connected {"type":"connected","source":{"ok":b,"product":s,"version":s,"identity":s,"code":s,"text":s}|null,"target":...}
 *                  item      {"type":"item","item":s,"state":"Success"|"Warning"|"Failed","detail":s,"repair":s}
 *                  findings  {"type":"findings","findings":[{"Item":s,"State":s,"Effect":s,"Text":s,...}]} as SluiceDescribeReport gives them
 *                  identity  {"type":"identity","end":"src"|"dest","identity":s,"product":s,"version":s}
 *                  checked   {"type":"checked","failed":n}
 *                  cutover   {"type":"cutover","ready":b,"marker":s,"position":s,"waited_ms":n,"counts":{"Set":n,"Right":n,"Ahead":n,"Absent":n,"Failed":n},
 *                             "sequences":[{"Name":s,"Next":s,"Outcome":s,"Text":s}]}
 *                  cleaned   {"type":"cleaned","removed":s,"other_server":b,"checkpoint":{"position":s,"txns":n,"rows":n}|null}
 *                  settled   {"type":"settled","kind":s,"name":s,"state":s,"why":s}                     cleanup: what became of one entry
 *                  failed    as above */
#ifndef JOB_CTL_H
#define JOB_CTL_H

#include <jansson.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/err.h"

#define CTL_FD 3
#define CTL_MAX_MESSAGE_BYTES (8 * 1024 * 1024)

/* One end. Sending is thread-safe; receiving belongs to one thread. */
typedef struct ctl {
    int fd;
    pthread_mutex_t lock;
    buf partial; /* fragments of a message that is not complete */
} ctl;

/* A connected pair, both close-on-exec; [0] stays, [1] goes to the role. */
ERR_MUST_USE bool ctl_pair(int ret_fds[2], err *e);
/* Takes the descriptor. */
void ctl_init(ctl *c, int fd);
void ctl_finish(ctl *c);
/* Borrows the message. Waits at most 10 s for room. ERR_IO when the other end is gone. */
ERR_MUST_USE bool ctl_send(ctl *c, const json_t *message, err *e);
/* The same, and takes the message. */
ERR_MUST_USE bool ctl_send_new(ctl *c, json_t *message, err *e);

typedef enum ctl_result { CTL_MESSAGE, CTL_NOTHING, CTL_EOF, CTL_ERROR } ctl_result;
/* The next whole message (free with json_decref). timeout_ms 0: only what is there, < 0: waits. */
ctl_result ctl_receive(ctl *c, int timeout_ms, json_t **ret, err *e);

/* Members of messages: "" or 0 or false when missing. */
const char *ctl_text(const json_t *o, const char *name);
str ctl_str(const json_t *o, const char *name);
int64_t ctl_number(const json_t *o, const char *name);
bool ctl_flag(const json_t *o, const char *name);
/* A text member of a message; "" when it is not UTF-8. */
json_t *ctl_value(str s);
/* {"type":"failed", ...} of e. */
json_t *ctl_failed(const err *e);
/* Fills e from a "failed" message. Returns false. */
bool ctl_read_failed(const json_t *message, err *e);

#endif
