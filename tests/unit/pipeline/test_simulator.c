/* The pipeline against the simulated engine: thousands of worlds with crashes, lost answers, reconnections and zombies; and planted bugs that must be found.
 * SLUICE_SIM_SEED=n runs one seed, SLUICE_SIM_SEEDS=n sets how many (2000, ten times as many with SLUICE_TEST_LONG). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/sim/sim.h"
#include "pipeline/pipeline.h"

#define FIRST_SEED 1
#define STARTS_AT_MOST 60

/* A clock on which waiting costs nothing. */
static int64_t fake_now(void *ctx) { return atomic_fetch_add((_Atomic int64_t *)ctx, 1); }
static void fake_sleep(void *ctx, int64_t us) { atomic_fetch_add((_Atomic int64_t *)ctx, us); }

typedef struct worker {
    sim_world *world;
    const clk *clock;
    cancel stop;
    uint64_t epoch;
    bool ok;
    err error;
    atomic_bool ended;
    pthread_t thread;
} worker;

static char spill_folder[64];

static endpoint world_endpoint(const sim_world *w) { return (endpoint){.engine = STR("sim"), .database = str_from_c(w->name)}; }

static void run_worker(worker *k)
{
    endpoint ep = world_endpoint(k->world);
    throttle limits;
    throttle_init(&limits);
    sim_mode mode = k->world->mode;
    pipeline_job job = {
        .job_id = STR("job"), .epoch = k->epoch, .source_engine = engine_find(STR("sim")), .target_engine = engine_find(STR("sim")),
        .source = &ep, .target = &ep, .schema = mode != SIM_STREAM_ONLY, .full = mode != SIM_STREAM_ONLY, .incremental = mode != SIM_FULL_ONLY,
        .lanes = 1 + (uint32_t)(k->epoch * 7 % 3), .chunk_rows = 4, .budget_bytes = 1 << 20, .window_rows = 1 + (uint32_t)(k->epoch * 13 % 40),
        .replica_id = (uint32_t)k->epoch, .retry_for_us = (uint64_t)24 * 3600 * 1000000, .limits = &limits, .spill_folder = spill_folder,
    };
    arena mem;
    arena_init(&mem, 256, 0);
    if (mode == SIM_STREAM_ONLY) job.start_at = sim_position(k->world->start, &mem);
    k->error = ERR_INIT;
    k->ok = pipeline_run(&job, NULL, NULL, &k->stop, k->clock, &k->error);
    arena_finish(&mem);
    throttle_finish(&limits);
    atomic_store(&k->ended, true);
}

static void *worker_main(void *arg)
{
    run_worker(arg);
    return NULL;
}

static void worker_init(worker *k, sim_world *w, const clk *clock, uint64_t epoch, bool may_crash)
{
    *k = (worker){.world = w, .clock = clock, .epoch = epoch};
    err e = ERR_INIT;
    assert_true(cancel_init(&k->stop, &e));
    sim_worker_start(w, (uint32_t)epoch, &k->stop, may_crash);
}

static void worker_finish(worker *k)
{
    sim_worker_end(k->world, (uint32_t)k->epoch);
    cancel_finish(&k->stop);
}

/* A worker that does not know that another one was started in its place. */
static void run_with_zombie(worker *zombie, worker *k, uint32_t calls)
{
    assert_int_equal(pthread_create(&zombie->thread, NULL, worker_main, zombie), 0);
    while (!atomic_load(&zombie->ended) && sim_calls(zombie->world) < calls) clk_sleep_us(clk_system(), 100);
    worker_init(k, zombie->world, zombie->clock, zombie->epoch + 1, false);
    run_worker(k);
}

typedef enum verdict { GOES_ON, ENDED, FAILED } verdict;

static verdict judge_worker(const worker *k, char *text, size_t text_bytes)
{
    const sim_world *w = k->world;
    if (k->ok) return ENDED;
    if (k->error.code == ERR_CANCELLED) return w->finished ? ENDED : GOES_ON;
    snprintf(text, text_bytes, "%s: %s", err_name(k->error.code), k->error.text);
    return FAILED;
}

/* NULL when the seed passes, else the reason (static buffer). */
static const char *run_seed(uint64_t seed, sim_bug bug, uint32_t *ret_starts)
{
    static char text[2048];
    _Atomic int64_t now = 1700000000000000;
    clk clock = {fake_now, fake_now, fake_sleep, &now};
    sim_world *w = sim_world_new(seed, bug);
    assert_non_null(w);
    text[0] = 0;
    verdict v = GOES_ON;
    worker k, zombie;
    for (uint64_t epoch = 1; v == GOES_ON && epoch < STARTS_AT_MOST; epoch++) {
        ++*ret_starts;
        bool with_zombie = seed % 10 == 3 && epoch == 1;
        worker_init(with_zombie ? &zombie : &k, w, &clock, epoch, !with_zombie && epoch < 12);
        if (with_zombie) {
            run_with_zombie(&zombie, &k, (uint32_t)(seed * 31 % 150));
            epoch++;
        } else {
            run_worker(&k);
        }
        v = judge_worker(&k, text, sizeof text);
        if (with_zombie) {
            cancel_ask(&zombie.stop);
            pthread_join(zombie.thread, NULL);
            worker_finish(&zombie);
            if (zombie.ok && w->mode != SIM_FULL_ONLY) v = FAILED, snprintf(text, sizeof text, "the zombie succeeded");
        }
        worker_finish(&k);
    }
    if (v == GOES_ON) snprintf(text, sizeof text, "no end after %d starts", STARTS_AT_MOST);
    bool purged = v == FAILED && w->purges && k.error.code == ERR_SOURCE_LOG_PURGED && !w->violation[0];
    if (v == ENDED) sim_world_judge(w, text, sizeof text);
    if (w->violation[0]) snprintf(text, sizeof text, "%s", w->violation);
    sim_world_free(w);
    return purged || !text[0] ? NULL : text;
}

static uint64_t number_from_env(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);
    uint64_t n;
    return s && str_to_u64(str_from_c(s), &n) ? n : otherwise;
}

static void test_worlds(void **state)
{
    (void)state;
    uint64_t one = number_from_env("SLUICE_SIM_SEED", 0), starts_at = one ? one : FIRST_SEED;
    uint64_t count = one ? 1 : number_from_env("SLUICE_SIM_SEEDS", getenv("SLUICE_TEST_LONG") ? 20000 : 2000);
    uint32_t starts = 0, failed = 0;
    for (uint64_t seed = starts_at; seed < starts_at + count && failed < 5; seed++) {
        const char *why = run_seed(seed, SIM_BUG_NONE, &starts);
        if (!why) continue;
        failed++;
        print_message("SLUICE_SIM_SEED=%llu fails: %s\n", (unsigned long long)seed, why);
    }
    print_message("%llu worlds, %u worker starts\n", (unsigned long long)count, starts);
    assert_int_equal(failed, 0);
}

/* A simulator that cannot fail proves nothing: each planted bug must be found within the first seeds. */
static void test_planted_bugs(void **state)
{
    (void)state;
    static const char *const names[SIM_BUG_COUNT] = {"", "checkpoint first", "overlap skipped", "overlap strict", "start moved", "window lost",
                                                     "chunk first", "stale checkpoint", "actions logged", "savepoint lost", "chunk kept", "confirmed what was sent"};
    if (getenv("SLUICE_SIM_SEED")) skip();
    for (int bug = 1; bug < SIM_BUG_COUNT; bug++) {
        uint32_t starts = 0;
        const char *why = NULL;
        uint64_t seed = FIRST_SEED;
        while (!why && seed < FIRST_SEED + 400) why = run_seed(seed++, (sim_bug)bug, &starts);
        print_message("bug \"%s\": %s after %llu worlds%s%s\n", names[bug], why ? "found" : "NOT FOUND", (unsigned long long)(seed - FIRST_SEED),
                      why ? ": " : "", why ? why : "");
        assert_non_null(why);
    }
}

static uint32_t highest_chunk(const sim_world *w)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < SIM_TABLES; i++)
        for (uint32_t k = 0; k < w->chunk_count[i]; k++)
            if (w->chunks[i][k].done && w->chunk_at[i][k] > most) most = w->chunk_at[i][k];
    return most;
}

/* Starts workers until one dies in the stream before the place of its newest chunk; a source that was promoted there then. True when there was one. */
static bool run_promoted(uint64_t seed)
{
    _Atomic int64_t now = 1700000000000000;
    clk clock = {fake_now, fake_now, fake_sleep, &now};
    sim_world *w = sim_world_new(seed, SIM_BUG_NONE);
    assert_non_null(w);
    bool promoted = false, over = w->mode != SIM_FULL_AND_STREAM || w->purges;
    for (uint64_t epoch = 1; !over && epoch < STARTS_AT_MOST; epoch++) {
        worker k;
        worker_init(&k, w, &clock, epoch, !promoted);
        run_worker(&k);
        over = promoted || k.ok || w->finished || k.error.code != ERR_CANCELLED;
        if (promoted && (k.ok || k.error.code != ERR_SOURCE_CHANGED || !strstr(k.error.text, "rows were loaded at a later position")))
            fail_msg("seed %llu: %s %s", (unsigned long long)seed, err_name(k.error.code), k.error.text);
        worker_finish(&k);
        if (over || strcmp(w->phase, "stream") != 0 || highest_chunk(w) <= w->at) continue;
        promoted = true;
        w->lost_after = w->at;
    }
    sim_world_free(w);
    return promoted;
}

/* The stream could go on, but not from rows that the source of before had given to the load. */
static void test_rows_of_a_lost_primary(void **state)
{
    (void)state;
    uint32_t found = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) found += run_promoted(seed);
    assert_true(found > 0);
}

int main(void)
{
    snprintf(spill_folder, sizeof spill_folder, "/tmp/sluice-sim-XXXXXX");
    if (!mkdtemp(spill_folder)) return 2;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_worlds), cmocka_unit_test(test_planted_bugs), cmocka_unit_test(test_rows_of_a_lost_primary)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(spill_folder) ? 2 : failed; /* nothing may be left in it */
}
