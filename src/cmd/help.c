/* revtwin help, revtwin version */
#include "base/str.h"
#include "cmd/command.h"

int rt_cmd_help(struct rt_context *context, struct rt_err *err)
{
    const char *topic = context->operand_count ? context->operands[0] : NULL;
    const struct rt_command_info *command = topic ? rt_command_find(topic) : NULL;
    struct rt_str text = {0};

    if (topic == NULL)
        rt_help_program(&text);
    else if (strcmp(topic, "config") == 0)
        rt_settings_help(&text);
    else if (command)
        rt_help_command(&text, command);
    else
        return rt_err_set(err, RT_EUSAGE, "no help for \"%s\"", topic);
    if (context->report.json)
        rt_json_put(rt_report_json(&context->report), "help", text.data);
    else
        fputs(text.data, stdout);
    rt_str_clear(&text);
    return 0;
}

int rt_cmd_version(struct rt_context *context, struct rt_err *err)
{
    (void)err; /* every command has it */
    rt_report_line(&context->report, "revtwin %s", RT_VERSION);
    return 0;
}
