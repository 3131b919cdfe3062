/*
 * Cutting a migration file into the statements that psql would send.
 *
 * The rules are those of psql's scanner (PostgreSQL 15 and later,
 * src/fe_utils/psqlscan.l): quotes, E'' escapes and their continuation over lines,
 * dollar quotes, nested comments, parentheses, BEGIN ATOMIC bodies, and COPY ... FROM
 * stdin with its data up to a line "\.". psql variables are not expanded.
 */
#ifndef RT_SQL_SPLIT_H
#define RT_SQL_SPLIT_H

#include "base/err.h"

enum rt_stmt_kind {
    RT_STMT_SQL,       /* sent as it stands */
    RT_STMT_COPY,      /* COPY ... FROM stdin: the next entry is its data */
    RT_STMT_COPY_DATA, /* raw lines, without the closing "\." line */
};

/* What the statement means to a runner; filled by rt_script_inspect. */
enum rt_stmt_class {
    RT_CLASS_PLAIN,     /* runs inside a transaction, and outside of one */
    RT_CLASS_SETTING,   /* the same, and what follows in the session depends on it: SET,
                           SELECT set_config(...) */
    RT_CLASS_IN_TX,     /* means nothing outside of one: savepoints, SET LOCAL, LOCK */
    RT_CLASS_BEGIN,     /* BEGIN or START TRANSACTION without options */
    RT_CLASS_COMMIT,    /* COMMIT or END, not AND CHAIN */
    RT_CLASS_TX,        /* any other transaction control but savepoints */
    RT_CLASS_NO_TX,     /* the server refuses it inside a transaction block */
    RT_CLASS_COPY_OUT,  /* COPY ... TO STDOUT: a migration has no output */
    RT_CLASS_SEVERAL,   /* one statement to psql, more than one to the server */
    RT_CLASS_RESET_ALL, /* resets the settings that revtwin makes, too */
    RT_CLASS_STRINGS,   /* what follows would be cut into other statements by psql */
    RT_CLASS_UNPARSED, /* not understood by the parser, or too large for it: sent as is */
};

struct rt_stmt {
    size_t start, len;  /* bytes of the script; ends with its ';' where it has one */
    uint32_t line;      /* 1-based line of the first byte */
    uint8_t kind;       /* enum rt_stmt_kind */
    uint8_t stmt_class; /* enum rt_stmt_class */
    const char *tag;    /* static text such as "ALTER TABLE", NULL before inspection */
};

/* A split file. text is borrowed and must outlive the script. */
struct rt_script {
    const char *text;
    size_t len;
    struct rt_stmt *stmts; /* owned */
    size_t count, cap;
    bool has_copy;       /* some statement is RT_STMT_COPY */
    bool no_transaction; /* "-- revtwin: no-transaction" before the first statement */
};

/*
 * Split len bytes of text. Leading white space and comments are not part of a statement,
 * nor are those after the last token of the file, empty statements are left out, a
 * byte-order mark is skipped, \restrict and \unrestrict lines are ignored. out starts as
 * {0}; clear it also after an error.
 *
 * Errors, all -RT_EREFUSED with line and column (and excerpt) but no path: NUL byte, not
 * UTF-8, unterminated quote, quoted identifier, dollar quote or comment (the line where
 * it began), a backslash command, another command on a \restrict line, text after COPY
 * ... FROM stdin; on its line, a line comment "-- revtwin: ..." that says anything but
 * no-transaction, or says it behind the first statement.
 */
int rt_script_split(struct rt_script *out, const char *text, size_t len,
                    struct rt_err *err) RT_CHECKED;
void rt_script_clear(struct rt_script *script);

#endif
