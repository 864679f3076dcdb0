/* SPDX-License-Identifier: MIT */
#include "cli/print.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"

#define SHOWN 3             /* events of one run that are shown before the rest is folded */
#define FOLD_NS NS_PER_S    /* a fold is told at least so often */
#define BUFFER (64 * 1024)

static struct bytes read_line(struct arena *arena, const char *path)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[128];
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    return n > 0 ? arena_copy(arena, (struct bytes){ text, (size_t)n }) : BYTES_NULL;
}

struct ecs_host cli_host(struct arena *arena)
{
    struct ecs_host host = { 0 };
    struct utsname name;

    if (uname(&name) == 0)
        host.name = arena_copy(arena, bytes_of(name.nodename));
    host.id = read_line(arena, "/etc/machine-id");
    host.boot_id = read_line(arena, "/proc/sys/kernel/random/boot_id");
    return host;
}

static uint64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void printer_init(struct printer *p, enum format format, FILE *out)
{
    *p = (struct printer){ .format = format, .out = out };
    p->style.colour = cli_colour(out);
    p->style.columns = cli_columns(out);
    p->style.utc_offset_s = cli_utc_offset(p->offset_of_s * NS_PER_S);
    p->host = cli_host(&p->arena);
}

void printer_done(struct printer *p)
{
    printer_flush(p);
    sbuf_done(&p->buffer);
    arena_done(&p->arena);
}

static void write_buffer(struct printer *p)
{
    cli_write(p->out, &p->buffer);
    fflush(p->out);
    sbuf_clear(&p->buffer);
}

static void tell_fold(struct printer *p)
{
    if (!p->folded)
        return;
    sbuf_addf(&p->buffer, "                        … and %llu more like this, until ",
              (unsigned long long)p->folded);
    sentence_time(&p->buffer, p->until_ns, p->style.utc_offset_s);
    sbuf_add_char(&p->buffer, '\n');
    p->folded = 0;
    p->told_ns = monotonic();
}

/* Asking costs more than the rest of a line, and local time changes at whole seconds: a storm asks once a second. */
static void set_utc_offset(struct printer *p, uint64_t time_ns)
{
    if (p->offset_of_s == time_ns / NS_PER_S)
        return;
    p->offset_of_s = time_ns / NS_PER_S;
    p->style.utc_offset_s = cli_utc_offset(time_ns);
}

static bool continues(const struct printer *p, const struct event *e)
{
    const struct process *process = e->actor.process;

    return p->run && p->operation == e->operation && p->error == e->error &&
           p->pid == e->actor.pid && p->start_ns == (process ? process->start_ns : 0) &&
           p->watch == e->watch;
}

static void print_text(struct printer *p, const struct event *e)
{
    if (continues(p, e)) {
        p->run++;
        p->until_ns = e->time_ns;
        if (p->run > SHOWN) {
            if (!p->folded)
                p->told_ns = monotonic();
            p->folded++;
            return;
        }
    } else {
        tell_fold(p);
        p->operation = e->operation;
        p->error = e->error;
        p->pid = e->actor.pid;
        p->start_ns = e->actor.process ? e->actor.process->start_ns : 0;
        p->watch = e->watch;
        p->run = 1;
    }
    set_utc_offset(p, e->time_ns);
    p->style.containers |= e->victim != NULL;
    sentence_event(&p->buffer, e, &p->style);
    sbuf_add_char(&p->buffer, '\n');
}

void printer_event(struct printer *p, const struct event *event)
{
    if (p->format == FORMAT_JSON)
        ecs_write_event(&p->buffer, event, &p->host);
    else
        print_text(p, event);
    if (p->buffer.len > BUFFER)
        write_buffer(p);
}

void printer_life(struct printer *p, const struct life *life)
{
    if (p->format == FORMAT_JSON)
        return; /* a line of JSON is a change, a verdict or a gap; the moments stand in the verdict */
    tell_fold(p);
    p->run = 0;
    set_utc_offset(p, life->time_ns);
    sentence_life(&p->buffer, life, &p->style);
    sbuf_add_char(&p->buffer, '\n');
}

void printer_gap(struct printer *p, const struct gap *gap)
{
    if (p->format == FORMAT_JSON) {
        ecs_write_gap(&p->buffer, gap, &p->host);
        return;
    }
    tell_fold(p);
    p->run = 0;
    set_utc_offset(p, gap->from_ns);
    sentence_gap(&p->buffer, gap, &p->style);
    sbuf_add_char(&p->buffer, '\n');
}

void printer_idle(struct printer *p)
{
    if (p->folded && monotonic() - p->told_ns >= FOLD_NS)
        tell_fold(p);
    if (p->buffer.len)
        write_buffer(p);
}

void printer_flush(struct printer *p)
{
    tell_fold(p);
    p->run = 0;
    if (p->buffer.len)
        write_buffer(p);
}
