/* SPDX-License-Identifier: MIT */
#include "clues/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "foreign/foreign.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/parse.h"

#define HOMES_MAX 200
#define ALSO_MAX (1024 * 1024)
#define COMMAND_MAX (16 * 1024)
#define UNPACKED_MAX (64 * 1024 * 1024) /* of one log */

/* ---- gathering ---- */

int clue_root(void)
{
    tzset(); /* later nothing can be opened, also not the time zone */
    return beneath_open_host(bytes_of("/"), 0, O_PATH | O_DIRECTORY);
}

int clue_begin(struct bytes request, struct clue_question *ret)
{
    return clue_question_get(request, ret) < 0 ? -EBADMSG : clue_root();
}

static int add(struct gathered *g, const char *path, char *data, size_t len)
{
    char *name = strdup(path);

    if (!name) {
        free(data);
        return -ENOMEM;
    }
    return gathered_add(g, name, data, len);
}

/* What can be read within what is left of the budget. record: bytes of what its end is to begin with, 1 = anywhere; 0: all or nothing. */
static int gather_opened(struct gathered *g, int fd, const char *path, size_t max, size_t record)
{
    off_t from = 0;
    struct stat st;
    char *data;
    size_t len;

    max = MIN(max, g->max - g->total);
    if (fstat(fd, &st) < 0 || !max)
        return 0;
    if ((size_t)st.st_size > max) {
        if (!record)
            return 0;
        from = st.st_size - (off_t)max;
        from += ((off_t)record - from % (off_t)record) % (off_t)record;
    }
    if ((record ? beneath_read_part(fd, from, MIN(max, (size_t)(st.st_size - from)), &data, &len) : beneath_read_fd(fd, max, &data, &len)) < 0)
        return 0;
    return add(g, path, data, len);
}

int clue_gather_file(struct gathered *g, int root, const char *path, size_t max, bool tail)
{
    _cleanup_close_ int fd = beneath_open_file(root, bytes_of(path));

    return fd < 0 ? 0 : gather_opened(g, fd, path, max, tail ? 1 : 0);
}

static bool ends_so(const char *name, const char *const *endings)
{
    for (; endings && *endings; endings++)
        if (bytes_ends_with(bytes_of(name), bytes_of(*endings)))
            return true;
    return !endings;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory, sorted; how many. */
static size_t list(int root, const char *directory, char **names, size_t max)
{
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    size_t n = 0;
    int fd = beneath_open(root, bytes_of(directory), O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        return 0;
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return 0;
    }
    while (n < max && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && (names[n] = strdup(entry->d_name)))
            n++;
    qsort(names, n, sizeof(*names), compare_names);
    return n;
}

#define NAMES_MAX 65536 /* dpkg has some ten files for each package */

int clue_gather_directory(struct gathered *g, int root, const char *directory, const char *const *endings, unsigned files, size_t max)
{
    static char *names[NAMES_MAX]; /* too large for a stack; a worker has one thread */
    size_t n = list(root, directory, names, NAMES_MAX);
    unsigned taken = 0;
    int r = 0;

    for (size_t i = 0; i < n; i++) {
        char path[512];

        if (r == 0 && taken < files && ends_so(names[i], endings) &&
            (size_t)snprintf(path, sizeof(path), "%s/%s", directory, names[i]) < sizeof(path)) {
            size_t before = g->count;

            r = clue_gather_file(g, root, path, max, false);
            taken += g->count > before;
        }
        free(names[i]);
    }
    return r;
}

int clue_gather_homes(struct gathered *g, int (*gather)(struct gathered *g, int root, const char *home))
{
    _cleanup_close_ int root = clue_root();
    int r = root < 0 ? root : gather(g, root, "/root"), fd;
    struct dirent *entry;
    unsigned n = 0;
    DIR *dir;

    if (r < 0)
        return r;
    fd = beneath_open(root, bytes_of("/home"), O_RDONLY | O_DIRECTORY);
    dir = fd >= 0 ? fdopendir(fd) : NULL;
    while (dir && r == 0 && n < HOMES_MAX && (entry = readdir(dir))) {
        char home[300];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(home, sizeof(home), "/home/%s", entry->d_name);
        r = gather(g, root, home);
        n++;
    }
    if (dir)
        closedir(dir);
    else
        closep(&fd);
    return r == 0 && !g->count ? -ENOENT : r;
}

/* A rotation of `base`: ".1", ".2.gz", "-20261129", "-20261129.gz". */
static bool is_rotation(const char *name, const char *base)
{
    size_t len = strlen(base);

    return strncmp(name, base, len) == 0 && (name[len] == '\0' || ((name[len] == '.' || name[len] == '-') && name[len + 1] >= '0' &&
                                                                   name[len + 1] <= '9'));
}

int clue_gather_above(struct gathered *g, int root, struct bytes path, const char *below, size_t max, bool tail)
{
    for (; path.len > 1; path = bytes_dirname(path)) {
        char file[CLUE_PATH_MAX];
        int r;

        if ((size_t)snprintf(file, sizeof(file), "%.*s%s", (int)path.len, path.data, below) >= sizeof(file))
            continue;
        r = clue_gather_file(g, root, file, max, tail);
        if (r < 0 || g->count)
            return r;
    }
    return -ENOENT;
}

static int gather_log(struct gathered *g, int root, const char *path, const struct clue_question *q, const struct clue_logs *logs)
{
    static char *names[NAMES_MAX]; /* too large for a stack; a worker has one thread */
    struct bytes dir = bytes_dirname(bytes_of(path)), base = bytes_basename(bytes_of(path));
    char directory[256];
    uint64_t earliest = UINT64_MAX;
    size_t n;
    int r = 0;

    for (size_t i = 0; i < q->span_count; i++)
        earliest = MIN(earliest, q->spans[i].from_ns - MIN(q->spans[i].from_ns, CLUE_FAR_NS));
    snprintf(directory, sizeof(directory), "%.*s", (int)dir.len, dir.data);
    n = list(root, directory, names, NAMES_MAX);
    for (size_t i = 0; i < n; i++) {
        char full[512];
        int fd = -EBADF;
        struct stat st;

        snprintf(full, sizeof(full), "%s/%s", directory, names[i]);
        if (r == 0 && is_rotation(names[i], base.data) && (fd = beneath_open_file(root, bytes_of(full))) >= 0 && fstat(fd, &st) == 0 &&
            clock_of(st.st_mtim) >= earliest)
            r = gather_opened(g, fd, full, logs->max, MAX(logs->record, (size_t)1));
        closep(&fd);
        free(names[i]);
    }
    return r;
}

int clue_gather_logs(struct bytes request, struct gathered *g, const struct clue_logs *logs)
{
    _cleanup_close_ int root = clue_root();
    struct clue_question q;
    int r = 0;

    if (root < 0 || clue_question_get(request, &q) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < logs->count && r == 0; i++)
        r = gather_log(g, root, logs->paths[i], &q, logs);
    if (r == 0 && !g->count)
        return -ENOENT;
    return r == 0 && logs->also ? clue_gather_file(g, root, logs->also, ALSO_MAX, false) : r;
}

int clue_parse_logs(struct bytes request, const struct gathered *g, struct sbuf *answer, const struct clue_logs *logs)
{
    _cleanup_sbuf_ struct sbuf hold = SBUF_INIT;
    uint64_t earliest = 0;
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    q.extra = logs->also ? gathered_get(g, logs->also) : BYTES_NULL;
    for (size_t i = 0; i < g->count; i++) {
        uint64_t first;

        if (logs->also && strcmp(g->files[i].name, logs->also) == 0)
            continue;
        first = logs->text(answer, &q, bytes_of(g->files[i].name), clue_unpacked(&g->files[i], UNPACKED_MAX, &hold));

        if (first && (!earliest || first < earliest))
            earliest = first;
    }
    clue_put_cover(answer, earliest, 0);
    return 0;
}

int clue_gather_text(struct gathered *g, const char *name, const struct sbuf *text)
{
    char *copy = malloc(text->len + 1);

    if (!copy || sbuf_error(text)) {
        free(copy);
        return -ENOMEM;
    }
    memcpy(copy, sbuf_str(text), text->len + 1);
    return gathered_add(g, name, copy, text->len);
}

int clue_parse_files(struct bytes request, const struct gathered *g, struct sbuf *answer,
                     void (*file)(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text))
{
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    clue_put_cover(answer, 0, 0);
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->files[i].name, CLUE_ANSWER) == 0)
            sbuf_add_bytes(answer, g->files[i].content);
        else
            file(answer, &q, bytes_of(g->files[i].name), g->files[i].content);
    return 0;
}

/* ---- parsing ---- */

struct bytes clue_unpacked(const struct gathered_file *file, size_t max, struct sbuf *hold)
{
    struct bytes in = file->content;
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in.data, .avail_in = (uInt)MIN(in.len, UINT32_MAX / 2) };
    int r = Z_OK;

    if (in.len < 2 || memcmp(in.data, "\x1f\x8b", 2) != 0)
        return in;
    sbuf_clear(hold);
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return BYTES_NULL;
    while (r == Z_OK && hold->len < max) {
        char *room = sbuf_room(hold, 64 * 1024);

        if (!room)
            break;
        z.next_out = (Bytef *)room;
        z.avail_out = 64 * 1024;
        r = inflate(&z, Z_NO_FLUSH);
        sbuf_added(hold, 64 * 1024 - z.avail_out);
    }
    inflateEnd(&z);
    return sbuf_bytes(hold);
}

bool clue_next_line(struct clue_lines *lines, struct bytes *ret)
{
    if (!lines->rest.len)
        return false;
    *ret = bytes_next_line(&lines->rest);
    lines->number++;
    return true;
}

static bool is_continued(struct bytes line)
{
    return line.len && line.data[line.len - 1] == '\\';
}

bool clue_next_command(struct clue_lines *lines, struct sbuf *hold, struct bytes *ret, unsigned *ret_number)
{
    struct bytes line;

    if (!clue_next_line(lines, &line))
        return false;
    *ret = line;
    *ret_number = lines->number;
    if (!is_continued(line))
        return true;
    sbuf_clear(hold);
    do {
        bool more = is_continued(line);

        sbuf_add(hold, line.data, line.len - more);
        sbuf_add_char(hold, ' ');
        *ret = sbuf_bytes(hold);
        if (!more)
            break;
    } while (hold->len < COMMAND_MAX && clue_next_line(lines, &line));
    return true;
}

struct bytes clue_place(struct sbuf *hold, struct bytes file, unsigned line)
{
    sbuf_clear(hold);
    sbuf_add_bytes(hold, file);
    if (line)
        sbuf_addf(hold, ":%u", line);
    return sbuf_bytes(hold);
}

/* Two digits, or a blank and one. -1: neither. */
static int two(const char *s)
{
    if (s[1] < '0' || s[1] > '9' || ((s[0] < '0' || s[0] > '9') && s[0] != ' '))
        return -1;
    return (s[0] == ' ' ? 0 : s[0] - '0') * 10 + s[1] - '0';
}

static bool take_clock(const char *s, struct tm *tm)
{
    tm->tm_hour = two(s);
    tm->tm_min = two(s + 3);
    tm->tm_sec = two(s + 6);
    return s[2] == ':' && s[5] == ':' && tm->tm_hour >= 0 && tm->tm_hour < 24 && tm->tm_min >= 0 && tm->tm_min < 60 && tm->tm_sec >= 0 &&
           tm->tm_sec <= 60;
}

static uint64_t local_ns(struct tm tm)
{
    time_t t;

    tm.tm_isdst = -1;
    t = mktime(&tm);
    return t > 0 ? (uint64_t)t * NS_PER_S : 0;
}

static uint64_t old_time(struct bytes *line, uint64_t now_ns)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char s[16];
    struct tm now, tm = { 0 };
    time_t t = (time_t)(now_ns / NS_PER_S);
    const char *month;
    uint64_t ns = 0;

    if (line->len < 15)
        return 0;
    memcpy(s, line->data, 15);
    s[15] = '\0';
    month = s[3] == ' ' && s[6] == ' ' ? strstr(months, (char[]){ s[0], s[1], s[2], '\0' }) : NULL;
    if (!month || (month - months) % 3 || !take_clock(s + 7, &tm) || (tm.tm_mday = two(s + 4)) < 1 || tm.tm_mday > 31)
        return 0;
    tm.tm_mon = (int)(month - months) / 3;
    localtime_r(&t, &now);
    for (int back = 0; back < 2; back++) {
        tm.tm_year = now.tm_year - back;
        ns = local_ns(tm);
        if (ns <= now_ns + 86400 * NS_PER_S)
            break;
    }
    *line = (struct bytes){ line->data + 15, line->len - 15 };
    return ns;
}

/* "2026-11-29T01:33:00.123456+00:00", "2026-11-29 01:20:12" and the like. */
static uint64_t date_time(struct bytes *line)
{
    char s[20];
    struct tm tm = { 0 };
    uint64_t ns, fraction = 0, unit = NS_PER_S / 10;
    size_t at = 19;
    int century, year;

    if (line->len < 19)
        return 0;
    memcpy(s, line->data, 19);
    s[19] = '\0';
    century = two(s);
    year = two(s + 2);
    tm.tm_mon = two(s + 5) - 1;
    tm.tm_mday = two(s + 8);
    if (century < 19 || year < 0 || s[4] != '-' || s[7] != '-' || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        (s[10] != 'T' && s[10] != ' ') || !take_clock(s + 11, &tm))
        return 0;
    tm.tm_year = century * 100 + year - 1900;
    if (at < line->len && (line->data[at] == '.' || line->data[at] == ','))
        for (at++; at < line->len && line->data[at] >= '0' && line->data[at] <= '9'; at++, unit /= 10)
            fraction += (uint64_t)(line->data[at] - '0') * unit;
    if (at < line->len && line->data[at] == 'Z') {
        int64_t t = timegm(&tm);

        ns = t > 0 ? (uint64_t)t * NS_PER_S : 0;
        at++;
    } else if (at + 6 <= line->len && (line->data[at] == '+' || line->data[at] == '-') && s[10] == 'T') {
        const char *zone = line->data + at + 1;
        size_t minutes = zone[2] == ':' ? 3 : 2;
        int64_t offset = two(zone) * 3600 + (minutes + 2 + at + 1 <= line->len ? two(zone + minutes) : 0) * 60;
        int64_t t = timegm(&tm) - (line->data[at] == '+' ? offset : -offset);

        ns = t > 0 ? (uint64_t)t * NS_PER_S : 0;
        at += 1 + minutes + 2;
    } else {
        ns = local_ns(tm);
    }
    at = MIN(at, line->len);
    *line = (struct bytes){ line->data + at, line->len - at };
    return ns + fraction;
}

uint64_t clue_log_time(struct bytes *line, uint64_t now_ns)
{
    uint64_t ns = line->len && line->data[0] >= '0' && line->data[0] <= '9' ? date_time(line) : old_time(line, now_ns);

    while (ns && line->len && line->data[0] == ' ')
        *line = (struct bytes){ line->data + 1, line->len - 1 };
    return ns;
}
