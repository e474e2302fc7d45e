/* The service: opening, finding jobs, waking the supervisor. */
#include "job/service.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "job/service_priv.h"

bool service_open(catalog *c, service **ret, err *e)
{
    service *s = calloc(1, sizeof *s);
    if (!s) return err_no_memory(e, "the service");
    s->catalog = c;
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0) {
        free(s);
        return err_set_errno(e, errno, "eventfd");
    }
    *ret = s;
    return true;
}

void service_close(service *s)
{
    if (!s) return;
    close(s->wake_fd);
    free(s);
}

void service_use_policy(service *s, const net_policy *p) { s->policy = p; }

catalog *service_catalog(service *s) { return s->catalog; }

void service_wake(service *s)
{
    uint64_t one = 1;
    (void)!write(s->wake_fd, &one, sizeof one);
}

bool service_refuse(service_fault *f, const char *param, const char *api_code)
{
    if (f) *f = (service_fault){.param = str_from_c(param), .api_code = str_from_c(api_code)};
    return false;
}

static bool check_direction(job_ref ref, const job_record *r, service_fault *f, err *e)
{
    if (ref.direction.n == 0 || str_eq_nocase(ref.direction, STR("Forward"))) return true;
    bool known = str_eq_nocase(ref.direction, STR("Reverse"));
    err_set(e, ERR_BAD_INPUT, known ? "job %.*s synchronizes one way: it has no reverse half" : "the direction of %.*s is Forward or Reverse", STR_ARG(r->job_id));
    return service_refuse(f, "SynchronizationDirection", NULL);
}

bool service_find(service *s, job_ref ref, arena *a, job_record *ret, service_fault *f, err *e)
{
    bool found = false;
    const char *param = ref.job_id.n ? "DtsJobId" : "DtsInstanceId";
    if (!ref.job_id.n && !ref.instance_id.n) {
        err_set(e, ERR_BAD_INPUT, "give DtsJobId or DtsInstanceId");
        return service_refuse(f, "DtsJobId", NULL);
    }
    if (!jobs_find(s->catalog, ref.job_id, STR(""), false, a, ret, &found, e)) return false;
    if (!ref.job_id.n && !jobs_find(s->catalog, STR(""), ref.instance_id, false, a, ret, &found, e)) return false;
    if (!found) {
        err_set(e, ERR_JOB_NOT_FOUND, "no job has the id %.*s", STR_ARG(ref.job_id.n ? ref.job_id : ref.instance_id));
        return service_refuse(f, param, NULL);
    }
    if (ref.job_id.n && ref.instance_id.n && !str_eq(ref.instance_id, ret->instance_id)) {
        err_set(e, ERR_DISAGREE, "job %.*s belongs to another instance than %.*s", STR_ARG(ref.job_id), STR_ARG(ref.instance_id));
        return service_refuse(f, "DtsInstanceId", NULL);
    }
    return check_direction(ref, ret, f, e);
}

bool service_end(service *s, bool ok, err *e)
{
    if (!ok) {
        catalog_rollback(s->catalog);
        return false;
    }
    if (!catalog_commit(s->catalog, e)) return false;
    service_wake(s);
    return true;
}

str service_reserve(const job_record *r, const char *key, arena *a)
{
    json_t *root = r->reserve.n ? json_loadb(r->reserve.p, r->reserve.n, 0, NULL) : NULL, *v = json_object_get(root, key);
    str value = STR_NULL;
    if (json_is_string(v)) value = arena_copy(a, (str){json_string_value(v), json_string_length(v)});
    if (json_is_integer(v)) value = arena_printf(a, "%lld", (long long)json_integer_value(v));
    if (json_is_boolean(v)) value = json_is_true(v) ? STR("true") : STR("false");
    json_decref(root);
    return value;
}

str service_secret_context(str job_id, const char *end, arena *a) { return arena_printf(a, "job/%.*s/%s", STR_ARG(job_id), end); }
str service_leftover_context(str run_id, const char *end, arena *a) { return arena_printf(a, "leftover/%.*s/%s", STR_ARG(run_id), end); }
