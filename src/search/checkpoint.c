/* SPDX-License-Identifier: MIT */
#include "search/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

#define EVENT_SPAN_S 2 /* records of one event are not further apart: ausearch's constant */

void search_checkpoint_done(struct search_checkpoint *c)
{
    free(c->input.node);
    free(c->last.node);
    c->input.node = c->last.node = NULL;
}

static int read_event(struct search_checkpoint *c, char *text)
{
    char *rest = strchr(text, ' ');

    if (!rest)
        return -EBADMSG;
    *rest++ = '\0';
    free(c->input.node);
    c->input.node = NULL;
    if (text[0] != '-') {
        c->input.node = strdup(text);
        if (!c->input.node)
            return -ENOMEM;
    }
    if (sscanf(rest, "%" SCNu64 ".%03u:%" SCNu64 " 0x%X", &c->input.sec, &c->input.milli, &c->input.serial,
               (unsigned *)&c->input.type) != 4)
        return -EBADMSG;
    return 0;
}

static bool read_number(const char *text, int base, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoull(text, &end, base);
    return errno == 0 && end != text;
}

int search_checkpoint_load(struct search_checkpoint *c, const char *path, struct err *err)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    char line[1024];
    uint64_t v;

    if (!f)
        return errno == ENOENT ? 0 : err_set(err, -errno, "checkpoint %s", path);
    while (fgets(line, sizeof(line), f)) {
        int r = 0;

        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "dev=", 4) == 0) {
            r = read_number(line + 4, 16, &v) ? 0 : -EBADMSG;
            c->dev = (dev_t)v;
        } else if (strncmp(line, "inode=", 6) == 0) {
            r = read_number(line + 6, 0, &v) ? 0 : -EBADMSG;
            c->ino = (ino_t)v;
        } else if (strncmp(line, "output=", 7) == 0) {
            r = read_event(c, line + 7);
        } else {
            r = -EBADMSG;
        }
        if (r < 0)
            return err_say(err, r, "checkpoint %s: line \"%.60s\" is damaged; remove the file to begin anew", path, line);
    }
    if (!c->ino || !c->dev)
        return err_say(err, -EBADMSG, "checkpoint %s: no device and inode in it; remove the file to begin anew", path);
    c->loaded = true;
    return 0;
}

int search_checkpoint_skip_files(const struct search_checkpoint *c, struct audit_log_files *files)
{
    size_t i = 0;

    if (!c->loaded || c->by_time)
        return 0;
    while (i < files->count && !(files->files[i].dev == c->dev && files->files[i].ino == c->ino))
        i++;
    if (i == files->count)
        return -ENOENT;
    for (size_t k = 0; k < i; k++)
        free(files->files[k].path);
    files->count -= i;
    memmove(files->files, files->files + i, files->count * sizeof(files->files[0]));
    return 0;
}

static bool same_node(const char *node, struct bytes other)
{
    return node ? bytes_equal_str(other, node) : !other.data;
}

enum search_checkpoint_step search_checkpoint_step(struct search_checkpoint *c,
                                                   const struct search_event *e)
{
    if (c->going || !c->loaded || c->input.sec == 0) {
        c->going = true;
        return CHECKPOINT_SHOW;
    }
    if (c->by_time && (c->input.sec < e->sec || (c->input.sec == e->sec && c->input.milli <= e->milli))) {
        c->going = true;
        return CHECKPOINT_SHOW;
    }
    if (c->input.sec == e->sec && c->input.milli == e->milli && c->input.serial == e->serial &&
        c->input.type == e->type && same_node(c->input.node, e->node)) {
        c->going = true;
        return CHECKPOINT_BEFORE;
    }
    return c->input.sec < e->sec && e->sec - c->input.sec > EVENT_SPAN_S ? CHECKPOINT_LOST
                                                                        : CHECKPOINT_BEFORE;
}

int search_checkpoint_note(struct search_checkpoint *c, const struct search_event *e)
{
    if (e->node.data) {
        if (!c->last.node || !same_node(c->last.node, e->node)) {
            free(c->last.node);
            c->last.node = strndup(e->node.data, e->node.len);
            if (!c->last.node)
                return -ENOMEM;
        }
    } else {
        free(c->last.node);
        c->last.node = NULL;
    }
    c->last.sec = e->sec;
    c->last.milli = e->milli;
    c->last.serial = e->serial;
    c->last.type = e->type;
    c->has_last = true;
    return 0;
}

int search_checkpoint_save(const struct search_checkpoint *c, const char *path, const char *log,
                           struct err *err)
{
    _cleanup_fclose_ FILE *f = NULL;
    struct stat st;

    if (stat(log, &st) < 0)
        return err_set(err, -errno, "checkpoint: %s", log);
    f = fopen(path, "we");
    if (!f)
        return err_set(err, -errno, "checkpoint %s", path);
    fprintf(f, "dev=0x%X\ninode=%ju\n", (unsigned)st.st_dev, (uintmax_t)st.st_ino);
    fprintf(f, "output=%s %" PRIu64 ".%03u:%" PRIu64 " 0x%X\n", c->last.node ? c->last.node : "-",
            c->last.sec, c->last.milli, c->last.serial, (unsigned)c->last.type);
    if (fflush(f) != 0)
        return err_set(err, -errno, "checkpoint %s", path);
    return 0;
}
