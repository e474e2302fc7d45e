/* Rendering: jansson's dump and libxml2's writer over one tree. */
#include "api/render.h"

#include <libxml/xmlwriter.h>
#include <stdio.h>

#include "base/buf.h"

static int append(const char *p, size_t n, void *ctx)
{
    buf *b = ctx;
    buf_add(b, (str){p, n});
    return b->failed ? -1 : 0;
}

str render_json(const json_t *tree, arena *a)
{
    BUF_AUTO b = BUF_INIT;
    bool ok = json_dump_callback(tree, append, &b, JSON_COMPACT) == 0 && !b.failed;
    return ok ? arena_copy(a, buf_str(&b)) : STR_NULL;
}

static bool write_value(xmlTextWriterPtr w, const char *name, const json_t *v);

/* Bytes at s that XML 1.0 cannot hold, not even escaped (production Char: controls but tab, LF, CR; U+FFFE, U+FFFF): 0, 1 or 3. */
static size_t illegal_bytes(const char *s)
{
    unsigned char c = (unsigned char)*s;
    if (c < 0x20) return c != '\t' && c != '\n' && c != '\r';
    return c == 0xef && (unsigned char)s[1] == 0xbf && ((unsigned char)s[2] == 0xbe || (unsigned char)s[2] == 0xbf) ? 3 : 0;
}

/* Text with every illegal character as U+FFFD. */
static bool write_text(xmlTextWriterPtr w, const char *s)
{
    buf clean = BUF_INIT;
    for (size_t bad; *s; s += bad ? bad : 1) {
        bad = illegal_bytes(s);
        if (bad) buf_add(&clean, STR("\xef\xbf\xbd"));
        else buf_add_byte(&clean, *s);
    }
    const char *text = buf_c(&clean);
    bool ok = !clean.failed && xmlTextWriterWriteString(w, (const xmlChar *)text) >= 0;
    buf_finish(&clean);
    return ok;
}

static bool write_content(xmlTextWriterPtr w, const json_t *v)
{
    char number[32];
    switch (json_typeof(v)) {
    case JSON_OBJECT: {
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)(uintptr_t)v, key, member) if (!write_value(w, key, member)) return false;
        return true;
    }
    case JSON_STRING: return write_text(w, json_string_value(v));
    case JSON_INTEGER:
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
        return xmlTextWriterWriteString(w, (const xmlChar *)number) >= 0;
    case JSON_REAL:
        snprintf(number, sizeof number, "%.17g", json_real_value(v));
        return xmlTextWriterWriteString(w, (const xmlChar *)number) >= 0;
    case JSON_TRUE: return xmlTextWriterWriteString(w, (const xmlChar *)"true") >= 0;
    case JSON_FALSE: return xmlTextWriterWriteString(w, (const xmlChar *)"false") >= 0;
    case JSON_ARRAY:
    case JSON_NULL: break;
    }
    return true;
}

/* XML names may not start with a digit or hold other signs; answer members that do (user data as keys) get an underscore. */
static const xmlChar *element_name(const char *name, char *out, size_t out_bytes)
{
    size_t n = 0;
    for (; *name && n + 2 < out_bytes; name++) {
        char c = *name;
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        bool later = (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (n == 0 && !letter) out[n++] = '_';
        if (letter || later) out[n++] = c;
        else if (n) out[n++] = '_';
    }
    if (n == 0) out[n++] = '_';
    out[n] = 0;
    return (const xmlChar *)out;
}

static bool write_value(xmlTextWriterPtr w, const char *name, const json_t *v)
{
    if (json_is_array(v)) {
        size_t i;
        json_t *item;
        json_array_foreach((json_t *)(uintptr_t)v, i, item) if (!write_value(w, name, item)) return false;
        return true;
    }
    char element[256];
    return xmlTextWriterStartElement(w, element_name(name, element, sizeof element)) >= 0 && write_content(w, v) && xmlTextWriterEndElement(w) >= 0;
}

static str take(xmlBufferPtr b, bool ok, arena *a)
{
    str s = ok ? arena_copy(a, (str){(const char *)xmlBufferContent(b), (size_t)xmlBufferLength(b)}) : STR_NULL;
    xmlBufferFree(b);
    return s;
}

str render_xml(const json_t *tree, str root, arena *a)
{
    xmlBufferPtr b = xmlBufferCreate();
    if (!b) return STR_NULL;
    xmlBufferSetAllocationScheme(b, XML_BUFFER_ALLOC_DOUBLEIT); /* the default grows by what each piece needs: quadratic for a long DbObject */
    xmlTextWriterPtr w = xmlNewTextWriterMemory(b, 0);
    char *name = arena_copy_c(a, root);
    bool ok = w && name && xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL) >= 0 && write_value(w, name, tree) && xmlTextWriterEndDocument(w) >= 0;
    if (w) xmlFreeTextWriter(w);
    return take(b, ok, a);
}
