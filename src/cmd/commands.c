/* The table of commands. */
#include "cmd/client.h"
#include "cmd/run.h"

#define DATA {"data", 'd', "DIR", "Folder of the service's own data (required)."}
#define OUTPUT {"output", 'o', "FORMAT", "text (default) or json."}
#define END {NULL, 0, NULL, NULL}

static const opt serve_options[] = {
    DATA,
    {"http", 0, "ADDR:PORT", "Listen for plain HTTP; port 0 takes a free one."},
    {"https", 0, "ADDR:PORT", "Listen for HTTPS; needs --cert and --key."},
    {"cert", 0, "FILE", "Certificate chain in PEM."},
    {"key", 0, "FILE", "Private key in PEM."},
    {"config", 'c', "FILE", "INI file whose keys are these options."},
    {"allow-endpoint", 0, "LIST", "Addresses that endpoints may have although they are link-local or this service's own: ADDRESS/BITS or HOST:PORT, comma-separated."},
    {"region", 0, "ID", "RegionId that answers carry and that is meant when a request has none (default local)."},
    {"rate-limit", 0, "N", "Requests per second and access key, 0 = no limit (default 100)."},
    {"rate-burst", 0, "N", "Requests a key may send at once (default 200)."},
    {"request-deadline", 0, "SECONDS", "A connection whose next request is not complete by then is cut (default 60)."},
    {"max-workers", 0, "N", "Jobs that run at the same time (default 64)."},
    {"lanes", 0, "N", "Parallel readers and writers of a full load (default 2)."},
    {"worker-memory", 0, "MIB", "Memory for rows in flight of one worker (default 128)."},
    {"log-level", 0, "LEVEL", "debug, info (default), warn or error."},
    END,
};
static const opt key_create_options[] = {DATA, {"name", 'n', "NAME", "A name to recognise the key by."}, {"policy", 0, "FILE", "Policy in JSON; without one everything is allowed."}, OUTPUT, END};
static const opt key_options[] = {DATA, OUTPUT, END};
static const opt key_sts_options[] = {DATA, {"ttl", 0, "SECONDS", "Life time of the temporary key (default 3600, at most 43200)."}, OUTPUT, END};
static const opt client_options[] = {CLIENT_OPTIONS, END};
#define JOB_OPTIONS                                                                                                                       \
    {"objects", 0, "LIST", "What to move: DATABASE, DATABASE=NEW, DATABASE.TABLE or DATABASE.TABLE=NEW, comma-separated."},                \
        {"db-list", 0, "FILE", "The object list as DbList JSON instead of --objects."}, {"name", 'n', "NAME", "Name of the job."},           \
        {"source-password-file", 0, "FILE", "File with the source's password (else SLUICE_SOURCE_PASSWORD, else asked)."},                   \
        {"target-password-file", 0, "FILE", "File with the destination's password (else SLUICE_TARGET_PASSWORD, else asked)."},              \
        {"no-schema", 0, NULL, "Do not create tables and views."}, {"no-full", 0, NULL, "Do not load the rows that are there."},             \
        {"incremental", 0, NULL, "Follow changes after the load (always for sync)."}, {"reserve", 0, "JSON", "Reserve options of the DTS API."}
static const opt job_create_options[] = {{"source", 's', "URL", "Source: mysql://USER@HOST:PORT, or postgresql://USER@HOST:PORT/DATABASE."},
                                         {"target", 't', "URL", "Destination: mysql://USER@HOST:PORT, or postgresql://USER@HOST:PORT/DATABASE."},
                                         {"type", 0, "TYPE", "migration (default) or sync."},
                                         {"start", 0, NULL, "Start it at once."},
                                         JOB_OPTIONS,
                                         CLIENT_OPTIONS,
                                         END};
static const opt copy_options[] = {JOB_OPTIONS, CLIENT_OPTIONS, END};
static const opt leftover_retry_options[] = {{"user", 0, "NAME", "Log in as this user; the password is taken from SLUICE_LEFTOVER_PASSWORD."}, CLIENT_OPTIONS, END};
static const opt job_watch_options[] = {{"caught-up", 0, NULL, "End when the destination has caught up with the source, too."}, CLIENT_OPTIONS, END};
static const opt job_cutover_options[] = {{"wait", 0, "SECONDS", "How long to wait for the destination (default 10)."},
                                          {"sequence-margin", 0, "N", "Numbers to leave out behind the source's next ones (default 0)."},
                                          CLIENT_OPTIONS,
                                          END};
static const opt no_options[] = {END};

const command commands[] = {
    {"serve", "", 0, 0, "Run the service.", serve_options, run_serve, false},
    {"key create", "", 0, 0, "Create an access key for the API.", key_create_options, run_key_create, false},
    {"key list", "", 0, 0, "List the access keys.", key_options, run_key_list, false},
    {"key delete", "ID", 1, 1, "Delete an access key and its temporary keys.", key_options, run_key_delete, false},
    {"key sts", "ID", 1, 1, "Create a temporary key with a SecurityToken for an access key.", key_sts_options, run_key_sts, false},
    {"job list", "", 0, 0, "List jobs.", client_options, run_job_list, false},
    {"job show", "ID", 1, 1, "Show a job, its stages and failed prechecks.", client_options, run_job_show, false},
    {"job report", "ID", 1, 1, "Show what a job changes, cannot carry or leaves out, with the rows concerned.", client_options, run_job_report, false},
    {"job watch", "ID", 1, 1, "Follow a job until it ends or Ctrl-C.", job_watch_options, run_job_watch, false},
    {"job create", "", 0, 0, "Create and configure a job.", job_create_options, run_job_create, false},
    {"job start", "ID ...", 1, -1, "Start jobs.", client_options, run_job_start, false},
    {"job pause", "ID ...", 1, -1, "Pause jobs; job start goes on.", client_options, run_job_pause, false},
    {"job cutover", "ID", 1, 1, "Make the destination ready to be switched to: all changes, then sequences and AUTO_INCREMENT.", job_cutover_options, run_job_cutover, false},
    {"job stop", "ID ...", 1, -1, "End jobs for good.", client_options, run_job_stop, false},
    {"job reset", "ID ...", 1, -1, "Put sync jobs back to not configured.", client_options, run_job_reset, false},
    {"job delete", "ID ...", 1, -1, "Delete jobs in any state and show the receipts.", client_options, run_job_delete, false},
    {"leftover list", "", 0, 0, "List what deletions could not remove yet.", client_options, run_leftover_list, false},
    {"leftover retry", "ID", 1, 1, "Try at once to remove a leftover.", leftover_retry_options, run_leftover_retry, false},
    {"leftover forget", "ID", 1, 1, "Stop trying; the object stays.", client_options, run_leftover_forget, false},
    {"copy", "SOURCE-URL TARGET-URL", 2, 2, "Copy databases once: create a job, load, delete it. A URL is mysql://USER@HOST:PORT/DATABASE.", copy_options, run_copy, false},
    {"api", "ACTION [NAME=VALUE ...]", 1, -1, "Sign and send any action of the API.", client_options, run_api, false},
    {"sign", "ACTION [NAME=VALUE ...]", 1, -1, "Show how an action is signed.", client_options, run_sign, false},
    {"man", "", 0, 0, "Print the man page as scdoc source.", no_options, run_man, false},
    {"completion", "SHELL", 1, 1, "Print the completion script for bash.", no_options, run_completion, false},
    {"worker", "", 0, 0, "Move the data of one job (started by serve).", no_options, run_worker, true},
    {"probe", "", 0, 0, "Look at databases for serve (started by serve).", no_options, run_probe, true},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, false},
};
