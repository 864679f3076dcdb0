/* SPDX-License-Identifier: MIT */
#include "attribution/asked.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/hash_table.h"

#define KEPT 512        /* answers; the oldest goes first */
#define UNANSWERED 32   /* descriptors that are waited for */
#define WORKER_MS 2000  /* a worker's deadline: on a busy machine it comes late rather than never */

struct process_question {
    pid_t pid;
    uint64_t start_ns;
    struct foreign_pending pending;
    int r; /* -EAGAIN: not answered yet */
    struct bytes answer; /* owned */
    UT_hash_handle hh;
};

struct asked_processes {
    const struct foreign_job *job;
    const char *proc;
    struct process_question *questions; /* by pid, in the order of their making */
    unsigned unanswered;
};

/* As it travels. */
struct request {
    uint64_t start_ns;
    int64_t pid;
};

int asked_new(const struct foreign_job *job, const char *proc, struct asked_processes **ret, struct err *err)
{
    struct asked_processes *a = calloc(1, sizeof(*a));

    if (!a)
        return err_set(err, -ENOMEM, "questions about processes");
    a->job = job;
    a->proc = proc;
    *ret = a;
    return 0;
}

static void forget(struct asked_processes *a, struct process_question *q)
{
    HASH_DEL(a->questions, q);
    a->unanswered -= q->r == -EAGAIN;
    foreign_pending_done(&q->pending);
    free((char *)(uintptr_t)q->answer.data);
    free(q);
}

void asked_free(struct asked_processes *a)
{
    if (!a)
        return;
    while (a->questions)
        forget(a, a->questions);
    free(a);
}

/* ---- in the worker ---- */

int asked_about(struct bytes request, pid_t *ret_pid, uint64_t *ret_start_ns, const char **ret_proc)
{
    struct request r;

    if (request.len <= sizeof(r) || request.data[request.len - 1])
        return -EINVAL;
    memcpy(&r, request.data, sizeof(r));
    *ret_pid = (pid_t)r.pid;
    *ret_start_ns = r.start_ns;
    *ret_proc = request.data + sizeof(r);
    return 0;
}

/* ---- asking it ---- */

static void look(struct asked_processes *a, struct process_question *q, unsigned wait_ms)
{
    const struct request r = { q->start_ns, q->pid };
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
    struct bytes answer = BYTES_NULL;

    sbuf_add(&request, (const char *)&r, sizeof(r));
    sbuf_add(&request, a->proc, strlen(a->proc) + 1);
    q->r = sbuf_error(&request) ? -ENOMEM : foreign_wait(&q->pending, a->job, sbuf_bytes(&request), WORKER_MS, wait_ms, &answer);
    if (q->r == -EAGAIN)
        return;
    a->unanswered--;
    if (q->r == 0 && answer.len) {
        char *copy = malloc(answer.len);

        if (copy)
            q->answer = (struct bytes){ memcpy(copy, answer.data, answer.len), answer.len };
    }
    foreign_pending_done(&q->pending);
}

/* Of the same process: pids are used again. */
static struct process_question *find(struct asked_processes *a, pid_t pid, uint64_t start_ns)
{
    const struct process p = { .pid = pid, .start_ns = start_ns };
    struct process_question *q;

    HASH_FIND(hh, a->questions, &pid, sizeof(pid), q);
    if (q && !process_is(&p, q->pid, q->start_ns)) {
        forget(a, q);
        q = NULL;
    }
    return q;
}

static void collect(struct asked_processes *a)
{
    for (struct process_question *q = a->questions; q && a->unanswered; q = q->hh.next)
        if (q->r == -EAGAIN)
            look(a, q, 0);
}

void asked_put(struct asked_processes *a, const struct process *p)
{
    struct process_question *q;

    if (p->pid <= 0 || !p->start_ns || find(a, p->pid, p->start_ns))
        return;
    collect(a); /* each has a descriptor */
    if (a->unanswered >= UNANSWERED || !(q = calloc(1, sizeof(*q))))
        return;
    if (HASH_COUNT(a->questions) >= KEPT)
        forget(a, a->questions);
    q->pid = p->pid;
    q->start_ns = p->start_ns;
    q->pending = FOREIGN_PENDING_NONE;
    q->r = -EAGAIN;
    HASH_ADD(hh, a->questions, pid, sizeof(q->pid), q);
    HASH_FREE_IF_OUT(hh, q);
    if (!q)
        return;
    a->unanswered++;
    look(a, q, 0);
}

int asked_get(struct asked_processes *a, pid_t pid, uint64_t start_ns, unsigned wait_ms, struct bytes *ret)
{
    struct process_question *q = start_ns ? find(a, pid, start_ns) : NULL;

    if (!q)
        return -ENODATA;
    if (q->r == -EAGAIN)
        look(a, q, wait_ms);
    if (q->r == 0)
        *ret = q->answer;
    return q->r;
}
