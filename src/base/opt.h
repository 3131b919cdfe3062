/*
 * Command-line options: one table gives parsing (getopt_long) and usage text.
 */
#ifndef RT_BASE_OPT_H
#define RT_BASE_OPT_H

#include "base/err.h"

struct rt_str;

enum rt_opt_kind { RT_OPT_FLAG, RT_OPT_TEXT };

struct rt_opt {
    char letter; /* 0: none */
    enum rt_opt_kind kind;
    const char *name;     /* without the dashes */
    const char *argument; /* name in the usage text; NULL for a flag */
    const char *help;
    size_t offset; /* of the bool or const char * that is set in the target struct */
};

/*
 * Parse argv[1..argc) into target; operands are moved to the end and start at *operands
 * when it returns 0. Errors: -RT_EUSAGE for an unknown option (with the nearest known
 * one), a missing or an unexpected argument.
 */
int rt_opt_parse(const struct rt_opt *table, size_t count, void *target, int argc,
                 char **argv, int *operands, struct rt_err *err) RT_CHECKED;

/* Append one line an option to the text, the help texts aligned. */
void rt_opt_usage(const struct rt_opt *table, size_t count, struct rt_str *out);

#endif
