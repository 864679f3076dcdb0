/* SPDX-License-Identifier: MIT */
#include "history/awaited.h"

#include <libaudit.h>
#include <string.h>

#include "sensor/audit/record.h"
#include "util/limits.h"
#include "util/macro.h"

/* The number behind " items=", 0 if there is none: what auditd interpreted comes later, and is not it. */
static uint64_t announced(struct bytes text)
{
    const char *at = memmem(text.data, text.len, " items=", 7), *end = text.data + text.len;
    uint64_t n = 0;

    for (at = at ? at + 7 : end; at < end && *at >= '0' && *at <= '9' && n < LIMIT_AUDIT_EVENT_RECORDS; at++)
        n = n * 10 + (uint64_t)(*at - '0');
    return n;
}

static bool is_of(const struct awaited *a, unsigned row, const struct node *node, const struct search_line *line)
{
    return a->rows[row].used && a->rows[row].serial == line->serial && a->rows[row].sec == line->sec && a->rows[row].node == node;
}

/* Mostly the last one that was looked for. */
static bool find(struct awaited *a, const struct node *node, const struct search_line *line)
{
    for (unsigned i = 0; a->open && i < AWAITED_MAX; i++) {
        unsigned row = (a->last + i) % AWAITED_MAX;

        if (!is_of(a, row, node, line))
            continue;
        a->last = row;
        return true;
    }
    return false;
}

static void end(struct awaited *a, unsigned row, bool whole)
{
    a->incomplete += !whole && (a->rows[row].called ? a->rows[row].left > 0 : a->rows[row].left < 0 && !a->rows[row].placed);
    a->rows[row].used = false;
    a->open--;
}

static void begin(struct awaited *a, const struct node *node, const struct search_line *line)
{
    a->at = (a->at + 1) % AWAITED_MAX;
    if (a->rows[a->at].used)
        end(a, a->at, false);
    a->rows[a->at].node = node;
    a->rows[a->at].sec = line->sec;
    a->rows[a->at].serial = line->serial;
    a->rows[a->at].left = 0;
    a->rows[a->at].called = a->rows[a->at].placed = false;
    a->rows[a->at].used = true;
    a->open++;
    a->last = a->at;
}

/* ausearch prints an event's records in reverse: its paths may come before the call that announced them. */
static void see(struct awaited *a, const struct node *node, const struct search_line *line, uint64_t paths)
{
    bool call = line->type == AUDIT_SYSCALL;

    if (call && !paths)
        return;
    if (!find(a, node, line))
        begin(a, node, line);
    a->rows[a->last].left += call ? (int64_t)paths : -1;
    a->rows[a->last].called |= call;
    if (a->rows[a->last].called && a->rows[a->last].left <= 0)
        end(a, a->last, true);
}

/* ` name="/srv"`, as it is or in digits; of an event without its call. */
static bool has_whole_name(struct bytes text)
{
    return memmem(text.data, text.len, " name=\"/", 8) || memmem(text.data, text.len, " name=2F", 8);
}

/* The call, which comes before, is not there; or it announced no paths, and this is the end of it. */
static void place(struct awaited *a, const struct node *node, const struct search_line *line, struct bytes text)
{
    bool found = find(a, node, line);

    if (found && (a->rows[a->last].called || a->rows[a->last].placed))
        return;
    if (line->type == AUDIT_PATH && !has_whole_name(text))
        return;
    if (!found)
        begin(a, node, line);
    a->rows[a->last].placed = true;
}

void awaited_see(struct awaited *a, const struct node *node, const struct search_line *line, struct bytes text)
{
    if (line->type == AUDIT_CWD || (line->type == AUDIT_PATH && !(find(a, node, line) && a->rows[a->last].called)))
        place(a, node, line, text);
    if (line->type == AUDIT_SYSCALL || line->type == AUDIT_PATH)
        see(a, node, line, line->type == AUDIT_SYSCALL ? announced(text) : 0);
    else if (line->type == AUDIT_PROCTITLE && find(a, node, line)) /* the kernel's last: paths that are not there by then were lost */
        end(a, a->last, false);
    else if ((line->type == AUDIT_EOE || line->type == AUDIT_MQ_OPEN) && find(a, node, line)) /* whoever wrote it left them out; a queue's name is no path */
        end(a, a->last, true);
}

uint64_t awaited_end(struct awaited *a, const struct node *node)
{
    uint64_t incomplete;

    for (unsigned i = 0; i < AWAITED_MAX; i++)
        if (a->rows[i].used && (!node || a->rows[i].node == node))
            end(a, i, false);
    incomplete = a->incomplete;
    a->incomplete = 0;
    return incomplete;
}
