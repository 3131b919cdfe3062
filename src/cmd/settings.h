/*
 * Settings: what flag, environment, revtwin.conf and default say, in this order of
 * precedence. One table knows every key; `revtwin help config` prints it.
 */
#ifndef RT_CMD_SETTINGS_H
#define RT_CMD_SETTINGS_H

#include "git/config.h"

enum rt_setting {
    RT_SET_PATH,
    RT_SET_LAYOUT,
    RT_SET_BRANCH,
    RT_SET_LOCK_TIMEOUT,
    RT_SET_STATEMENT_TIMEOUT,
    RT_SET_RETRIES,
    RT_SET_WAIT,
    RT_SET_RESYNC,
    RT_SET_SWAP_WAIT,
    RT_SET_IN_PLACE,
    RT_SET_JOBS,
    RT_SET_BINDIR,
    RT_SETTING_COUNT,
};

struct rt_settings {
    const char *flag[RT_SETTING_COUNT];  /* set by option parsing; NULL: not given */
    const char *value[RT_SETTING_COUNT]; /* settled; NULL: unset, and no default */
};

/*
 * Settle every value from the flags, the environment, the file's entries and the
 * defaults. Errors: -RT_EUSAGE for an unknown key (with the nearest known one), a key
 * that the file may not set, and a value of the wrong form, each naming where it is from.
 */
int rt_settings_settle(struct rt_settings *settings, const struct rt_config *file,
                       struct rt_err *err) RT_CHECKED;

/* A settled value that is a number (0 when unset), or a yes or no. */
int rt_setting_number(const struct rt_settings *settings, enum rt_setting setting);
bool rt_setting_true(const struct rt_settings *settings, enum rt_setting setting);

/* The text of `revtwin help config`. */
struct rt_str;
void rt_settings_help(struct rt_str *out);

#endif
