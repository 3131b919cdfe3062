#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "sql/split.h"

/* Entries are shown as "LINE:text", COPY as "LINE:copy text", its data as "LINE:data
 * text", separated by "|". */
static char *render(const struct rt_script *script)
{
    static const char *const kinds[] = {"", "copy ", "data "};
    struct rt_str out = {0};

    for (size_t i = 0; i < script->count; i++) {
        const struct rt_stmt *stmt = &script->stmts[i];

        rt_str_addf(&out, "%s%u:%s", i > 0 ? "|" : "", stmt->line, kinds[stmt->kind]);
        rt_str_addn(&out, script->text + stmt->start, stmt->len);
    }
    return rt_str_take(&out);
}

/* The input without a terminating NUL, so that a sanitizer sees a read past the end. */
static char *exact(const char *text, size_t len)
{
    char *copy = rt_alloc(len);

    memcpy(copy, text, len);
    return copy;
}

static const struct {
    const char *name, *input, *expected;
} splits[] = {
    /* statements and what is between them */
    {"empty file", "", ""},
    {"only white space", " \t\r\n\f\v\n", ""},
    {"only comments", "-- a;\n/* b; */\n--", ""},
    {"only a byte-order mark", "\xef\xbb\xbf", ""},
    {"byte-order mark", "\xef\xbb\xbfselect 1;", "1:select 1;"},
    {"two on a line", "select 1;select 2; ", "1:select 1;|1:select 2;"},
    {"no semicolon at the end", "a;\nb c \r\n\t\n", "1:a;|2:b c"},
    {"comment after the last", "a -- b\n-- c\n\n", "1:a"},
    {"comments after the last", "a /* b */ c /* d */ -- e\n/* f */", "1:a /* b */ c"},
    {"comment after copy without a semicolon", "copy t from stdin -- x\n",
     "1:copy copy t from stdin|2:data "},
    {"empty statements", ";;\n; /* x */ ;--\n;a;;", "3:a;"},
    {"leading comments", "-- x\n/* y\n */ a;", "3:a;"},
    {"comments inside", "a -- ;\n/* ; */ b;", "1:a -- ;\n/* ; */ b;"},
    {"CRLF", "a\r\n;\r\nb;\r\n", "1:a\r\n;|3:b;"},
    {"a carriage return ends a comment", "-- x\ra; b;", "1:a;|1:b;"},
    {"blank lines inside", "a\n\n\nb;", "1:a\n\n\nb;"},

    /* quotes */
    {"semicolon in quotes", "a ';' b;c", "1:a ';' b;|1:c"},
    {"doubled quote", "a 'it''s;' ;b", "1:a 'it''s;' ;|1:b"},
    {"backslash in a plain string", "a '\\';b'';c", "1:a '\\';|1:b'';|1:c"},
    {"backslash in E", "a E'\\';' ;b", "1:a E'\\';' ;|1:b"},
    {"lower-case e", "a e'\\';';b", "1:a e'\\';';|1:b"},
    {"doubled quote in E", "a E''';\\''';';b", "1:a E''';\\''';';|1:b"},
    {"two backslashes in E", "a E'\\\\';b", "1:a E'\\\\';|1:b"},
    {"identifier that ends in e", "a type'\\';b", "1:a type'\\';|1:b"},
    {"E after a dollar sign", "a $e'\\';';b", "1:a $e'\\';';|1:b"},
    {"E with a space is a word", "a E '\\';b", "1:a E '\\';|1:b"},
    {"E continued", "a E'x'\n '\\';';b", "1:a E'x'\n '\\';';|2:b"},
    {"E continued over a comment", "a E'x' -- '\n '\\';';b",
     "1:a E'x' -- '\n '\\';';|2:b"},
    {"E not continued on its line", "a E'x' '\\';b", "1:a E'x' '\\';|1:b"},
    {"E not continued over a block comment", "a E'x' /*\n*/ '\\';b",
     "1:a E'x' /*\n*/ '\\';|2:b"},
    {"plain continued", "a 'x'\n'\\';b", "1:a 'x'\n'\\';|2:b"},
    {"U& string", "a U&'\\';b", "1:a U&'\\';|1:b"},
    {"U& identifier", "a U&\"\\;\";b", "1:a U&\"\\;\";|1:b"},
    {"bit, hex and national strings", "a b';' x';' n';' N'\\';b",
     "1:a b';' x';' n';' N'\\';|1:b"},
    {"quoted identifier", "a \";'\" ;b", "1:a \";'\" ;|1:b"},
    {"doubled double quote", "a \"x\"\";\" ;b", "1:a \"x\"\";\" ;|1:b"},
    {"quotes over lines", "a '\n;\n' \"\n;\n\";b", "1:a '\n;\n' \"\n;\n\";|5:b"},
    {"comment start in quotes", "a '--' '/*' \"--\";b", "1:a '--' '/*' \"--\";|1:b"},

    /* dollar quotes */
    {"dollar quote", "a $$;'$$;b", "1:a $$;'$$;|1:b"},
    {"dollar tag", "a $x$;$$;$X$;$x$;b", "1:a $x$;$$;$X$;$x$;|1:b"},
    {"overlapping tag", "a $x$;$y$x$;b", "1:a $x$;$y$x$;|1:b"},
    {"tag at the end of a word", "a $x$;y$x$;b", "1:a $x$;y$x$;|1:b"},
    {"digits and underscore in a tag", "a $_1$;$_1$;b", "1:a $_1$;$_1$;|1:b"},
    {"non-ASCII tag", "a $\xc3\xa9$;'$\xc3\xa9$;b", "1:a $\xc3\xa9$;'$\xc3\xa9$;|1:b"},
    {"dollar in an identifier", "a foo$bar$;b$bar$", "1:a foo$bar$;|1:b$bar$"},
    {"parameters", "a $1;b $1$2;", "1:a $1;|1:b $1$2;"},
    {"parameter before a dollar quote", "a $1$$;$$;b", "1:a $1$$;$$;|1:b"},
    {"a tag cannot start with a digit", "a $1x$;b", "1:a $1x$;|1:b"},
    {"lone dollar", "a $;b $ $;c $x;d", "1:a $;|1:b $ $;|1:c $x;|1:d"},
    {"nothing is escaped inside", "a $$\\$$;b", "1:a $$\\$$;|1:b"},

    /* comments and operators */
    {"nested comments", "a /* /* ; */ ; */ b;c", "1:a /* /* ; */ ; */ b;|1:c"},
    {"slash star slash", "a /*/ ; */ b;c", "1:a /*/ ; */ b;|1:c"},
    {"stars at the end", "a /* ; ***/ b;c", "1:a /* ; ***/ b;|1:c"},
    {"operator before a comment", "a +-- ;\nb @/* ; */;c", "1:a +-- ;\nb @/* ; */;|2:c"},
    {"quote in a comment", "a /* ' */ -- \"\n;b", "1:a /* ' */ -- \"\n;|2:b"},
    {"division and minus", "a 4/2-1;b", "1:a 4/2-1;|1:b"},
    {"star slash alone", "a */ b;c", "1:a */ b;|1:c"},
    {"casts and slices", "a x::y[1:2];b", "1:a x::y[1:2];|1:b"},
    {"psql variables are left alone", "a :x :'y;' :\"z\";b", "1:a :x :'y;' :\"z\";|1:b"},

    {"a slice up to a name with a dollar sign", "a x[1:b$c$];d", "1:a x[1:b$c$];|1:d"},
    {"a slice up to a case", "create function f() begin a x[1:case b end]; end;c",
     "1:create function f() begin a x[1:case b end]; end;|1:c"},

    /* numbers */
    {"numbers", "a 1.5e10,.5,1..2,0x1F,1_000;b", "1:a 1.5e10,.5,1..2,0x1F,1_000;|1:b"},
    {"a word after a number", "a 1e5.b$x$;b 1.5b$x$;c", "1:a 1e5.b$x$;|1:b 1.5b$x$;|1:c"},
    {"dollar quote after a number", "a 1e5$x$;$x$;b 1$$;$$;c",
     "1:a 1e5$x$;$x$;|1:b 1$$;$$;|1:c"},
    {"letters after a number", "a 1e'\\';b", "1:a 1e'\\';|1:b"},

    /* parentheses */
    {"rule", "create rule r do (a; b);c", "1:create rule r do (a; b);|1:c"},
    {"nested parentheses", "a ((;););b", "1:a ((;););|1:b"},
    {"too many closed", "a );b", "1:a );|1:b"},
    {"too few closed", "a (;b;\n", "1:a (;b;"},
    {"parentheses in quotes", "a '(';b \"(\";c", "1:a '(';|1:b \"(\";|1:c"},

    /* BEGIN ATOMIC */
    {"atomic function", "create function f() begin atomic a;b;end;c",
     "1:create function f() begin atomic a;b;end;|1:c"},
    {"atomic procedure, replaced",
     "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC a; END;c",
     "1:CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC a; END;|1:c"},
    {"case inside", "create function f() begin atomic case a when b then c end; d; end;e",
     "1:create function f() begin atomic case a when b then c end; d; end;|1:e"},
    {"case before", "create function f(a int default case 1 end) as 'x';b",
     "1:create function f(a int default case 1 end) as 'x';|1:b"},
    {"comment between the words",
     "create /* x */ or -- y\n replace function f() begin a; end;b",
     "1:create /* x */ or -- y\n replace function f() begin a; end;|2:b"},
    {"quoted end", "create function f() begin \"end\"; b; end;c",
     "1:create function f() begin \"end\"; b; end;|1:c"},
    {"begin in parentheses", "create function f(begin int);b",
     "1:create function f(begin int);|1:b"},
    {"other statements",
     "create table begin (a);begin;b;end;create view function as begin;",
     "1:create table begin (a);|1:begin;|1:b;|1:end;|1:create view function as begin;"},
    {"string prefixes are not words", "b' ' create function f() begin a; end;b",
     "1:b' ' create function f() begin a; end;|1:b"},
    {"body without an end", "create function f() begin a; b;\n",
     "1:create function f() begin a; b;"},
    {"the count starts again", "create a;function begin;b",
     "1:create a;|1:function begin;|1:b"},

    /* COPY */
    {"copy", "copy t from stdin;\n1\t2\n\\.\nselect 1;",
     "1:copy copy t from stdin;|2:data 1\t2\n|4:select 1;"},
    {"copy with options",
     "COPY a.t (x, \"from\") FROM STDIN WITH (format csv);\nx\n\\.\n",
     "1:copy COPY a.t (x, \"from\") FROM STDIN WITH (format csv);|2:data x\n"},
    {"copy without rows", "copy t from stdin;\n\\.\na;",
     "1:copy copy t from stdin;|2:data |3:a;"},
    {"copy with CRLF", "copy t from stdin;\r\n1\r\n\\.\r\na;\r\n",
     "1:copy copy t from stdin;|2:data 1\r\n|4:a;"},
    {"data up to the end of the file", "copy t from stdin;\n1\n2",
     "1:copy copy t from stdin;|2:data 1\n2"},
    {"end mark without a newline", "copy t from stdin;\n1\n\\.",
     "1:copy copy t from stdin;|2:data 1\n"},
    {"end mark with only a carriage return", "copy t from stdin;\n1\n\\.\r",
     "1:copy copy t from stdin;|2:data 1\n"},
    {"copy at the end of the file", "copy t from stdin",
     "1:copy copy t from stdin|1:data "},
    {"copy and nothing more", "copy t from stdin;", "1:copy copy t from stdin;|1:data "},
    {"what looks like an end mark",
     "copy t from stdin;\n \\.\n\\.x\n\\\\.\n\\.\ra\n\\.\n",
     "1:copy copy t from stdin;|2:data  \\.\n\\.x\n\\\\.\n\\.\ra\n"},
    {"quotes and semicolons in data", "copy t from stdin;\n'\";--\n/*\n\\.\na;",
     "1:copy copy t from stdin;|2:data '\";--\n/*\n|5:a;"},
    {"comment after copy", "copy t from stdin; -- rows\n1\n\\.\n",
     "1:copy copy t from stdin;|2:data 1\n"},
    {"comment inside copy", "copy t from /* x */\n stdin;\n1\n\\.\n",
     "1:copy copy t from /* x */\n stdin;|3:data 1\n"},
    {"stdout means stdin here", "copy t from stdout;\n1\n\\.\n",
     "1:copy copy t from stdout;|2:data 1\n"},
    {"copy to", "copy t to stdout;copy t to stdin;a",
     "1:copy t to stdout;|1:copy t to stdin;|1:a"},
    {"copy from a file", "copy t from 'stdin';copy t from program 'stdin';a",
     "1:copy t from 'stdin';|1:copy t from program 'stdin';|1:a"},
    {"from stdin in a query", "copy (select a from stdin) to stdout;a",
     "1:copy (select a from stdin) to stdout;|1:a"},
    {"quoted words", "copy t \"from\" \"stdin\";copy t from \"stdin\";a",
     "1:copy t \"from\" \"stdin\";|1:copy t from \"stdin\";|1:a"},
    {"not copy", "select copy from stdin;a", "1:select copy from stdin;|1:a"},
    {"two copies", "copy t from stdin;\n1\n\\.\ncopy t from stdin;\n2\n\\.\n",
     "1:copy copy t from stdin;|2:data 1\n|4:copy copy t from stdin;|5:data 2\n"},

    /* psql's commands */
    {"restrict", "\\restrict abc\na;\n  \\unrestrict abc ; ' \nb;", "2:a;|4:b;"},
    {"restrict on the last line", "a;\n\\unrestrict x", "1:a;"},
    {"backslashes in quotes", "a '\\x' \"\\y\" $$\\z$$ /* \\w */; -- \\v\n",
     "1:a '\\x' \"\\y\" $$\\z$$ /* \\w */;"},
};

static void test_splits(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(splits); i++) {
        struct rt_script script = {0};
        struct rt_err err = {0};
        char *input = exact(splits[i].input, strlen(splits[i].input)), *got;

        if (rt_script_split(&script, input, strlen(splits[i].input), &err) < 0)
            fail_msg("%s: %s", splits[i].name, err.message);
        got = render(&script);
        if (strcmp(got, splits[i].expected) != 0)
            fail_msg("%s:\n  got      %s\n  expected %s", splits[i].name, got,
                     splits[i].expected);
        free(got);
        rt_script_clear(&script);
        free(input);
    }
}

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *name, *input;
    size_t len;
    unsigned long line, column;
    const char *message, *excerpt;
} refusals[] = {
    {"quote", BYTES("a;\n b 'x\n;"), 2, 4, "unterminated quoted string", " b 'x\n   ^"},
    {"quote with a doubled one", BYTES("a 'x''y"), 1, 3, "unterminated quoted string",
     "a 'x''y\n  ^"},
    {"quote at the end", BYTES("a '"), 1, 3, "unterminated quoted string", "a '\n  ^"},
    {"E string", BYTES("a E'\\'"), 1, 3, "unterminated quoted string", "a E'\\'\n  ^"},
    {"E string, backslash at the end", BYTES("E'\\"), 1, 1, "unterminated quoted string",
     "E'\\\n^"},
    {"continued E string", BYTES("a E'x'\n  'y"), 2, 3, "unterminated quoted string",
     "  'y\n  ^"},
    {"identifier", BYTES("\n\na \"x"), 3, 3, "unterminated quoted identifier",
     "a \"x\n  ^"},
    {"dollar quote", BYTES("a\n$x$ $y$ $$"), 2, 1, "unterminated dollar-quoted string",
     "$x$ $y$ $$\n^"},
    {"comment", BYTES("a;\n/* /* */ "), 2, 1, "unterminated /* comment", "/* /* */ \n^"},
    {"slash star slash", BYTES("/*/"), 1, 1, "unterminated /* comment", "/*/\n^"},
    {"column in characters", BYTES("\xc3\xa9\xe4\xb8\xad 'x"), 1, 4,
     "unterminated quoted string", "\xc3\xa9\xe4\xb8\xad 'x\n    ^"},
    {"NUL byte", BYTES("a;\nb \0 c;"), 2, 3, "the file contains a NUL byte",
     "b   c;\n  ^"},
    {"UTF-16",
     BYTES("\xff\xfe"
           "a\0"),
     1, 4, "the file contains a NUL byte",
     "\xef\xbf\xbd\xef\xbf\xbd"
     "a \n   ^"},
    {"Latin-1", BYTES("a;\ncaf\xe9;"), 2, 4, "the file is not valid UTF-8",
     "caf\xef\xbf\xbd;\n   ^"},
    {"meta-command", BYTES("a;\n  \\connect prod\n"), 2, 3,
     "\"\\connect\" is a psql command, not SQL", "  \\connect prod\n  ^"},
    {"include", BYTES("\\i other.sql"), 1, 1, "\"\\i\" is a psql command, not SQL",
     "\\i other.sql\n^"},
    {"gexec", BYTES("select 'a'\\gexec\n"), 1, 11,
     "\"\\gexec\" is a psql command, not SQL", "select 'a'\\gexec\n          ^"},
    {"restrict inside a statement", BYTES("select\n\\restrict x\n1;"), 2, 1,
     "\"\\restrict\" is a psql command, not SQL", "\\restrict x\n^"},
    {"restricted is another word", BYTES("\\restricted\n"), 1, 1,
     "\"\\restricted\" is a psql command, not SQL", "\\restricted\n^"},
    {"SQL behind restrict", BYTES("a;\n\\restrict x \\\\ create table t (a int);\n"), 2,
     13, "text after \"\\restrict\" on its line",
     "\\restrict x \\\\ create table t (a int);\n            ^"},
    {"command behind unrestrict", BYTES("\\unrestrict x\\i y"), 1, 14,
     "text after \"\\unrestrict\" on its line", "\\unrestrict x\\i y\n             ^"},
    {"end mark without copy", BYTES("a;\n\\.\n"), 2, 1,
     "\"\\.\" is a psql command, not SQL", "\\.\n^"},
    {"lone backslash", BYTES("a \\"), 1, 3, "\"\\\" is a psql command, not SQL",
     "a \\\n  ^"},
    {"statement after copy", BYTES("copy t from stdin; a;\n1\n\\.\n"), 1, 20,
     "text after COPY ... FROM stdin; on its line",
     "copy t from stdin; a;\n                   ^"},
    {"block comment after copy", BYTES("copy t from stdin; /* a */\n1\n\\.\n"), 1, 20,
     "text after COPY ... FROM stdin; on its line",
     "copy t from stdin; /* a */\n                   ^"},
    {"directive behind a statement", BYTES("a;\n-- revtwin: no-transaction\nb;"), 2, 1,
     "a directive behind the first statement", "-- revtwin: no-transaction\n^"},
    {"directive inside a statement", BYTES("a -- revtwin: no-transaction\n;"), 1, 3,
     "a directive behind the first statement", "a -- revtwin: no-transaction\n  ^"},
    {"directive in the plural", BYTES("\n-- revtwin: no-transactions\na;"), 2, 1,
     "revtwin knows no such directive", "-- revtwin: no-transactions\n^"},
    {"directive with more behind it", BYTES("--revtwin: no-transaction please\na;"), 1, 1,
     "revtwin knows no such directive", "--revtwin: no-transaction please\n^"},
    {"empty directive", BYTES("-- revtwin:\na;"), 1, 1, "revtwin knows no such directive",
     "-- revtwin:\n^"},
    {"directive of another case", BYTES("-- revtwin: NO-TRANSACTION\na;"), 1, 1,
     "revtwin knows no such directive", "-- revtwin: NO-TRANSACTION\n^"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(refusals); i++) {
        struct rt_script script = {0};
        struct rt_err err = {0};
        char *input = exact(refusals[i].input, refusals[i].len);
        int rc = rt_script_split(&script, input, refusals[i].len, &err);

        if (rc != -RT_EREFUSED || err.status != RT_EREFUSED)
            fail_msg("%s: not refused: %d", refusals[i].name, rc);
        if (err.line != refusals[i].line || err.column != refusals[i].column)
            fail_msg("%s: at %lu:%lu", refusals[i].name, err.line, err.column);
        assert_string_equal(err.message, refusals[i].message);
        assert_string_equal(err.excerpt, refusals[i].excerpt);
        assert_null(err.path);
        rt_err_clear(&err);
        rt_script_clear(&script);
        free(input);
    }
}

static const struct {
    const char *input;
    bool expected;
} directives[] = {
    {"-- revtwin: no-transaction\na;", true},
    {"--revtwin:no-transaction\r\na;", true},
    {"\xef\xbb\xbf--  revtwin:\tno-transaction  \na;", true},
    {"-- Adds an index.\n\n-- revtwin: no-transaction\na;", true},
    {"-- revtwin: no-transaction", true},
    {"-- REVTWIN: no-transaction\na;", true},
    {";;-- revtwin: no-transaction\na;", true},
    {"/* revtwin: no-transaction */ a;", false},
    {"-- A directive is \"-- revtwin: no-transaction\".\na;", false},
    {"-- revtwin does this; see revtwin: plan\na;", false},
    {"a '\n-- revtwin: no-transaction\n';", false},
    {"", false},
};

static void test_directive(void **state)
{
    (void)state;
    for (size_t i = 0; i < RT_COUNT(directives); i++) {
        struct rt_script script = {0};
        struct rt_err err = {0};

        assert_int_equal(rt_script_split(&script, directives[i].input,
                                         strlen(directives[i].input), &err),
                         0);
        if (script.no_transaction != directives[i].expected)
            fail_msg("%s: %d", directives[i].input, script.no_transaction);
        rt_script_clear(&script);
    }
}

static void test_copy_flag(void **state)
{
    struct rt_script script = {0};
    struct rt_err err = {0};
    const char *text = "copy t to stdout;";

    (void)state;
    assert_int_equal(rt_script_split(&script, text, strlen(text), &err), 0);
    assert_false(script.has_copy);
    rt_script_clear(&script);
    text = "copy t from stdin;";
    assert_int_equal(rt_script_split(&script, text, strlen(text), &err), 0);
    assert_true(script.has_copy);
    rt_script_clear(&script);
}

/*
 * Inputs made to be slow for a scanner that looks at bytes more than a few times: two
 * megabytes each take well under a second when the work is linear, and hours when it is
 * not.
 */
static void test_linear(void **state)
{
    static const char *const parts[] = {
        "a;",
        "'",
        "\"\"",
        "E'' --\n",
        "$a",
        "$a$b$c",
        "$$",
        "/*",
        "*/",
        "(",
        ")",
        "\\",
        "--\r",
        "E'\\''",
        "e'a'\n",
        "1e",
        "copy t from stdin;\n\\.\n",
        "\n\\.x",
        "-",
        "\n",
    };
    enum { SIZE = 2 * 1024 * 1024 };
    clock_t start = clock();
    char *text = rt_alloc(SIZE);

    (void)state;
    for (size_t i = 0; i < RT_COUNT(parts); i++) {
        size_t len = strlen(parts[i]);
        struct rt_script script = {0};
        struct rt_err err = {0};
        int rc;

        for (size_t at = 0; at < SIZE; at++)
            text[at] = parts[i][at % len];
        rc = rt_script_split(&script, text, SIZE, &err);
        assert_true(rc == 0 || rc == -RT_EREFUSED);
        rt_script_clear(&script);
        rt_err_clear(&err);
    }
    free(text);
    assert_true((clock() - start) / CLOCKS_PER_SEC < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splits),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_directive), cmocka_unit_test(test_copy_flag),
        cmocka_unit_test(test_linear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
