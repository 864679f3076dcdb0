/* SPDX-License-Identifier: MIT */
#include "daemon/blind.h"

#include <unistd.h>

#include "foreign/foreign.h"
#include "util/escape.h"

#define NAMED_MAX 8    /* known products */
#define UNKNOWN_MAX 3  /* others, if no product is among them */
#define KTHREADD 2

struct blind_list {
    uint64_t before_ns;
    struct sbuf *out;
    unsigned count, named;
};

static int add(void *data, struct process *p)
{
    struct blind_list *l = data;
    bool known = p->owner.agent && !p->owner.looks_like;

    if (!p->start_ns || p->start_ns >= l->before_ns || p->pid == getpid() ||
        foreign_is_ours(p->pid, p->parent_pid) || p->pid == KTHREADD || p->parent_pid == KTHREADD)
        return 0;
    l->count++;
    /* container runtimes are in everybody's list and explain nothing */
    if (known && bytes_equal_str(p->owner.product_kind, "container runtime"))
        known = false;
    if (l->named >= (known ? NAMED_MAX : UNKNOWN_MAX))
        return 0;
    if (l->named++)
        sbuf_add_str(l->out, ", ");
    escape_terminal(l->out, process_display_name(p));
    sbuf_addf(l->out, " (pid %d", p->pid);
    if (known) {
        sbuf_add_str(l->out, ", ");
        escape_terminal(l->out, p->owner.product);
    }
    sbuf_add_char(l->out, ')');
    return 0;
}

unsigned blind_names(struct attribution *attribution, uint64_t before_ns, struct sbuf *out)
{
    struct blind_list list = { .before_ns = before_ns, .out = out };

    if (before_ns)
        (void)attribution_each_process(attribution, add, &list);
    if (list.count > list.named)
        sbuf_addf(out, " and %u other%s", list.count - list.named,
                  list.count - list.named == 1 ? "" : "s");
    return list.count;
}
