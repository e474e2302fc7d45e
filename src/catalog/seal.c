/* Secrets at rest. Layout of a sealed value: version 1 (1 byte), nonce (12), AES-256-GCM ciphertext, tag (16). */
#include <openssl/evp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/random.h"
#include "catalog/db_priv.h"

#define SEAL_VERSION 1
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define OVERHEAD (1 + NONCE_BYTES + TAG_BYTES)
#define KEY_CHECK_TEXT STR("sluice key check")
#define KEY_CHECK_CONTEXT STR("meta/key_check")

bool catalog_seal(catalog *c, str plain, str context, arena *a, str *ret_sealed, err *e)
{
    if (plain.n > INT32_MAX || context.n > INT32_MAX) return err_set(e, ERR_LIMIT, "a secret is too large");
    unsigned char *out = (unsigned char *)arena_bytes(a, plain.n + OVERHEAD);
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    if (!out || !x) {
        EVP_CIPHER_CTX_free(x);
        return err_no_memory(e, "a sealed secret");
    }
    out[0] = SEAL_VERSION;
    unsigned char *nonce = out + 1, *text = nonce + NONCE_BYTES, *tag = text + plain.n;
    random_bytes(nonce, NONCE_BYTES);
    int n = 0, tail = 0;
    bool ok = EVP_EncryptInit_ex(x, EVP_aes_256_gcm(), NULL, c->key, nonce) &&
              EVP_EncryptUpdate(x, NULL, &n, (const unsigned char *)context.p, (int)context.n) &&
              EVP_EncryptUpdate(x, text, &n, (const unsigned char *)(plain.n ? plain.p : ""), (int)plain.n) &&
              EVP_EncryptFinal_ex(x, text + n, &tail) && EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag);
    EVP_CIPHER_CTX_free(x);
    if (!ok) return err_set(e, ERR_INTERNAL, "AES-256-GCM is not available");
    *ret_sealed = (str){(char *)out, plain.n + OVERHEAD};
    return true;
}

bool catalog_unseal(catalog *c, str sealed, str context, arena *a, str *ret_plain, err *e)
{
    if (sealed.n < OVERHEAD || sealed.n > INT32_MAX || sealed.p[0] != SEAL_VERSION)
        return err_set(e, ERR_CORRUPT, "the sealed secret %.*s is not well formed", STR_ARG(context));
    size_t n = sealed.n - OVERHEAD;
    const unsigned char *nonce = (const unsigned char *)sealed.p + 1, *text = nonce + NONCE_BYTES;
    unsigned char tag[TAG_BYTES];
    memcpy(tag, text + n, sizeof tag);
    char *out = arena_bytes(a, n + 1);
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    if (!out || !x) {
        EVP_CIPHER_CTX_free(x);
        return err_no_memory(e, "a secret");
    }
    int len = 0;
    bool ok = EVP_DecryptInit_ex(x, EVP_aes_256_gcm(), NULL, c->key, nonce) &&
              EVP_DecryptUpdate(x, NULL, &len, (const unsigned char *)context.p, (int)context.n) &&
              EVP_DecryptUpdate(x, (unsigned char *)out, &len, text, (int)n) &&
              EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) &&
              EVP_DecryptFinal_ex(x, (unsigned char *)out + len, &len);
    EVP_CIPHER_CTX_free(x);
    if (!ok) {
        secret_zero(out, n);
        return err_set(e, ERR_SECRET_KEY, "the sealed secret %.*s does not open with %s/secret.key", STR_ARG(context),
                       c->dir);
    }
    out[n] = 0;
    *ret_plain = (str){out, n};
    return true;
}

/* The file holds 64 hex digits and a line feed. */
static bool read_key(catalog *c, int fd, const char *path, err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return err_set_errno(e, errno, path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
        return err_set(e, ERR_SECRET_KEY, "%s has mode %04o: others may read it; run chmod 600 on it", path,
                       (unsigned)st.st_mode & 07777);
    char text[2 * CATALOG_KEY_BYTES + 2];
    ssize_t n = pread(fd, text, sizeof text, 0);
    if (n < 0) return err_set_errno(e, errno, path);
    arena a;
    arena_init(&a, 256, 0);
    str key = decode_hex(&a, str_trim((str){text, (size_t)n}));
    bool ok = key.n == CATALOG_KEY_BYTES;
    if (ok) memcpy(c->key, key.p, CATALOG_KEY_BYTES);
    if (key.p) secret_zero((char *)(uintptr_t)key.p, key.n);
    secret_zero(text, sizeof text);
    arena_finish(&a);
    return ok || err_set(e, ERR_SECRET_KEY, "%s does not hold a key of 64 hex digits", path);
}

static bool create_key(catalog *c, const char *path, err *e)
{
    random_bytes(c->key, CATALOG_KEY_BYTES);
    BUF_AUTO b = BUF_INIT;
    buf_add_hex(&b, (str){(char *)c->key, CATALOG_KEY_BYTES});
    buf_add_byte(&b, '\n');
    if (b.failed) return err_no_memory(e, "the key file");
    bool ok = file_write_atomic(path, buf_str(&b), 0600, e);
    secret_zero(b.p, b.n);
    return ok;
}

/* The stored check value; ret->p == NULL in a new store. */
static bool stored_check(catalog *c, arena *a, str *ret, err *e)
{
    catalog_rows rows;
    *ret = STR_NULL;
    if (!catalog_select(c, &rows, e, "SELECT value FROM meta WHERE name='key_check'", "")) return false;
    bool ok = true;
    if (catalog_next(c, &rows, e)) *ret = catalog_text(&rows, 0, a);
    else ok = e->code == ERR_NONE;
    catalog_rows_end(&rows);
    return ok;
}

static bool load_key(catalog *c, const char *path, arena *a, err *e)
{
    str sealed, plain;
    if (!stored_check(c, a, &sealed, e)) return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT) return err_set_errno(e, errno, path);
    if (fd >= 0) {
        bool ok = read_key(c, fd, path, e);
        close(fd);
        if (!ok) return false;
    } else if (sealed.p) {
        return err_set(e, ERR_SECRET_KEY, "%s is missing: restore it, the stored secrets need it", path);
    } else if (!create_key(c, path, e)) {
        return false;
    }
    if (sealed.p) return catalog_unseal(c, sealed, KEY_CHECK_CONTEXT, a, &plain, e);
    return catalog_seal(c, KEY_CHECK_TEXT, KEY_CHECK_CONTEXT, a, &sealed, e) &&
           catalog_exec(c, e, "INSERT INTO meta(name,value) VALUES('key_check',?)", "b", sealed);
}

bool catalog_load_key(catalog *c, err *e)
{
    char path[CATALOG_PATH_BYTES];
    snprintf(path, sizeof path, "%s/secret.key", c->dir);
    arena a;
    arena_init(&a, 512, 0);
    bool ok = load_key(c, path, &a, e);
    arena_finish(&a);
    return ok;
}
