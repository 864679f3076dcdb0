/* SPDX-License-Identifier: MIT */
/* Processes that are still there: who began at that moment, who works in the directory, and which known products run here, or are only
 * installed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attribution/agents.h"
#include "clues/line.h"
#include "clues/source.h"
#include "engine/flat.h"
#include "util/cleanup.h"
#include "util/parse.h"
#include "util/proc_stat.h"

#define PRODUCTS_MAX 64
#define SMALL 4096

/* ---- in the worker, while /proc can be read ---- */

static struct bytes read_small(int proc, const char *name, char *buffer, size_t size)
{
    _cleanup_close_ int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, buffer, size) : -1;

    return n > 0 ? (struct bytes){ buffer, (size_t)n } : BYTES_NULL;
}

static struct bytes read_link(int proc, const char *name, char *buffer, size_t size)
{
    ssize_t n = readlinkat(proc, name, buffer, size);

    return n > 0 ? (struct bytes){ buffer, (size_t)n } : BYTES_NULL;
}

static void gather_one(int proc, uint32_t pid, uint64_t boot_ns, struct sbuf *out)
{
    static char exe[SMALL], comm[64], cgroup[SMALL], cwd[SMALL], command[SMALL], stat[SMALL]; /* too large for a stack; a worker has one thread */
    struct bytes path = read_link(proc, "exe", exe, sizeof(exe)), line = read_small(proc, "stat", stat, sizeof(stat));
    uint64_t ticks = 0;
    pid_t parent = 0;

    if (!path.len || proc_stat_parse(line, &parent, &ticks) < 0)
        return; /* a kernel thread, or gone */
    flat_put_u64(out, pid);
    flat_put_u64(out, boot_ns + proc_stat_ticks_to_ns(ticks));
    flat_put_bytes(out, path);
    flat_put_bytes(out, read_small(proc, "comm", comm, sizeof(comm)));
    flat_put_bytes(out, read_small(proc, "cgroup", cgroup, sizeof(cgroup)));
    flat_put_bytes(out, read_link(proc, "cwd", cwd, sizeof(cwd)));
    flat_put_bytes(out, read_small(proc, "cmdline", command, 512));
}

/* A product that removes what it takes for harmful. */
static bool guards(const struct agent *a)
{
    return bytes_starts_with(a->kind, bytes_of("EDR")) || bytes_equal_str(a->kind, "antivirus") ||
           bytes_starts_with(a->kind, bytes_of("FIM and"));
}

struct installed_search {
    int root;
    struct sbuf *out;
};

static void look_for(void *data, const struct agent *agent, struct bytes path)
{
    struct installed_search *search = data;
    char text[PATH_MAX];
    struct stat st;

    if (!guards(agent) || path.len < 2 || path.len >= sizeof(text) || path.data[path.len - 1] == '*')
        return;
    snprintf(text, sizeof(text), "%.*s", (int)path.len - 1, path.data + 1);
    if (fstatat(search->root, text, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    flat_put_bytes(search->out, agent->product);
    flat_put_bytes(search->out, path);
}

static int gather_installed(int root, struct gathered *g)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct installed_search search = { root, &out };
    struct agents *agents = NULL;

    (void)agents_parse(agents_builtin(), &agents, NULL);
    if (agents && root >= 0)
        agents_each_path(agents, look_for, &search);
    agents_free(agents);
    return clue_gather_text(g, "installed", &out);
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    _cleanup_closedir_ DIR *dir = opendir("/proc");
    char own[SMALL], exe[SMALL];
    struct bytes self = dir ? read_link(dirfd(dir), "self/exe", own, sizeof(own)) : BYTES_NULL;
    struct clue_question q;
    struct dirent *entry;
    _cleanup_close_ int root = clue_root(); /* the time zone is known now */
    int r;

    if (!dir || clue_question_get(request, &q) < 0)
        return -EBADMSG;
    r = gather_installed(root, g);
    if (r < 0)
        return r;
    while ((entry = readdir(dir))) {
        uint32_t pid;
        int proc;

        if (parse_u32(bytes_of(entry->d_name), 10, &pid) < 0 ||
            (proc = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
            continue;
        if (!bytes_equal(read_link(proc, "exe", exe, sizeof(exe)), self))
            gather_one(proc, pid, q.boot_ns, &out);
        close(proc);
    }
    return clue_gather_text(g, "processes", &out);
}

/* ---- pure ---- */

struct seen_process {
    uint64_t pid, start_ns;
    struct bytes exe, comm, cgroup, cwd, command;
};

static int take(struct bytes *in, struct seen_process *s)
{
    struct bytes *const texts[] = { &s->exe, &s->comm, &s->cgroup, &s->cwd, &s->command };

    if (flat_get_u64(in, &s->pid) < 0 || flat_get_u64(in, &s->start_ns) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (flat_get_bytes(in, texts[i]) < 0)
            return -EBADMSG;
    while (s->comm.len && s->comm.data[s->comm.len - 1] == '\n')
        s->comm.len--;
    return 0;
}

/* "x.service" of a line of /proc/PID/cgroup. */
static struct bytes unit_of(struct bytes cgroup)
{
    struct bytes name, found = BYTES_NULL;

    while ((name = bytes_next_component(&cgroup)).len) {
        const char *end = memchr(name.data, '\n', name.len);

        name.len = end ? (size_t)(end - name.data) : name.len;
        if (bytes_ends_with(name, bytes_of(".service")))
            found = name;
    }
    return found;
}

static void add_command(struct sbuf *s, struct bytes command)
{
    for (size_t i = 0; i < command.len && i < 120; i++)
        sbuf_add_char(s, command.data[i] ? command.data[i] : ' ');
    while (s->len && s->data[s->len - 1] == ' ')
        sbuf_truncate(s, s->len - 1);
}

static void put_process(struct sbuf *answer, const struct clue_question *q, const struct seen_process *s)
{
    int span = clue_span_of(q, s->start_ns, CLUE_BEFORE_NS);
    bool holds = s->cwd.len && bytes_path_covers(q->path, s->cwd);
    struct clue_fact f = { .kind = CLUE_RUNNING, .from_ns = s->start_ns };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, suspect = SBUF_INIT;

    if (span < 0 && !holds)
        return;
    sbuf_add_bytes(&suspect, s->exe);
    sbuf_addf(&suspect, " (pid %llu)", (unsigned long long)s->pid);
    add_command(&text, s->command);
    if (holds) {
        sbuf_add_str(&text, ", working in ");
        sbuf_add_bytes(&text, s->cwd);
        f.marks |= CLUE_HOLDS;
    }
    if (span >= 0)
        f.marks |= s->start_ns > q->spans[span].to_ns ? CLUE_LATER : CLUE_STARTED;
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&suspect);
    f.marks |= line_marks(f.text, q) & (CLUE_REMOVES | CLUE_ALTERS | CLUE_NAMES);
    clue_put(answer, &f);
}

/* What these do is another source's: the tables of cron, the logs of packages, the rules of cleaners; a runtime has containers only. */
static bool is_everywhere(const struct clue_question *q, const struct agent *a)
{
    static const char *const kinds[] = { "job scheduler", "package manager", "log rotation", "temp cleaner", "version control" };

    return BYTES_AMONG(a->kind, kinds) || (!q->host_path.len && bytes_equal_str(a->kind, "container runtime"));
}

static void add_habits(struct sbuf *text, const struct agent *a)
{
    if (a->does.len)
        sbuf_addf(text, "; %.*s", (int)a->does.len, a->does.data);
    if (a->quarantine.len)
        sbuf_addf(text, "; what it removed: %.*s", (int)a->quarantine.len, a->quarantine.data);
}

static void put_agent(struct sbuf *answer, const struct clue_question *q, const struct agent *a, const struct seen_process *s, bool looks_like)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_AGENT, .from_ns = s->start_ns, .suspect = a->product };

    sbuf_add_bytes(&text, a->kind);
    sbuf_addf(&text, ", %s %.*s (pid %llu)", looks_like ? "a process that looks like it runs:" : "runs:", (int)s->exe.len, s->exe.data,
              (unsigned long long)s->pid);
    add_habits(&text, a);
    f.text = sbuf_bytes(&text);
    if (guards(a) && !looks_like)
        f.marks |= CLUE_GUARDS;
    if (q->span_count && s->start_ns > q->spans[0].to_ns)
        f.marks |= CLUE_LATER;
    clue_put(answer, &f);
}

/* It may have run then; nothing says so. */
static void put_installed(struct sbuf *answer, const struct agent *a, struct bytes path)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_AGENT, .suspect = a->product };

    sbuf_add_bytes(&text, a->product);
    sbuf_addf(&text, " (%.*s) is installed, %.*s, and does not run now", (int)a->kind.len, a->kind.data, (int)path.len, path.data);
    add_habits(&text, a);
    f.text = sbuf_bytes(&text);
    clue_put(answer, &f);
}

static bool is_among(const struct agent *const *shown, size_t n, const struct agent *a)
{
    for (size_t i = 0; i < n; i++)
        if (shown[i] == a)
            return true;
    return false;
}

static void put_all_installed(struct sbuf *answer, struct bytes rest, const struct agents *agents, const struct agent **shown, size_t n)
{
    struct bytes product, path;

    while (agents && n < PRODUCTS_MAX && flat_get_bytes(&rest, &product) == 0 && flat_get_bytes(&rest, &path) == 0) {
        const struct agent *a = agents_by_product(agents, product);

        if (!a || is_among(shown, n, a))
            continue;
        shown[n++] = a;
        put_installed(answer, a, path);
    }
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes rest = gathered_get(g, "processes");
    const struct agent *shown[PRODUCTS_MAX];
    struct agents *agents = NULL;
    struct clue_question q;
    struct seen_process s = { 0 };
    size_t n = 0;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    (void)agents_parse(agents_builtin(), &agents, NULL);
    clue_put_cover(answer, 0, 0);
    while (rest.len && take(&rest, &s) == 0) {
        struct agent_facts facts = { .executable = s.exe, .unit = unit_of(s.cgroup), .name = s.comm };
        bool looks_like = false;
        const struct agent *a = agents ? agents_match(agents, &facts, &looks_like) : NULL;

        put_process(answer, &q, &s);
        if (a && !is_among(shown, n, a) && n < PRODUCTS_MAX && !is_everywhere(&q, a)) {
            shown[n++] = a;
            put_agent(answer, &q, a, &s, looks_like);
        }
    }
    put_all_installed(answer, gathered_get(g, "installed"), agents, shown, n);
    agents_free(agents);
    return 0;
}

const struct foreign_job clue_job_processes = { "the processes", 64 * 1024 * 1024, gather, parse, false };
