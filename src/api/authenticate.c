/* Authentication: signatures V1 and V3, temporary keys, time window, replay. */
#include "api/authenticate.h"

#include <string.h>

#include "base/secret.h"

static bool missing(api_fault *f, const char *name) { return fault_set(f, API_ERROR_MISSING_PARAMETER, str_from_c(name), STR_NULL); }

static bool check_time(catalog *c, str stamp, const char *name, api_fault *f)
{
    if (stamp.n == 0) return missing(f, name);
    int64_t at;
    if (!clock_parse_iso(stamp, &at)) return fault_set(f, API_ERROR_TIMESTAMP_FORMAT, str_from_c(name), STR("write UTC as 2026-01-02T03:04:05Z"));
    int64_t off = clk_wall_us(catalog_clock(c)) - at;
    if (off > API_TIME_WINDOW_US || off < -API_TIME_WINDOW_US)
        return fault_set(f, API_ERROR_TIMESTAMP_EXPIRED, str_from_c(name), STR("it is more than 15 minutes from the server's clock; set the client's clock"));
    return true;
}

/* Key unknown: a dummy is used so that the work is the same, found tells. */
static bool load_key(catalog *c, ratelimit *limit, str id, arena *a, access_key *k, bool *found, api_fault *f)
{
    if (!ratelimit_take(limit, id, clk_mono_us(clk_system()))) return fault_set(f, API_ERROR_THROTTLED, STR("User"), STR_NULL);
    err e = ERR_INIT;
    if (id.n > 128) id = str_sub(id, 0, 128);
    if (!access_key_find(c, id, a, k, &e)) return fault_from_err(f, &e, STR_NULL, STR_NULL, a);
    *found = k->id.n != 0;
    if (!*found) k->secret = STR("no such key: equal work for unknown keys");
    return true;
}

static bool token_fits(const access_key *k, str token, arena *a)
{
    if (token.n == 0 || k->token_hash.n == 0) return token.n == k->token_hash.n;
    return signature_equal(k->token_hash, signature_sha256_hex(token, a));
}

static bool check_key(catalog *c, const access_key *k, bool found, str token, str string_to_sign, bool signature_ok, arena *a, api_fault *f)
{
    if (!found) return fault_set(f, API_ERROR_KEY_NOT_FOUND, STR("AccessKeyId"), STR_NULL);
    if (!k->active) return fault_set(f, API_ERROR_KEY_INACTIVE, STR("AccessKeyId"), STR_NULL);
    if (!signature_ok) return fault_set(f, API_ERROR_SIGNATURE_MISMATCH, string_to_sign, STR_NULL);
    if (!token_fits(k, token, a))
        return fault_set(f, API_ERROR_TOKEN_MALFORMED, STR("SecurityToken"),
                         k->token_hash.n ? STR("it is not the token of this key") : STR("a permanent key takes no SecurityToken"));
    if (k->expires_us && clk_wall_us(catalog_clock(c)) >= k->expires_us) return fault_set(f, API_ERROR_TOKEN_EXPIRED, STR("SecurityToken"), STR_NULL);
    return true;
}

static bool check_nonce(nonce_store *nonces, str key_id, str nonce, const char *name, arena *a, api_fault *f)
{
    if (nonce.n == 0) return missing(f, name);
    if (nonce.n > NONCE_MAX_BYTES) return fault_set(f, API_ERROR_INVALID_PARAMETER, str_from_c(name), STR("at most 256 bytes"));
    err e = ERR_INIT;
    bool fresh;
    if (!nonce_use(nonces, key_id, nonce, &fresh, &e)) return fault_from_err(f, &e, STR_NULL, STR_NULL, a);
    return fresh || fault_set(f, API_ERROR_NONCE_USED, str_from_c(name), STR_NULL);
}

/* The string to sign as the hint of SignatureDoesNotMatch shows it: with the caller's own parameters, but not with their secrets, which would travel on into the
 * caller's logs. Values that name secrets themselves (Reserve) count as such. */
static str shown_string_to_sign(const http_request *r, const parsed_request *p, const name_value *params, size_t n, arena *a)
{
    name_value *shown = arena_array(a, n + 1, sizeof *shown);
    const api_op *op = api_op_find(p->action);
    for (size_t i = 0; shown && i < n; i++) {
        bool hide = (secret_is_named(params[i].name) || secret_is_named(params[i].value)) && !str_eq_nocase(params[i].name, STR("AccessKeyId"));
        for (const api_par *par = op ? op->pars : NULL; par && par->name; par++)
            hide = hide || ((par->flags & PAR_SECRET) && str_eq_nocase(params[i].name, str_from_c(par->name)));
        shown[i] = (name_value){params[i].name, hide ? STR("***") : params[i].value};
    }
    return shown ? signature_v1_string(r->method, shown, n, a) : STR("");
}

static bool authenticate_v1(catalog *c, nonce_store *nonces, ratelimit *limit, const http_request *r, const parsed_request *p, arena *a,
                            access_key *ret, api_fault *f)
{
    str id = request_param(p, "AccessKeyId"), method = request_param(p, "SignatureMethod");
    if (id.n == 0) return missing(f, "AccessKeyId");
    if (method.n && !str_eq_nocase(method, STR("HMAC-SHA1"))) return fault_set(f, API_ERROR_SIGNATURE_METHOD, method, STR("use HMAC-SHA1"));
    bool found;
    if (!check_time(c, request_param(p, "Timestamp"), "Timestamp", f)) return false;
    if (!load_key(c, limit, id, a, ret, &found, f)) return false;
    name_value *params = arena_array(a, p->param_count + 1, sizeof *params);
    size_t n = 0;
    if (!params) return fault_set(f, API_ERROR_INTERNAL, STR_NULL, STR_NULL);
    for (size_t i = 0; i < p->param_count; i++)
        if (!str_eq(p->params[i].name, STR("Signature"))) params[n++] = p->params[i];
    str string_to_sign = signature_v1_string(r->method, params, n, a);
    bool ok = signature_equal(signature_v1(string_to_sign, ret->secret, a), request_param(p, "Signature"));
    str token = request_param(p, "SecurityToken");
    str shown = ok ? STR("") : shown_string_to_sign(r, p, params, n, a);
    if (!check_key(c, ret, found, token, shown, ok, a, f)) return false;
    return check_nonce(nonces, id, request_param(p, "SignatureNonce"), "SignatureNonce", a, f);
}

/* Credential=..,SignedHeaders=..,Signature=.. behind the algorithm. */
static str authorization_part(str header, const char *name)
{
    size_t at = str_find_byte(header, ' ', 0);
    str rest = str_sub(header, at == SIZE_MAX ? header.n : at + 1, SIZE_MAX), piece;
    while (str_split_next(&rest, ',', &piece)) {
        piece = str_trim(piece);
        size_t n = strlen(name);
        if (piece.n > n && str_starts_with(piece, str_from_c(name)) && piece.p[n] == '=') return str_sub(piece, n + 1, SIZE_MAX);
    }
    return STR_NULL;
}

static bool must_be_signed(str signed_headers, api_fault *f)
{
    static const char *const required[] = {"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        str rest = signed_headers, name;
        bool found = false;
        while (str_split_next(&rest, ';', &name)) found = found || str_eq_nocase(name, str_from_c(required[i]));
        if (!found) return fault_set(f, API_ERROR_SIGNATURE_INCOMPLETE, str_from_c(required[i]), STR("SignedHeaders must hold it"));
    }
    return true;
}

static bool authenticate_v3(catalog *c, nonce_store *nonces, ratelimit *limit, const http_request *r, const parsed_request *p, arena *a,
                            access_key *ret, api_fault *f)
{
    str header = request_header(r, "authorization");
    if (!str_starts_with(header, STR("ACS3-HMAC-SHA256 ")))
        return fault_set(f, API_ERROR_SIGNATURE_METHOD, str_sub(header, 0, str_find_byte(header, ' ', 0)), STR("use ACS3-HMAC-SHA256"));
    str id = authorization_part(header, "Credential"), names = authorization_part(header, "SignedHeaders"),
        signature = authorization_part(header, "Signature");
    if (id.n == 0 || names.n == 0 || signature.n == 0)
        return fault_set(f, API_ERROR_SIGNATURE_INCOMPLETE, STR("Authorization"), STR("it holds Credential, SignedHeaders and Signature"));
    if (!must_be_signed(names, f)) return false;
    if (!check_time(c, request_header(r, "x-acs-date"), "x-acs-date", f)) return false;
    bool found;
    if (!load_key(c, limit, id, a, ret, &found, f)) return false;
    str payload = signature_sha256_hex(r->body, a);
    str canonical = signature_v3_canonical(r->method, r->path, p->query, p->query_count, r->headers, r->header_count, names, payload, a);
    str string_to_sign = signature_v3_string(canonical, a);
    bool ok = signature_equal(signature_v3(string_to_sign, ret->secret, a), signature) && str_eq(payload, request_header(r, "x-acs-content-sha256"));
    str token = request_header(r, "x-acs-security-token");
    if (!check_key(c, ret, found, token, string_to_sign, ok, a, f)) return false;
    return check_nonce(nonces, id, request_header(r, "x-acs-signature-nonce"), "x-acs-signature-nonce", a, f);
}

bool request_authenticate(catalog *c, nonce_store *nonces, ratelimit *limit, const http_request *r, const parsed_request *p, arena *a,
                          access_key *ret, api_fault *f)
{
    switch (p->family) {
    case FAMILY_V1: return authenticate_v1(c, nonces, limit, r, p, a, ret, f);
    case FAMILY_V3: return authenticate_v3(c, nonces, limit, r, p, a, ret, f);
    case FAMILY_NONE: break;
    }
    if (p->action.n == 0) return missing(f, "Action");
    return missing(f, request_param(p, "AccessKeyId").n ? "Signature" : "AccessKeyId");
}
