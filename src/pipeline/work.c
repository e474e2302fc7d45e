/* The queue of chunks: one mutex, one condition. */
#include "pipeline/work.h"

#include <stdlib.h>

static int larger_first(const void *a, const void *b)
{
    const table_load *x = a, *y = b;
    if (x->table->estimated_bytes != y->table->estimated_bytes) return x->table->estimated_bytes > y->table->estimated_bytes ? -1 : 1;
    return x->table->id < y->table->id ? -1 : x->table->id > y->table->id;
}

bool work_init(work *w, const catalog_def *c, err *e)
{
    *w = (work){.load_count = c->table_count};
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

static work_kind take_task(work *w, task **ret_task)
{
    task *t = w->head;
    w->head = t->next;
    if (!w->head) w->tail = NULL;
    t->next = NULL;
    w->waiting--;
    w->busy++;
    *ret_task = t;
    return WORK_CHUNK;
}

work_kind work_next(work *w, bool planner, uint32_t ahead, table_load **ret_load, task **ret_task)
{
    work_kind kind = WORK_END;
    pthread_mutex_lock(&w->lock);
    while (!w->closed) {
        bool unplanned = w->next_load < w->load_count;
        if (planner && unplanned && w->waiting < ahead) {
            *ret_load = &w->loads[w->next_load++];
            w->planning = true;
            kind = WORK_PLAN;
            break;
        }
        if (w->head) {
            kind = take_task(w, ret_task);
            break;
        }
        if (!unplanned && !w->planning && !w->busy) break;
        pthread_cond_wait(&w->changed, &w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return kind;
}

static void append(work *w, task *t)
{
    t->next = NULL;
    if (w->tail) w->tail->next = t;
    else w->head = t;
    w->tail = t;
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
