/* Request signatures V1 and V3. */
#include "codec/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"

static int compare_pairs(const void *a, const void *b)
{
    const name_value *x = a, *y = b;
    int c = str_cmp(x->name, y->name);
    return c ? c : str_cmp(x->value, y->value);
}

void signature_sort(name_value *pairs, size_t count)
{
    if (count > 1) qsort(pairs, count, sizeof *pairs, compare_pairs);
}

static void add_query(buf *b, const name_value *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i) buf_add_byte(b, '&');
        encode_percent(b, pairs[i].name);
        buf_add_byte(b, '=');
        encode_percent(b, pairs[i].value);
    }
}

static str keep(buf *b, arena *a)
{
    str s = b->failed ? STR_NULL : arena_copy(a, buf_str(b));
    return s;
}

str signature_v1_string(str method, const name_value *params, size_t count, arena *a)
{
    BUF_AUTO canonical = BUF_INIT;
    BUF_AUTO out = BUF_INIT;
    add_query(&canonical, params, count);
    buf_add(&out, method);
    buf_add(&out, STR("&%2F&"));
    encode_percent(&out, buf_str(&canonical));
    return canonical.failed ? STR_NULL : keep(&out, a);
}

str signature_v1(str string_to_sign, str secret, arena *a)
{
    if (secret.n > SIZE_MAX / 2) return STR_NULL;
    char *key = malloc(secret.n + 1);
    if (!key) return STR_NULL;
    if (secret.n) memcpy(key, secret.p, secret.n);
    key[secret.n] = '&';
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    HMAC(EVP_sha1(), key, (int)secret.n + 1, (const unsigned char *)string_to_sign.p, string_to_sign.n, mac, &n);
    OPENSSL_cleanse(key, secret.n + 1);
    free(key);
    BUF_AUTO out = BUF_INIT;
    encode_base64(&out, (str){(const char *)mac, n});
    return keep(&out, a);
}

/* name:value\n, the values of repeated headers sorted and joined. */
static void add_header(buf *b, str name, const name_value *headers, size_t count, arena *a)
{
    name_value *same = arena_array(a, count ? count : 1, sizeof *same);
    size_t n = 0;
    if (!same) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(headers[i].name, name)) same[n++] = (name_value){name, str_trim(headers[i].value)};
    signature_sort(same, n);
    for (size_t i = 0; i < name.n; i++) buf_add_byte(b, (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]));
    buf_add_byte(b, ':');
    for (size_t i = 0; i < n; i++) {
        if (i) buf_add_byte(b, ',');
        buf_add(b, same[i].value);
    }
    buf_add_byte(b, '\n');
}

str signature_v3_canonical(str method, str path, const name_value *query, size_t query_count, const name_value *headers, size_t header_count,
                           str signed_headers, str payload_sha256_hex, arena *a)
{
    BUF_AUTO out = BUF_INIT;
    buf_add(&out, method);
    buf_add_byte(&out, '\n');
    buf_add(&out, path);
    buf_add_byte(&out, '\n');
    add_query(&out, query, query_count);
    buf_add_byte(&out, '\n');
    str rest = signed_headers, name;
    while (str_split_next(&rest, ';', &name)) add_header(&out, name, headers, header_count, a);
    buf_add_byte(&out, '\n');
    buf_add(&out, signed_headers);
    buf_add_byte(&out, '\n');
    buf_add(&out, payload_sha256_hex);
    return keep(&out, a);
}

str signature_sha256_hex(str bytes, arena *a)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)(bytes.n ? bytes.p : ""), bytes.n, digest);
    BUF_AUTO out = BUF_INIT;
    buf_add_hex(&out, (str){(const char *)digest, sizeof digest});
    return keep(&out, a);
}

str signature_v3_string(str canonical, arena *a)
{
    str hash = signature_sha256_hex(canonical, a);
    return arena_printf(a, "ACS3-HMAC-SHA256\n%.*s", STR_ARG(hash));
}

str signature_v3(str string_to_sign, str secret, arena *a)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    HMAC(EVP_sha256(), secret.n ? secret.p : "", (int)secret.n, (const unsigned char *)string_to_sign.p, string_to_sign.n, mac, &n);
    BUF_AUTO out = BUF_INIT;
    buf_add_hex(&out, (str){(const char *)mac, n});
    return keep(&out, a);
}

bool signature_equal(str a, str b) { return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0; }
