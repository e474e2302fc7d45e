/* The header guard against request smuggling (libmicrohttpd 0.9.75 lets these pass: measured). */
#include "http/guard.h"

static bool is_token(str s)
{
    static const char other[] = "!#$%&'*+-.^_`|~";
    if (s.n == 0) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (c == 0 || str_find_byte((str){other, sizeof other - 1}, c, 0) == SIZE_MAX)) return false;
    }
    return true;
}

const char *guard_headers(const name_value *headers, size_t count, bool http_1_1)
{
    static const char *const once[] = {"host", "content-length", "transfer-encoding", "authorization", "content-type"};
    size_t seen[sizeof once / sizeof *once] = {0};
    for (size_t i = 0; i < count; i++) {
        str name = headers[i].name, value = headers[i].value;
        if (!is_token(name)) return "a header name holds a sign that is not allowed";
        for (size_t k = 0; k < sizeof once / sizeof *once; k++)
            if (str_eq_nocase(name, str_from_c(once[k])) && ++seen[k] > 1) return "a header that may stand once is repeated";
        uint64_t length;
        if (str_eq_nocase(name, STR("content-length")) && !str_to_u64(value, &length)) return "Content-Length is not a number";
        if (str_eq_nocase(name, STR("transfer-encoding")) && !str_eq_nocase(value, STR("chunked"))) return "this Transfer-Encoding is not known";
    }
    if (seen[1] && seen[2]) return "Content-Length and Transfer-Encoding together";
    if (http_1_1 && !seen[0]) return "no Host header";
    return NULL;
}
