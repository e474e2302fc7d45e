/* Text encodings: hex, base64, percent. */
#include "base/encode.h"

static const char base64_set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void encode_base64(buf *out, str bytes)
{
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t v = (uint32_t)(uint8_t)bytes.p[i] << 16;
        if (left > 1) v |= (uint32_t)(uint8_t)bytes.p[i + 1] << 8;
        if (left > 2) v |= (uint8_t)bytes.p[i + 2];
        char four[4] = {base64_set[v >> 18], base64_set[v >> 12 & 63], left > 1 ? base64_set[v >> 6 & 63] : '=', left > 2 ? base64_set[v & 63] : '='};
        buf_add(out, (str){four, 4});
    }
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

str decode_base64(arena *a, str text)
{
    if (text.n % 4) return STR_NULL;
    char *out = arena_bytes(a, text.n / 4 * 3 + 1);
    if (!out) return STR_NULL;
    size_t n = 0;
    for (size_t i = 0; i < text.n; i += 4) {
        size_t pad = i + 4 == text.n ? (size_t)(text.p[i + 3] == '=') + (size_t)(text.p[i + 3] == '=' && text.p[i + 2] == '=') : 0;
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            int d = k >= 4 - pad ? 0 : base64_value(text.p[i + k]);
            if (d < 0) return STR_NULL;
            v = v << 6 | (uint32_t)d;
        }
        out[n++] = (char)(v >> 16);
        if (pad < 2) out[n++] = (char)(v >> 8 & 255);
        if (pad < 1) out[n++] = (char)(v & 255);
    }
    out[n] = 0;
    return (str){out, n};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

str decode_hex(arena *a, str text)
{
    if (text.n % 2) return STR_NULL;
    char *out = arena_bytes(a, text.n / 2 + 1);
    if (!out) return STR_NULL;
    for (size_t i = 0; i < text.n; i += 2) {
        int hi = hex_value(text.p[i]), lo = hex_value(text.p[i + 1]);
        if (hi < 0 || lo < 0) return STR_NULL;
        out[i / 2] = (char)(hi << 4 | lo);
    }
    out[text.n / 2] = 0;
    return (str){out, text.n / 2};
}

void encode_percent(buf *out, str bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < bytes.n; i++) {
        char c = bytes.p[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            buf_add_byte(out, c);
        } else {
            char three[3] = {'%', digits[(uint8_t)c >> 4], digits[(uint8_t)c & 15]};
            buf_add(out, (str){three, 3});
        }
    }
}

str decode_form(arena *a, str text)
{
    char *out = arena_bytes(a, text.n + 1);
    if (!out) return STR_NULL;
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int hi, lo;
        if (text.p[i] == '+') {
            out[n++] = ' ';
        } else if (text.p[i] == '%' && i + 2 < text.n && (hi = hex_value(text.p[i + 1])) >= 0 && (lo = hex_value(text.p[i + 2])) >= 0) {
            out[n++] = (char)(hi << 4 | lo);
            i += 2;
        } else {
            out[n++] = text.p[i];
        }
    }
    out[n] = 0;
    return (str){out, n};
}
