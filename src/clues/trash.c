/* SPDX-License-Identifier: MIT */
/* Trashes of users: a copy, and a note of where it was and when it was put there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "clues/cleaners.h"
#include "clues/source.h"
#include "util/cleanup.h"

#define NOTES_MAX 2000 /* of one trash */
#define INFO "/.local/share/Trash/info"

static const char *const endings[] = { ".trashinfo", NULL };

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void add_decoded(struct sbuf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = text.data[i] == '%' && i + 2 < text.len ? hex(text.data[i + 1]) : -1,
            low = high >= 0 ? hex(text.data[i + 2]) : -1;

        if (low >= 0) {
            sbuf_add_char(out, (char)(high * 16 + low));
            i += 2;
        } else {
            sbuf_add_char(out, text.data[i]);
        }
    }
}

void trash_note(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT, says = SBUF_INIT, suspect = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_KEPT, .marks = CLUE_DID | CLUE_NAMES_PATH | CLUE_REMOVES };
    const char *cut = memmem(name.data, name.len, "/info/", 6);
    struct bytes rest = text, line, trash = { name.data, cut ? (size_t)(cut - name.data) : name.len },
                 file = bytes_basename(name);

    while (rest.len) {
        line = bytes_next_line(&rest);
        if (bytes_starts_with(line, bytes_of("Path="))) {
            sbuf_clear(&path);
            add_decoded(&path, (struct bytes){ line.data + 5, line.len - 5 });
        } else if (bytes_starts_with(line, bytes_of("DeletionDate="))) {
            struct bytes time = { line.data + 13, line.len - 13 };

            f.from_ns = clue_log_time(&time, q->now_ns);
        }
    }
    f.path = sbuf_bytes(&path);
    if (!path.len || (!bytes_path_covers(q->path, f.path) && !bytes_path_covers(f.path, q->path)))
        return;
    file.len -= MIN(file.len, sizeof(".trashinfo") - 1);
    sbuf_addf(&says, "a copy lies in the trash: %.*s/files/%.*s", (int)trash.len, trash.data, (int)file.len, file.data);
    sbuf_addf(&suspect, "whoever put it into the trash %.*s", (int)trash.len, trash.data);
    f.text = sbuf_bytes(&says);
    f.suspect = sbuf_bytes(&suspect);
    f.place = name;
    clue_put(answer, &f);
}

static int gather_home(struct gathered *g, int root, const char *home)
{
    char path[512];

    snprintf(path, sizeof(path), "%s" INFO, home);
    return clue_gather_directory(g, root, path, endings, NOTES_MAX, 16 * 1024);
}

static int gather(struct bytes request, struct gathered *g)
{
    (void)request;
    return clue_gather_homes(g, gather_home);
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return clue_parse_files(request, g, answer, trash_note);
}

const struct foreign_job clue_job_trash = { "the trashes of users", 16 * 1024 * 1024, gather, parse, false };
