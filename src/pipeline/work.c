/* The queue of chunks: one mutex, one condition. */
#include "pipeline/work.h"

#include <stdlib.h>

static int larger_first(const void *a, const void *b)
{
    const table_load *x = a, *y = b;
    if (x->table->estimated_bytes != y->table->estimated_bytes) return x->table->estimated_bytes > y->table->estimated_bytes ? -1 : 1;
    return x->table->id < y->table->id ? -1 : x->table->id > y->table->id;
}

bool work_init(work *w, const catalog_def *c, uint32_t lane_count, err *e)
{
    *w = (work){.load_count = c->table_count, .lane_count = lane_count};
    arena_init(&w->mem, 64 * 1024, 0);
    w->loads = arena_array(&w->mem, c->table_count, sizeof *w->loads);
    if (!w->loads) return err_no_memory(e, "the list of tables to load");
    for (uint32_t i = 0; i < c->table_count; i++) w->loads[i].table = c->tables[i];
    if (c->table_count) qsort(w->loads, c->table_count, sizeof *w->loads, larger_first);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    return true;
}

void work_finish(work *w)
{
    if (!w->loads) return;
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    arena_finish(&w->mem);
    w->loads = NULL;
}

/* Other lanes that are at this table. */
static uint32_t others_at(const work *w, uint32_t lane, const table_load *l)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->lane_count; i++) n += i != lane && w->at[i] == l;
    return n;
}

/* The open table with the fewest other lanes; among equals the lane's own, then the first. The list is short: little is planned ahead. */
static table_load *choose(const work *w, uint32_t lane)
{
    table_load *best = NULL;
    uint32_t fewest = 0;
    for (table_load *l = w->open; l; l = l->next_open) {
        uint32_t n = others_at(w, lane, l);
        if (best && (n > fewest || (n == fewest && l != w->at[lane]))) continue;
        best = l;
        fewest = n;
    }
    return best;
}

static void close_load(work *w, table_load *gone)
{
    for (table_load **at = &w->open; *at; at = &(*at)->next_open)
        if (*at == gone) {
            *at = gone->next_open;
            w->open_count--;
            return;
        }
}

static work_kind take_task(work *w, uint32_t lane, task **ret_task)
{
    table_load *l = choose(w, lane);
    task *t = l->head;
    l->head = t->next;
    if (!l->head) {
        l->tail = NULL;
        close_load(w, l);
    }
    t->next = NULL;
    w->at[lane] = l;
    w->waiting--;
    w->busy++;
    *ret_task = t;
    return WORK_CHUNK;
}

static bool wants_plan(const work *w, uint32_t lane)
{
    return lane == 0 && w->next_load < w->load_count && (w->waiting < 2 * w->lane_count || w->open_count < w->lane_count);
}

work_kind work_next(work *w, uint32_t lane, table_load **ret_load, task **ret_task)
{
    work_kind kind = WORK_END;
    pthread_mutex_lock(&w->lock);
    while (!w->closed) {
        if (wants_plan(w, lane)) {
            *ret_load = &w->loads[w->next_load++];
            w->planning = true;
            kind = WORK_PLAN;
            break;
        }
        if (w->open) {
            kind = take_task(w, lane, ret_task);
            break;
        }
        w->at[lane] = NULL;
        if (w->next_load == w->load_count && !w->planning && !w->busy) break;
        pthread_cond_wait(&w->changed, &w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return kind;
}

static void open_load(work *w, table_load *l)
{
    table_load **at = &w->open;
    while (*at) at = &(*at)->next_open;
    l->next_open = NULL;
    *at = l;
    w->open_count++;
}

static void append(work *w, task *t)
{
    table_load *l = t->load;
    t->next = NULL;
    if (l->tail) {
        l->tail->next = t;
    } else {
        l->head = t;
        open_load(w, l);
    }
    l->tail = t;
    w->waiting++;
}

void work_planned(work *w, task *tasks)
{
    pthread_mutex_lock(&w->lock);
    for (task *t = tasks, *next; t; t = next) {
        next = t->next;
        append(w, t);
    }
    w->planning = false;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

bool work_done(work *w, task *t, uint64_t rows)
{
    pthread_mutex_lock(&w->lock);
    w->busy--;
    w->finished++;
    t->load->rows += rows;
    bool last = ++t->load->done == t->load->chunks;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return last;
}

void work_again(work *w, task *t)
{
    pthread_mutex_lock(&w->lock);
    w->busy--;
    append(w, t);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

void work_close(work *w)
{
    pthread_mutex_lock(&w->lock);
    w->closed = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}
