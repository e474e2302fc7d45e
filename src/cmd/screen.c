/* Text for people: columns, bars, numbers. */
#include "cmd/screen.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *v = getenv(names[i]);
        if (v && *v) return strcasestr(v, "utf-8") || strcasestr(v, "utf8"); /* the first that is set decides, locale(7) */
    }
    return false;
}

screen screen_of(FILE *out)
{
    screen s = {.columns = 100, .rows = 24, .blocks = locale_is_utf8()};
    const char *term = getenv("TERM");
    struct winsize w;
    s.terminal = isatty(fileno(out)) && term && *term && strcmp(term, "dumb") != 0;
    if (s.terminal && ioctl(fileno(out), TIOCGWINSZ, &w) == 0) {
        if (w.ws_col) s.columns = w.ws_col < 40 ? 40 : w.ws_col > 1000 ? 1000 : w.ws_col;
        if (w.ws_row) s.rows = w.ws_row < 10 ? 10 : w.ws_row;
    }
    return s;
}

/* The next character of UTF-8 text: its bytes to *ret_bytes; -1 for an invalid byte. */
static int32_t next_character(str s, size_t at, size_t *ret_bytes)
{
    unsigned char c = (unsigned char)s.p[at];
    size_t n = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
    *ret_bytes = 1;
    if (n == 0 || n > s.n - at || !str_is_utf8(str_sub(s, at, n))) return -1;
    *ret_bytes = n;
    if (n == 1) return c;
    int32_t v = c & (0xFF >> (n + 1));
    for (size_t i = 1; i < n; i++) v = v << 6 | (s.p[at + i] & 0x3F);
    return v;
}

static bool is_control(int32_t c)
{
    /* C0, DEL, C1, line separators, and marks that change the direction of text */
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static size_t character_width(int32_t c)
{
    static const int32_t wide[][2] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
    if (is_control(c)) return 1;
    if ((c >= 0x300 && c < 0x370) || c == 0x200B || c == 0x200D || (c >= 0xFE00 && c <= 0xFE0F)) return 0;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (c >= wide[i][0] && c <= wide[i][1]) return 2;
    return 1;
}

size_t screen_width(str text)
{
    size_t width = 0;
    for (size_t i = 0, n; i < text.n; i += n) width += character_width(next_character(text, i, &n));
    return width;
}

/* As much of the text as fits; returns the columns it took. */
static size_t add_columns(buf *b, str text, size_t columns)
{
    size_t width = 0;
    for (size_t i = 0, n; i < text.n; i += n) {
        int32_t c = next_character(text, i, &n);
        size_t w = character_width(c);
        if (width + w > columns) break;
        if (is_control(c)) buf_add_byte(b, '?');
        else buf_add(b, str_sub(text, i, n));
        width += w;
    }
    return width;
}

static void add_spaces(buf *b, size_t n)
{
    while (n--) buf_add_byte(b, ' ');
}

void screen_add(buf *b, str text) { (void)add_columns(b, text, SIZE_MAX); }

void screen_add_lines(buf *b, str text, size_t indent) { screen_add_words(b, text, indent, 0); }

void screen_add_cell(buf *b, str text, size_t columns)
{
    bool cut = screen_width(text) > columns;
    size_t width = add_columns(b, text, cut ? columns - 1 : columns);
    if (cut) buf_add_byte(b, '~'), width++;
    add_spaces(b, columns - width);
}

void screen_add_bar(buf *b, const screen *s, int64_t done, int64_t total, int cells)
{
    int filled = total <= 0 || done <= 0 ? 0 : done >= total ? cells : (int)((double)done * cells / (double)total);
    for (int i = 0; i < cells; i++) buf_add_c(b, i < filled ? (s->blocks ? "█" : "#") : (s->blocks ? "░" : "."));
}

void screen_add_count(buf *b, int64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)(n < 0 ? 0 : n));
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) buf_add_byte(b, ' ');
        buf_add_byte(b, digits[i]);
    }
}

void screen_add_rate(buf *b, double rows_per_s)
{
    if (rows_per_s < 9999.5) buf_printf(b, "%.0f rows/s", rows_per_s);
    else if (rows_per_s < 999500) buf_printf(b, "%.0f k rows/s", rows_per_s / 1e3);
    else buf_printf(b, "%.1f M rows/s", rows_per_s / 1e6);
}

void screen_add_time(buf *b, int64_t seconds)
{
    if (seconds >= 3600) buf_printf(b, "%lld:%02d:%02d", (long long)(seconds / 3600), (int)(seconds % 3600 / 60), (int)(seconds % 60));
    else buf_printf(b, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
}

void screen_add_delay(buf *b, int64_t ms)
{
    if (ms < 1000) buf_printf(b, "%lld ms", (long long)ms);
    else if (ms < 120000) buf_printf(b, "%.1f s", (double)ms / 1e3);
    else if (ms < 7200000) buf_printf(b, "%lld min", (long long)(ms / 60000));
    else buf_printf(b, "%lld h", (long long)(ms / 3600000));
}

static void add_word_line(buf *b, str line, size_t at, size_t columns)
{
    str word;
    size_t column = at;
    for (bool first = true; str_split_next(&line, ' ', &word); first = false) {
        size_t width = screen_width(word);
        if (!first && columns && column + 1 + width > columns) {
            buf_add_byte(b, '\n');
            add_spaces(b, at);
            column = at;
        } else if (!first) {
            buf_add_byte(b, ' ');
            column++;
        }
        screen_add(b, word);
        column += width;
    }
}

void screen_add_words(buf *b, str text, size_t at, size_t columns)
{
    str rest = text, line;
    for (bool first = true; str_split_next(&rest, '\n', &line); first = false) {
        if (!first) {
            buf_add_byte(b, '\n');
            add_spaces(b, at);
        }
        add_word_line(b, line, at, columns);
    }
}

void screen_put_table(FILE *out, const screen_table *t)
{
    size_t widths[SCREEN_TABLE_COLUMNS] = {0};
    for (size_t i = 0; i < t->rows * t->columns; i++) {
        size_t w = screen_width(t->cells[i]);
        if (w > widths[i % t->columns]) widths[i % t->columns] = w;
    }
    for (size_t row = 0; row < t->rows; row++) {
        BUF_AUTO line = BUF_INIT;
        for (size_t i = 0; i < t->columns; i++) {
            if (i) buf_add_c(&line, "  ");
            if (i + 1 < t->columns) screen_add_cell(&line, t->cells[row * t->columns + i], widths[i]);
            else screen_add(&line, t->cells[row * t->columns + i]);
        }
        fprintf(out, "%s\n", buf_c(&line));
    }
}
