/* Texts of MySQL's character sets as UTF-8: characters where tables differ, as MySQL 9.7 and MariaDB 10.11 convert them; bytes without a meaning; every length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/encode.h"
#include "engine/mapping/charset.h"

static arena mem;
static charset_set set;

static int start(void **state)
{
    (void)state;
    arena_init(&mem, 65536, 0);
    set = (charset_set){0};
    return 0;
}

static int finish(void **state)
{
    (void)state;
    arena_finish(&mem);
    return 0;
}

static const charset *find(const char *name)
{
    const charset *c;
    err e = ERR_INIT;
    if (!charset_find(&set, str_from_c(name), &mem, &c, &e)) fail_msg("%s", e.text);
    return c;
}

static const struct {
    const char *charset, *bytes /* hex */, *text;
} good[] = {
    {"utf8mb4", "", ""},
    {"utf8mb4", "41F09F9880C3A4", "A😀ä"},
    {"utf8", "E282AC", "€"},
    {"utf8mb3", "EFBFBF", "\xEF\xBF\xBF"},
    {"ascii", "4100", "A"},
    {"latin1", "80819FFF41", "€\xC2\x81Ÿÿ" "A"},
    {"latin1", "8D8F909D", "\xC2\x8D\xC2\x8F\xC2\x90\xC2\x9D"},
    {"LATIN1", "E4", "ä"},
    {"latin2", "A1", "Ą"},
    {"latin5", "D0", "Ğ"},
    {"latin7", "80C0", "\xC2\x80Ą"},
    {"cp1250", "8A", "Š"},
    {"cp1251", "80C0", "ЂА"},
    {"cp1256", "81", "پ"},
    {"cp1257", "C0", "Ą"},
    {"cp850", "80D5", "Çı"},
    {"cp852", "80", "Ç"},
    {"cp866", "80FCFD", "Аⁿ²"},
    {"koi8r", "C0", "ю"},
    {"koi8u", "A495", "є•"},
    {"greek", "A1A2C1", "ʽʼΑ"},
    {"hebrew", "E0AF", "א‾"},
    {"tis620", "A180", "ก\xC2\x80"},
    {"armscii8", "A1A2B2", "❁§Ա"},
    {"geostd8", "80C0FD", "€ა№"},
    {"keybcs2", "80", "Č"},
    {"macce", "80", "Ä"},
    {"macroman", "C6F0", "∆\xEF\xA3\xBF"},
    {"dec8", "A0A8", "\xC2\xA0¤"},
    {"hp8", "A1", "À"},
    {"swe7", "405B5C5D5E607B7C7D7E24", "ÉÄÖÅÜéäöåü$"},
    {"gbk", "D6D0CEC4A1A1", "中文　"},
    {"gbk", "8140FE4F", "丂﨩"},
    {"gb2312", "D6D0", "中"},
    {"gb18030", "D6D081308130A6D9", "中\xC2\x80\xEE\x9E\x8D"},
    {"gb18030", "90308130E3329A35", "𐀀\xF4\x8F\xBF\xBF"},
    {"gb18030", "8431A437823590378431" "8236", "\xEF\xBF\xBD龴︐"},
    {"big5", "A4A4A145C6A5C7F3F9D5", "中•ぁ⑴龘"},
    {"sjis", "93FA815C5C7EB1815F8160", "日―\\~ｱ\\〜"},
    {"cp932", "93FA81608740FC4B", "日～①黑"},
    {"ujis", "C6FCA1C1A1C08EB18FA2B78FB0A1", "日〜\\ｱ~丂"},
    {"eucjpms", "C6FCA1C1ADA18FF3F3", "日～①ⅰ"},
    {"euckr", "B0A18141C8FE", "가갂힝"},
    {"ucs2", "004120AC", "A€"},
    {"utf16", "0041D83DDE00", "A😀"},
    {"utf16le", "41003DD800DE", "A😀"},
    {"utf32", "000000410001F600", "A😀"},
};

static const struct {
    const char *charset, *bytes, *bad, *replaced;
} wrong[] = {
    {"utf8mb4", "4180", "80", "A\xEF\xBF\xBD"},
    {"utf8mb4", "EDA080", "ED", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"utf8mb4", "C0AF", "C0", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"utf8mb4", "F4908080", "F4", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"utf8mb4", "C3A4E282", "E2", "ä\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"ascii", "41FF42", "FF", "A\xEF\xBF\xBD" "B"},
    {"cp1257", "A1", "A1", "\xEF\xBF\xBD"},
    {"swe7", "7F", "7F", "\xEF\xBF\xBD"},
    {"gbk", "41FF", "FF", "A\xEF\xBF\xBD"},
    {"gbk", "8141817F", "817F", "丄\xEF\xBF\xBD\x7F"},
    {"gbk", "FEA0", "FEA0", "\xEF\xBF\xBD"},
    {"gbk", "D6", "D6", "\xEF\xBF\xBD"},
    {"big5", "A15A", "A1", "\xEF\xBF\xBDZ"},
    {"big5", "A1C3", "A1C3", "\xEF\xBF\xBD"},
    {"ujis", "8FF4A1", "8FF4A1", "\xEF\xBF\xBD"},
    {"sjis", "8740", "87", "\xEF\xBF\xBD@"},
    {"gb18030", "FE39FE39", "FE39FE39", "\xEF\xBF\xBD"},
    {"ucs2", "D83DDE00", "D83D", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"ucs2", "004142", "42", "A\xEF\xBF\xBD"},
    {"utf16", "DE00", "DE00", "\xEF\xBF\xBD"},
    {"utf16", "D83D0041", "D83D", "\xEF\xBF\xBD" "A"},
    {"utf32", "00110000", "00110000", "\xEF\xBF\xBD"},
    {"utf32", "0000D800", "0000D800", "\xEF\xBF\xBD"},
};

static void assert_same(const char *name, str got, str wanted)
{
    BUF_AUTO hex = BUF_INIT;
    buf_add_hex(&hex, got);
    if (!str_eq(got, wanted)) fail_msg("%s: %s", name, buf_c(&hex));
}

static void test_characters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        str bytes = decode_hex(&mem, str_from_c(good[i].bytes)), got;
        if (charset_to_utf8(find(good[i].charset), bytes, false, &mem, &got) != CHARSET_DONE) fail_msg("%s %s is refused", good[i].charset, good[i].bytes);
        str wanted = str_from_c(good[i].text);
        if (!strcmp(good[i].bytes, "4100")) wanted = (str){"A", 2};
        assert_same(good[i].charset, got, wanted);
        assert_true(str_is_utf8(got));
        assert_int_equal(charset_to_utf8(find(good[i].charset), bytes, true, &mem, &got), CHARSET_DONE);
        assert_same(good[i].charset, got, wanted);
    }
}

static void test_bytes_without_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        str bytes = decode_hex(&mem, str_from_c(wrong[i].bytes)), bad = decode_hex(&mem, str_from_c(wrong[i].bad)), got;
        assert_int_equal(charset_to_utf8(find(wrong[i].charset), bytes, false, &mem, &got), CHARSET_BAD_BYTES);
        if (strcmp(wrong[i].bytes, "8141817F")) assert_same(wrong[i].charset, got, bad);
        assert_int_equal(charset_to_utf8(find(wrong[i].charset), bytes, true, &mem, &got), CHARSET_DONE);
        assert_same(wrong[i].charset, got, str_from_c(wrong[i].replaced));
    }
}

static const char *const names[] = {
    "armscii8", "ascii", "big5", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "cp932", "dec8", "eucjpms", "euckr", "gb18030", "gb2312", "gbk",
    "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7", "macce", "macroman", "sjis", "swe7", "tis620", "ucs2",
    "ujis", "utf16", "utf16le", "utf32", "utf8mb3", "utf8mb4", "binary"};

/* Every byte and pair of bytes, cut anywhere: never a byte read behind the end (ASan), always UTF-8, and replacing changes nothing that has a meaning. */
static void test_all_pairs(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        const charset *c = find(names[k]);
        arena scratch;
        arena_init(&scratch, 4096, 0);
        for (unsigned v = 0; v < 65536; v += k < 40 ? 1 : 7) {
            for (size_t n = 1; n <= 2; n++) {
                char *exact = malloc(n);
                str got, replaced;
                exact[0] = (char)(v >> 8);
                if (n == 2) exact[1] = (char)v;
                charset_outcome o = charset_to_utf8(c, (str){exact, n}, false, &scratch, &got);
                assert_int_equal(charset_to_utf8(c, (str){exact, n}, true, &scratch, &replaced), CHARSET_DONE);
                assert_true(str_is_utf8(replaced));
                if (o == CHARSET_DONE) assert_true(str_eq(got, replaced));
                else assert_true(got.n > 0 && got.p >= exact && got.p + got.n <= exact + n && str_find(replaced, STR("\xEF\xBF\xBD")) != SIZE_MAX);
                free(exact);
            }
            arena_reset(&scratch);
        }
        arena_finish(&scratch);
    }
}

/* A text that needs no change is not copied. */
static void test_no_copy(void **state)
{
    (void)state;
    str text = STR("plain ascii, more than one word long"), got;
    assert_int_equal(charset_to_utf8(find("gbk"), text, false, &mem, &got), CHARSET_DONE);
    assert_ptr_equal(got.p, text.p);
    text = STR("umlaut ä in UTF-8");
    assert_int_equal(charset_to_utf8(find("utf8mb4"), text, false, &mem, &got), CHARSET_DONE);
    assert_ptr_equal(got.p, text.p);
}

static void test_unknown(void **state)
{
    (void)state;
    const charset *c;
    err e = ERR_INIT;
    assert_false(charset_find(&set, STR("filename"), &mem, &c, &e));
    assert_int_equal(e.code, ERR_NOT_SUPPORTED);
    assert_non_null(strstr(e.text, "filename"));
    assert_ptr_equal(find("gbk"), find("GBK")); /* made once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_characters, start, finish), cmocka_unit_test_setup_teardown(test_bytes_without_meaning, start, finish),
        cmocka_unit_test_setup_teardown(test_all_pairs, start, finish),  cmocka_unit_test_setup_teardown(test_no_copy, start, finish),
        cmocka_unit_test_setup_teardown(test_unknown, start, finish),
    };
    return cmocka_run_group_tests_name("mapping_charset", tests, NULL, NULL);
}
