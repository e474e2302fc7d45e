/* Access keys in the catalog; secrets sealed. */
#include "catalog/access_key.h"

#include "base/random.h"
#include "codec/signature.h"

#define ID_CHARS 20
#define SECRET_CHARS 30
#define TOKEN_CHARS 64

static str sealing_context(str id, arena *a) { return arena_printf(a, "key/%.*s", STR_ARG(id)); }

static str new_token(arena *a, const char *prefix, size_t chars)
{
    char text[80];
    random_id(text, chars);
    return arena_printf(a, "%s%s", prefix, text);
}

static bool insert(catalog *c, access_key *k, arena *a, err *e)
{
    str sealed;
    if (!k->id.p || !k->secret.p) return err_no_memory(e, "an access key");
    if (!catalog_seal(c, k->secret, sealing_context(k->id, a), a, &sealed, e)) return false;
    if (!catalog_begin(c, e)) return false;
    bool ok = catalog_exec(c, e,
                           "INSERT INTO access_key(id, name, secret, token, policy, parent, active, created_us, expires_us) "
                           "VALUES(?,?,?,?,?,?,1,?,?)",
                           "ssbsssii", k->id, k->name.p ? k->name : STR(""), sealed, k->token_hash, k->policy, k->parent, k->created_us, k->expires_us);
    if (!ok) {
        catalog_rollback(c);
        return false;
    }
    return catalog_commit(c, e);
}

bool access_key_create(catalog *c, str name, str policy, arena *a, access_key *ret, err *e)
{
    if (name.n > ACCESS_KEY_MAX_NAME_BYTES) return err_set(e, ERR_LIMIT, "the name of a key may have at most %d bytes", ACCESS_KEY_MAX_NAME_BYTES);
    if (policy.n > ACCESS_KEY_MAX_POLICY_BYTES) return err_set(e, ERR_LIMIT, "a policy may have at most %d bytes", ACCESS_KEY_MAX_POLICY_BYTES);
    access_key k = {.id = new_token(a, "SLAK", ID_CHARS), .name = name, .secret = new_token(a, "", SECRET_CHARS), .policy = policy, .active = true,
                    .created_us = clk_wall_us(catalog_clock(c))};
    if (!insert(c, &k, a, e)) return false;
    *ret = k;
    return true;
}

bool access_key_create_temporary(catalog *c, str parent, int64_t ttl_s, arena *a, access_key *ret, err *e)
{
    if (ttl_s < 1 || ttl_s > ACCESS_KEY_MAX_TTL_S)
        return err_set(e, ERR_BAD_INPUT, "the life time of a temporary key is 1 to %d seconds", ACCESS_KEY_MAX_TTL_S);
    access_key p;
    if (!access_key_find(c, parent, a, &p, e)) return false;
    if (p.id.n == 0) return err_set(e, ERR_KEY_NOT_FOUND, "there is no access key %.*s", STR_ARG(parent));
    if (p.token_hash.n) return err_set(e, ERR_BAD_INPUT, "%.*s is a temporary key itself; name a permanent one", STR_ARG(parent));
    int64_t now = clk_wall_us(catalog_clock(c));
    access_key k = {.id = new_token(a, "STS.", ID_CHARS), .name = p.name, .secret = new_token(a, "", SECRET_CHARS), .token = new_token(a, "", TOKEN_CHARS),
                    .policy = p.policy, .parent = p.id, .active = true, .created_us = now, .expires_us = now + ttl_s * 1000000};
    k.token_hash = signature_sha256_hex(k.token, a);
    if (!k.token.p || !k.token_hash.p) return err_no_memory(e, "a temporary key");
    if (!insert(c, &k, a, e)) return false;
    *ret = k;
    return true;
}

static void read_row(const catalog_rows *r, arena *a, access_key *k)
{
    *k = (access_key){.id = catalog_text(r, 0, a), .name = catalog_text(r, 1, a), .token_hash = catalog_text(r, 2, a), .policy = catalog_text(r, 3, a),
                      .parent = catalog_text(r, 4, a), .active = catalog_i64(r, 5) != 0, .created_us = catalog_i64(r, 6),
                      .expires_us = catalog_i64(r, 7)};
}

#define COLUMNS "id, name, token, policy, parent, active, created_us, expires_us"

bool access_key_find(catalog *c, str id, arena *a, access_key *ret, err *e)
{
    access_key k = {0};
    str sealed = STR_NULL;
    if (!catalog_begin(c, e)) return false;
    catalog_rows rows;
    bool ok = catalog_select(c, &rows, e, "SELECT " COLUMNS ", secret FROM access_key WHERE id = ?", "s", id);
    if (ok) {
        if (catalog_next(c, &rows, e)) {
            read_row(&rows, a, &k);
            sealed = catalog_text(&rows, 8, a);
        } else if (e->code != ERR_NONE) {
            ok = false;
        }
        catalog_rows_end(&rows);
    }
    catalog_rollback(c);
    if (ok && k.id.n) ok = catalog_unseal(c, sealed, sealing_context(k.id, a), a, &k.secret, e);
    if (ok) *ret = k;
    return ok;
}

#define KEY_LIST_MAX 10000

bool access_key_list(catalog *c, arena *a, access_key **ret, uint32_t *ret_count, err *e)
{
    access_key *list = arena_array(a, KEY_LIST_MAX, sizeof *list);
    if (!list) return err_no_memory(e, "the list of keys");
    uint32_t n = 0;
    if (!catalog_begin(c, e)) return false;
    catalog_rows rows;
    bool ok = catalog_select(c, &rows, e, "SELECT " COLUMNS " FROM access_key ORDER BY created_us, id LIMIT ?", "i", (int64_t)KEY_LIST_MAX);
    if (ok) {
        while (catalog_next(c, &rows, e)) read_row(&rows, a, &list[n++]);
        ok = e->code == ERR_NONE;
        catalog_rows_end(&rows);
    }
    catalog_rollback(c);
    if (ok) *ret = list, *ret_count = n;
    return ok;
}

bool access_key_delete(catalog *c, str id, bool *ret_found, err *e)
{
    if (!catalog_begin(c, e)) return false;
    if (!catalog_exec(c, e, "DELETE FROM access_key WHERE parent = ?", "s", id) || !catalog_exec(c, e, "DELETE FROM access_key WHERE id = ?", "s", id)) {
        catalog_rollback(c);
        return false;
    }
    bool found = catalog_changes(c) > 0;
    if (!catalog_commit(c, e)) return false;
    *ret_found = found;
    return true;
}
