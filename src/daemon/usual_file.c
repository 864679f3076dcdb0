/* SPDX-License-Identifier: MIT */
#include "daemon/usual_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>

#include "control/call.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"
#include "util/write.h"

#define FILE_MAX (16 * 1024 * 1024)
#define SAVE_NS (5 * 60 * NS_PER_S)

struct usual_reading {
    struct usual *usual;
    struct arena arena;
    struct bytes watches[USUAL_WATCHES_MAX]; /* by their order in the file */
    uint64_t numbers[USUAL_WATCHES_MAX];
    size_t count;
    uint64_t now_ns;
};

static int take_watch(struct usual_reading *of, const json_t *json)
{
    struct bytes watch = arena_copy(&of->arena, control_text(json, "watch"));

    if (of->count == USUAL_WATCHES_MAX || !watch.len || watch.len > USUAL_WATCH_MAX)
        return -EBADMSG;
    of->numbers[of->count] = control_number(json, "number");
    of->watches[of->count++] = watch;
    if (control_flag(json, "lost") && !usual_take_lost(of->usual, watch))
        return -ENOMEM;
    for (size_t i = 0; i < control_array_size(json, "days"); i++) {
        const json_t *day = control_array_object(json, "days", i);

        if (!usual_take_day(of->usual, watch, control_number(day, "day"), control_number(day, "busiest"), of->now_ns))
            return -ENOMEM;
    }
    return 0;
}

static int take_cause(struct usual_reading *of, const json_t *json)
{
    const uint64_t number = control_number(json, "of");
    struct fingerprint cause;
    size_t i = 0;

    while (i < of->count && of->numbers[i] != number)
        i++;
    if (i == of->count || fingerprint_parse(control_text(json, "cause"), &cause) < 0)
        return -EBADMSG;
    return usual_take_cause(of->usual, of->watches[i], cause, control_number(json, "last") * NS_PER_S, of->now_ns) ? 0 : -ENOMEM;
}

static int take_line(struct usual_reading *of, struct bytes line)
{
    json_t *json = json_loadb(line.data, line.len, 0, NULL);
    int r = !json ? -EBADMSG : json_object_get(json, "watch") ? take_watch(of, json) : take_cause(of, json);

    json_decref(json);
    return r;
}

static int read_file(struct usual_file *f)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    _cleanup_close_ int fd = open(f->path.data, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct usual_reading of = { .usual = f->usual, .now_ns = clock_ns(CLOCK_REALTIME) };
    struct bytes rest;
    int r;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    r = sbuf_add_file(&text, fd, FILE_MAX);
    rest = sbuf_bytes(&text);
    while (r == 0 && rest.len)
        r = take_line(&of, bytes_next_line(&rest));
    arena_done(&of.arena);
    return r;
}

int usual_file_open(struct usual_file *f, struct usual *usual, struct bytes store_path, const struct log *log)
{
    int r;

    f->usual = usual;
    f->log = log;
    sbuf_add_bytes(&f->path, bytes_dirname(store_path));
    sbuf_add_str(&f->path, "/usual");
    if (sbuf_error(&f->path) < 0)
        return -ENOMEM;
    r = read_file(f);
    if (r < 0)
        log_warn(log, "%s: %s; what was usual before is not known, and learnt again", f->path.data, strerror(-r));
    f->saved_changes = usual_changes(usual);
    return 0;
}

static void save(struct usual_file *f)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    int r;

    usual_write(f->usual, &text);
    r = sbuf_error(&text);
    if (r == 0)
        r = write_replace(sbuf_str(&f->path), sbuf_bytes(&text), false);
    if (r < 0)
        log_warn(f->log, "%s: %s; what is usual now is not known after the next start", sbuf_str(&f->path), strerror(-r));
    f->saved_changes = usual_changes(f->usual);
}

void usual_file_idle(struct usual_file *f)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (now < f->next_save_ns || usual_changes(f->usual) == f->saved_changes)
        return;
    f->next_save_ns = now + SAVE_NS;
    save(f);
}

void usual_file_close(struct usual_file *f)
{
    if (f->usual) {
        usual_end(f->usual);
        if (usual_changes(f->usual) != f->saved_changes)
            save(f);
    }
    sbuf_done(&f->path);
    f->usual = NULL;
}
