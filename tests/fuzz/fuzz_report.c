/* SPDX-License-Identifier: MIT */
/*
 * The input is a case: processes of any kind and cause, and events of any kind by them on a handful of files, each part of which
 * may be known or not. The verdict must come out, on lines of text and as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <linux/audit.h>

#include "cause/cause.h"
#include "event/ecs.h"
#include "event/operation.h"
#include "event/sentence.h"
#include "fuzz.h"
#include "report/case.h"
#include "report/live.h"
#include "report/names.h"
#include "report/summary.h"
#include "util/macro.h"

#define PEOPLE 6
#define EVENTS_MAX 30
#define T0 1795488335000000000ull

struct input {
    const uint8_t *data;
    size_t left;
};

static unsigned take(struct input *in, unsigned below)
{
    if (!in->left)
        return 0;
    in->left--;
    return *in->data++ % below;
}

static bool flip(struct input *in)
{
    return take(in, 2);
}

/* Names that programs know, names that do harm on a terminal, and none. */
static struct bytes take_text(struct input *in)
{
    static const char *const texts[] = { "", "/usr/bin/rm", "/bin/sh", "rm", "root", "a\nb\x1b[2J", "tmux", "/opt/x/agent", "0555", "\xff\xfe", " ",
                                         "/usr/bin/python3", "/srv/a", "web", "a,b", "%s%n", "()", "cron.service" };

    return bytes_of(texts[take(in, ARRAY_SIZE(texts))]);
}

static struct bytes take_path(struct input *in)
{
    static const char *const paths[] = { "/srv/a", "/srv/b", "/srv/d/c", "/srv", "/out/a", "/srv/a\tb", "", "/srv/d", "/", "/srv/.a.tmp" };

    return bytes_of(paths[take(in, ARRAY_SIZE(paths))]);
}

#define ARGS(s) { s, sizeof(s) - 1 } /* with each NUL but the compiler's own */

static struct bytes take_args(struct input *in)
{
    static const struct bytes args[] = { ARGS(""), ARGS("rm\0-rf\0/srv/a\0"), ARGS("sh\0-c\0rm x; rm y\0"), ARGS("sh\0/opt/a.sh\0"), ARGS("-bash\0"),
                                         ARGS("python3\0-m\0mod\0"), ARGS("make\0clean\0"), ARGS("dockerd\0"), ARGS("ansible-playbook\0site.yml\0"),
                                         ARGS("\0\0\0"), ARGS("sh") };

    return args[take(in, ARRAY_SIZE(args))];
}

static void take_credentials(struct input *in, struct credentials *cred)
{
    *cred = (struct credentials){ .known = flip(in), .uid = take(in, 3) * 1000, .euid = take(in, 3) * 1000, .egid = take(in, 2) };
}

static struct process *take_process(struct input *in, pid_t pid, struct process *parent, struct container *container)
{
    struct process *p = process_new(pid, flip(in) ? (uint64_t)pid * 1000000000ull : 0);
    struct bytes *fields[] = { &p->executable, &p->name, &p->working_directory, &p->script, &p->input, &p->tty, &p->user_name, &p->real_user_name,
                               &p->login_name, &p->remote, &p->owner.unit, &p->owner.package, &p->owner.product, &p->owner.product_kind,
                               &p->launch.text, &p->launch.user };

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        process_set(p, fields[i], take_text(in));
    process_set(p, &p->args, take_args(in));
    take_credentials(in, &p->cred);
    p->login_uid = flip(in) ? 1000 : UID_UNKNOWN;
    p->launch.kind = take(in, LAUNCH_START + 1);
    p->origin = take(in, ORIGIN_CONTAINER + 1);
    if (p->origin == ORIGIN_CONTAINER)
        p->container = container_ref(container);
    p->exited_ns = take(in, 3);
    p->owner.looks_like = flip(in);
    p->parent = process_ref(parent);
    p->parent_pid = parent ? parent->pid : 0;
    return p;
}

/* As no search would find it: a store of another version, or a damaged one, may hold any. */
static void take_cause(struct input *in, struct event *e)
{
    struct cause *c = &e->cause;

    if (flip(in)) {
        cause_remember(e);
        return;
    }
    c->run.kind = take(in, RUN_KIND_COUNT);
    c->launcher.kind = take(in, LAUNCHER_KIND_COUNT);
    struct bytes *fields[] = { &c->run.name, &c->run.interpreter, &c->run.text, &c->run.directory, &c->run.file, &c->run.package, &c->run.environment,
                               &c->launcher.name, &c->launcher.detail, &c->launcher.unit, &c->person.name, &c->person.as_name, &c->person.by,
                               &c->person.terminal, &c->person.remote, &c->tool };
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        event_set(e, fields[i], take_text(in));
    event_set(e, &c->run.args, take_args(in));
    c->run.claimed = flip(in);
    c->run.input = flip(in);
    c->person.known = flip(in);
    c->person.interactive = flip(in);
    c->person.id = flip(in) ? 1000 : UID_UNKNOWN;
    c->person.as_id = flip(in) ? 0 : UID_UNKNOWN;
    if (flip(in) && e->actor.process)
        c->run.process = process_ref(e->actor.process);
    if (flip(in) && e->actor.process && e->actor.process->parent)
        c->launcher.process = process_ref(e->actor.process->parent);
    c->key.number = take(in, 4);
}

static void take_state(struct input *in, struct file_state *s)
{
    *s = (struct file_state){ .known = (unsigned)(take(in, 256) | take(in, 256) << 8), .mode = take(in, 256) << 8 | take(in, 256), .uid = take(in, 2),
                              .gid = take(in, 2), .size = take(in, 4) * 1000ull, .inode = take(in, 3) };
}

static struct event *take_event(struct input *in, struct process *const *people, struct container *web, uint64_t time_ns)
{
    struct event *e = event_new();
    struct process *p = people[take(in, PEOPLE)];

    e->operation = take(in, OPERATION_COUNT);
    e->time_ns = time_ns;
    e->boot_ns = flip(in) ? time_ns - T0 + 1 : 0;
    e->error = take(in, 4) == 0 ? 13 : 0;
    e->sensors = 1u << take(in, 4);
    if (flip(in)) {
        e->syscall_arch = AUDIT_ARCH_X86_64;
        e->syscall = (int)take(in, 256);
    }
    if (p && flip(in)) {
        e->actor.process = process_ref(p);
        e->actor.pid = p->pid;
        e->actor.start_ns = p->start_ns;
    }
    event_set(e, &e->actor.name, take_text(in));
    take_credentials(in, &e->actor.cred);
    event_set(e, &e->path, take_path(in));
    if (e->operation == OPERATION_RENAME || flip(in))
        event_set(e, &e->previous_path, take_path(in));
    event_set(e, &e->target_path, take_path(in));
    event_set(e, &e->host_path, take_path(in));
    event_set(e, &e->xattr, take_text(in));
    event_set(e, &e->note, take_text(in));
    event_set(e, &e->watch_text, bytes_of(flip(in) ? "web:/srv" : "/srv"));
    take_state(in, &e->file);
    take_state(in, &e->before);
    take_state(in, &e->after);
    e->bytes = take(in, 200);
    e->bytes_known = flip(in);
    e->victim = flip(in) ? container_ref(web) : NULL;
    e->victim_kind = e->victim ? VICTIM_CONTAINER : VICTIM_HOST;
    e->since_start_known = flip(in);
    e->since_start_ns = (int64_t)take(in, 100) * 100000000;
    e->actor_presumed = flip(in);
    e->operation_presumed = flip(in);
    e->elsewhere = flip(in);
    if (flip(in))
        event_set(e, &e->node, take_text(in));
    if (take(in, 8) == 0)
        event_carry(e, take_path(in));
    take_cause(in, e);
    return e;
}

static void check_lines(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if ((c < 0x20 && c != '\n') || c == 0x7f)
            abort();
    }
}

static void check_json(struct bytes text)
{
    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        json_t *line;

        if (!end)
            abort();
        line = json_loadb(text.data, (size_t)(end - text.data), JSON_REJECT_DUPLICATES, NULL);
        if (!line)
            abort();
        json_decref(line);
        text.len -= (size_t)(end + 1 - text.data);
        text.data = end + 1;
    }
}

static void write_case(struct case_ *c)
{
    struct sbuf out = SBUF_INIT;

    case_write_text(c, false, 0, &out);
    check_lines(sbuf_bytes(&out));
    sbuf_clear(&out);
    case_write_text(c, false, 40, &out);
    check_lines(sbuf_bytes(&out));
    sbuf_clear(&out);
    case_write_json(c, &out);
    check_json(sbuf_bytes(&out));
    sbuf_done(&out);
}

static void write_event(const struct event *e)
{
    struct sentence_style style = { .containers = true };
    struct ecs_host host = { 0 };
    struct sbuf out = SBUF_INIT;

    sentence_event(&out, e, &style);
    check_lines(sbuf_bytes(&out));
    sbuf_clear(&out);
    ecs_write_event(&out, e, &host);
    if (out.len && sbuf_str(&out)[out.len - 1] != '\n')
        sbuf_add_char(&out, '\n');
    check_json(sbuf_bytes(&out));
    sbuf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct case_ *c = case_new(&(struct case_options){ .target = bytes_of("web:/srv"), .command_status = -1 });
    struct summary *table = summary_new(take(&in, 4));
    struct container *web = container_new();
    struct process *people[PEOPLE] = { NULL };
    struct sbuf out = SBUF_INIT;
    uint64_t time_ns = T0;

    container_set(web, &web->id, bytes_of("0123456789abcdef"));
    container_set(web, &web->name, take_text(&in));
    container_set(web, &web->runtime, take_text(&in));
    for (unsigned i = 0; i < PEOPLE; i++)
        people[i] = take_process(&in, (pid_t)i + 1, i && flip(&in) ? people[take(&in, i)] : NULL, web);
    if (flip(&in))
        case_set_command(c, 3, people[2]->start_ns);
    for (unsigned i = 0; in.left && i < EVENTS_MAX; i++) {
        struct event *e = take_event(&in, people, web, time_ns);

        time_ns += take(&in, 4) ? take(&in, 100) * NS_PER_MS : take(&in, 100) * NS_PER_S;
        write_event(e);
        (void)case_add_event(c, e);
        summary_add(table, e);
        event_free(e);
    }
    write_case(c);
    summary_write_text(table, take(&in, 2), 3, &out);
    check_lines(sbuf_bytes(&out));
    sbuf_clear(&out);
    summary_write_json(table, 0, 0, &out);
    check_json(sbuf_bytes(&out));
    sbuf_done(&out);
    summary_free(table);
    case_free(c);
    for (unsigned i = 0; i < PEOPLE; i++)
        process_unref(people[i]);
    container_unref(web);
    return 0;
}
