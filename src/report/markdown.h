/*
 * The document of a command as Markdown, for the summary of a workflow run. What comes
 * from outside stands in <code> or <pre>, with every character that could mean something
 * to Markdown or HTML as a reference: it can make neither markup nor table cells.
 */
#ifndef RT_REPORT_MARKDOWN_H
#define RT_REPORT_MARKDOWN_H

#include "base/json.h"
#include "base/str.h"

void rt_markdown_summary(struct rt_str *out, const json_t *doc);

#endif
