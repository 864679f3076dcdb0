/* SPDX-License-Identifier: MIT */
#include "cli/print.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

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
    live_done(&p->live);
    sbuf_done(&p->buffer);
    arena_done(&p->arena);
}

static void write_buffer(struct printer *p)
{
    if (p->outlet) {
        outlet_write(p->outlet, &p->buffer);
        return;
    }
    cli_write(p->out, &p->buffer);
    fflush(p->out);
    sbuf_clear(&p->buffer);
}

/* Asking costs more than the rest of a line, and local time changes at whole seconds: a storm asks once a second. */
static void set_utc_offset(struct printer *p, uint64_t time_ns)
{
    if (p->offset_of_s == time_ns / NS_PER_S)
        return;
    p->offset_of_s = time_ns / NS_PER_S;
    p->style.utc_offset_s = cli_utc_offset(time_ns);
}

static void print_text(struct printer *p, const struct event *e)
{
    set_utc_offset(p, e->time_ns);
    p->style.containers |= e->victim != NULL;
    live_event(&p->live, e, &p->style, clock_ns(CLOCK_MONOTONIC), &p->buffer);
}

/* Another kind of line is to follow. */
static void end_events(struct printer *p)
{
    live_flush(&p->live, &p->style, clock_ns(CLOCK_MONOTONIC), &p->buffer);
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

void printer_life(struct printer *p, const struct lifecycle_event *life)
{
    if (p->format == FORMAT_JSON)
        return; /* a line of JSON is a change, a verdict or a gap; the moments are in the verdict */
    end_events(p);
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
    end_events(p);
    set_utc_offset(p, gap->from_ns);
    sentence_gap(&p->buffer, gap, &p->style);
    sbuf_add_char(&p->buffer, '\n');
}

void printer_idle(struct printer *p)
{
    live_idle(&p->live, &p->style, clock_ns(CLOCK_MONOTONIC), &p->buffer);
    if (p->buffer.len || (p->outlet && p->outlet->stalled))
        write_buffer(p);
}

void printer_flush(struct printer *p)
{
    end_events(p);
    if (p->buffer.len)
        write_buffer(p);
}

void printer_text(struct printer *p, struct sbuf *text)
{
    printer_flush(p);
    sbuf_add_bytes(&p->buffer, sbuf_bytes(text));
    sbuf_clear(text);
    write_buffer(p);
}

void cli_add_moment(struct sbuf *out, uint64_t time_ns)
{
    time_t t = (time_t)(time_ns / NS_PER_S);
    struct tm tm;

    localtime_r(&t, &tm);
    sbuf_addf(out, "%04d-%02d-%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    sentence_time(out, time_ns, tm.tm_gmtoff);
}
