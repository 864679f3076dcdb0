/* SPDX-License-Identifier: MIT */
#include "report/page.h"

/* Lines with a label, wrapped to the terminal's width; piped, each is whole. */
#include "util/wrap.h"

#define LABEL 10

void page_begin(struct page *p, const char *label)
{
    p->line_at = p->out->len;
    sbuf_addf(p->out, "  %s%-*s%s", p->colour ? "\x1b[2m" : "", LABEL, label, p->colour ? "\x1b[0m" : "");
}

void page_end(struct page *p, unsigned indent)
{
    wrap_line(p->out, p->line_at, p->columns, indent);
}
