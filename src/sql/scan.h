/*
 * The tokens of PostgreSQL's lexer, as coarse as cutting into statements allows.
 *
 * standard_conforming_strings is on. Where psql, which scans line by line and looks for
 * its variables, cuts otherwise than the server reads, this follows the server, which
 * refuses psql's pieces: an E'' string that continues on the next line keeps its escapes,
 * and a name behind a colon may be "case", or hold a dollar sign (an array's slice).
 */
#ifndef RT_SQL_SCAN_H
#define RT_SQL_SCAN_H

#include "base/attr.h"

enum rt_token {
    RT_TOKEN_END,
    RT_TOKEN_WORD,      /* unquoted identifier or keyword */
    RT_TOKEN_OTHER,     /* quoted text, numbers, a run of operators and punctuation */
    RT_TOKEN_OPEN,      /* ( */
    RT_TOKEN_CLOSE,     /* ) */
    RT_TOKEN_SEMICOLON, /* ; */
    RT_TOKEN_BACKSLASH, /* a backslash outside of quotes: psql's own command */
    RT_TOKEN_COMMENT, /* from "--" up to the end of the line, or a whole block comment */
    RT_TOKEN_UNTERMINATED, /* no end in the text; what says of which thing */
};

struct rt_scan {
    const char *text;
    size_t len;
    size_t start, end; /* the token; the next one is looked for from end on */
    const char *what;  /* static, such as "quoted string" */
};                     /* starts with text, len and end */

enum rt_token rt_scan_next(struct rt_scan *scan);

/* The token is this word, given in lower case. */
bool rt_scan_is(const struct rt_scan *scan, const char *word);

#endif
