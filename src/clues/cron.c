/* SPDX-License-Identifier: MIT */
/*
 * The tables of cron: which lines were due at the moment, and which name the path. /etc/cron.{hourly,daily,weekly,monthly} are tables of
 * one file each. Pure but for gathering; a schedule that is not understood is neither due nor not due.
 */
#include "clues/cron.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "clues/line.h"
#include "clues/source.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define TABLE_MAX (256 * 1024)
#define TABLES_MAX 256
#define TMPREAPER "/etc/tmpreaper.conf"

static const char *const own[] = { "/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs", "/etc/crontabs" };
static const char *const parts[] = { "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly" };

/* ---- schedules ---- */

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static bool take_number(struct bytes text, const char *const *words, unsigned first, unsigned *ret)
{
    uint32_t n;

    for (unsigned i = 0; words && words[i]; i++)
        if (text.len == 3 && strncasecmp(text.data, words[i], 3) == 0) {
            *ret = i + first;
            return true;
        }
    if (parse_u32(text, 10, &n) < 0)
        return false;
    *ret = n;
    return true;
}

/* 1: `value` is among them; 0: it is not; -1: not understood. */
static int field_has(struct bytes field, unsigned value, unsigned min, unsigned max, const char *const *words)
{
    int found = 0;

    if (!field.len)
        return -1;
    while (field.len) {
        struct bytes item = bytes_next_field(&field, ','), range = bytes_next_field(&item, '/'), low;
        unsigned step = 1, from = min, to = max;

        if (item.len && (!take_number(item, NULL, 0, &step) || !step || step > 60))
            return -1;
        if (!bytes_equal_str(range, "*")) {
            bool single = !bytes_char(range, '-');

            low = bytes_next_field(&range, '-');
            if (!take_number(low, words, min, &from))
                return -1;
            to = single ? (item.len ? max : from) : 0;
            if (!single && !take_number(range, words, min, &to))
                return -1;
        }
        if (from < min || to > max + (words == day_names) || from > to)
            return -1;
        for (unsigned v = from; v <= to; v += step)
            found |= v == value || (words == day_names && v == 7 && value == 0);
    }
    return found;
}

int cron_due(struct bytes *line, uint64_t time_ns)
{
    static const struct {
        const char *word;
        int minute, hour, day, month, weekday; /* -1: any */
    } words[] = { { "@hourly", 0, -1, -1, -1, -1 },  { "@daily", 0, 0, -1, -1, -1 },  { "@midnight", 0, 0, -1, -1, -1 },
                  { "@weekly", 0, 0, -1, -1, 0 },    { "@monthly", 0, 0, 1, -1, -1 }, { "@yearly", 0, 0, 1, 1, -1 },
                  { "@annually", 0, 0, 1, 1, -1 } };
    time_t t = (time_t)(time_ns / NS_PER_S);
    struct bytes fields[5];
    int minute, hour, day, month, weekday;
    bool any_day, any_weekday;
    struct tm tm;

    localtime_r(&t, &tm);
    fields[0] = bytes_next_word(line);
    if (fields[0].len && fields[0].data[0] == '@') {
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
            if (bytes_equal_str(fields[0], words[i].word))
                return (words[i].minute < 0 || words[i].minute == tm.tm_min) && (words[i].hour < 0 || words[i].hour == tm.tm_hour) &&
                       (words[i].day < 0 || words[i].day == tm.tm_mday) && (words[i].month < 0 || words[i].month == tm.tm_mon + 1) &&
                       (words[i].weekday < 0 || words[i].weekday == tm.tm_wday);
        return -1; /* @reboot */
    }
    for (size_t i = 1; i < ARRAY_SIZE(fields); i++)
        fields[i] = bytes_next_word(line);
    minute = field_has(fields[0], (unsigned)tm.tm_min, 0, 59, NULL);
    hour = field_has(fields[1], (unsigned)tm.tm_hour, 0, 23, NULL);
    day = field_has(fields[2], (unsigned)tm.tm_mday, 1, 31, NULL);
    month = field_has(fields[3], (unsigned)tm.tm_mon + 1, 1, 12, month_names);
    weekday = field_has(fields[4], (unsigned)tm.tm_wday, 0, 6, day_names);
    if (minute < 0 || hour < 0 || day < 0 || month < 0 || weekday < 0)
        return -1;
    any_day = fields[2].data[0] == '*';
    any_weekday = fields[4].data[0] == '*';
    /* crontab(5): where both are restricted, either will do */
    return minute && hour && month && (any_day || any_weekday ? day && weekday : day || weekday);
}

/* ---- tables ---- */

/* "NAME=value" sets a variable. */
static bool is_setting(struct bytes line)
{
    const char *equals = bytes_char(line, '=');

    if (!equals)
        return false;
    for (const char *at = line.data; at < equals; at++)
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_' || *at == ' '))
            return false;
    return !(line.data[0] >= '0' && line.data[0] <= '9');
}

/* Was it due in the two minutes before a moment, where a job starts and does something? */
static unsigned when_due(struct bytes line, const struct clue_question *q, uint64_t *ret_ns)
{
    int due = -1;

    for (size_t i = 0; i < q->span_count; i++)
        for (uint64_t back = 0; back < 3; back++) {
            uint64_t at = q->spans[i].to_ns - MIN(q->spans[i].to_ns, back * 60 * NS_PER_S);
            struct bytes rest = line;
            int r = cron_due(&rest, at);

            if (r > 0) {
                *ret_ns = at / (60 * NS_PER_S) * 60 * NS_PER_S;
                return CLUE_DUE;
            }
            due = MAX(due, r);
        }
    return due == 0 ? CLUE_NOT_DUE : 0;
}

void cron_table(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text, bool with_user)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, suspect = SBUF_INIT;
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct clue_fact f = { .kind = CLUE_RULE, .marks = CLUE_COMMAND };
        struct bytes rest = line, command;
        unsigned due, says;

        while (rest.len && (rest.data[0] == ' ' || rest.data[0] == '\t'))
            rest = (struct bytes){ rest.data + 1, rest.len - 1 };
        if (!rest.len || rest.data[0] == '#' || is_setting(rest))
            continue;
        due = when_due(rest, q, &f.from_ns);
        command = rest;
        (void)cron_due(&command, q->now_ns);
        if (with_user)
            f.user = bytes_next_word(&command);
        else if (bytes_starts_with(name, bytes_of("/var/spool/cron/")) || bytes_starts_with(name, bytes_of("/etc/crontabs/")))
            f.user = bytes_basename(name);
        while (command.len && (command.data[0] == ' ' || command.data[0] == '\t'))
            command = (struct bytes){ command.data + 1, command.len - 1 };
        says = line_marks(command, q);
        if (!command.len)
            continue;
        sbuf_clear(&suspect);
        sbuf_add_str(&suspect, "cron job: ");
        sbuf_add_bytes(&suspect, command);
        f.marks |= due | says;
        f.text = line;
        f.suspect = sbuf_bytes(&suspect);
        f.place = clue_place(&place, name, lines.number);
        clue_put(answer, &f);
    }
}

/* A script of run-parts: when it runs the line of /etc/crontab says. */
static void one_part(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, suspect = SBUF_INIT, hold = SBUF_INIT;
    struct bytes line;
    unsigned number;

    sbuf_add_str(&suspect, "cron job: ");
    sbuf_add_bytes(&suspect, name);
    while (clue_next_command(&lines, &hold, &line, &number)) {
        unsigned says = line_marks(line, q);
        struct clue_fact f = { .kind = CLUE_RULE, .marks = says, .text = line, .suspect = sbuf_bytes(&suspect) };

        if (!(says & CLUE_NAMES) || line.data[0] == '#')
            continue;
        f.place = clue_place(&place, name, number);
        clue_put(answer, &f);
    }
}

/* "KEY=value" or "KEY='value'" of a file that a shell reads. */
static struct bytes setting(struct bytes line, const char *key)
{
    struct bytes value = line, name = bytes_next_field(&value, '=');

    if (!bytes_equal_str(name, key))
        return BYTES_NULL;
    while (value.len && strchr("'\" ", value.data[0]))
        value = (struct bytes){ value.data + 1, value.len - 1 };
    while (value.len && strchr("'\" ", value.data[value.len - 1]))
        value.len--;
    return value;
}

void cron_tmpreaper(struct sbuf *answer, const struct clue_question *q, struct bytes text)
{
    struct clue_fact f = { .kind = CLUE_RULE, .suspect = bytes_of("cron job: /etc/cron.daily/tmpreaper") };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, says = SBUF_INIT;
    struct clue_lines lines = { .rest = text };
    struct bytes line, directories = BYTES_NULL, age = bytes_of("7d"), value;
    unsigned number = 0;

    while (clue_next_line(&lines, &line)) {
        if (bytes_equal_str(setting(line, "SHOWWARNING"), "true"))
            return; /* as it is installed: it only warns */
        if ((value = setting(line, "TMPREAPER_TIME")).len)
            age = value;
        if ((value = setting(line, "TMPREAPER_DIRS")).len) {
            directories = line;
            number = lines.number;
        }
    }
    f.marks = number ? line_marks(directories, q) : line_word_names(bytes_of("/tmp"), q);
    if (!(f.marks & (CLUE_NAMES_PATH | CLUE_NAMES_ABOVE)))
        return;
    f.marks |= CLUE_REMOVES | CLUE_BY_AGE;
    sbuf_addf(&says, "%.*s : tmpreaper removes what is older than %.*s here", (int)MIN(directories.len, (size_t)200),
              number ? directories.data : "", (int)MIN(age.len, (size_t)20), age.data);
    f.text = sbuf_bytes(&says);
    f.place = clue_place(&place, bytes_of(TMPREAPER), number);
    clue_put(answer, &f);
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    int r;

    (void)request;
    if (root < 0)
        return root;
    r = clue_gather_file(g, root, "/etc/crontab", TABLE_MAX, false);
    if (r == 0)
        r = clue_gather_file(g, root, "/etc/anacrontab", TABLE_MAX, false);
    if (r == 0)
        r = clue_gather_file(g, root, TMPREAPER, TABLE_MAX, false);
    if (r == 0)
        r = clue_gather_directory(g, root, "/etc/cron.d", NULL, TABLES_MAX, TABLE_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(own) && r == 0; i++)
        r = clue_gather_directory(g, root, own[i], NULL, TABLES_MAX, TABLE_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++)
        r = clue_gather_directory(g, root, parts[i], NULL, TABLES_MAX, TABLE_MAX);
    return r == 0 && !g->count ? -ENOENT : r;
}

static bool is_part(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (bytes_path_covers(bytes_of(parts[i]), name))
            return true;
    return false;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct clue_question q;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    clue_put_cover(answer, 0, 0);
    for (size_t i = 0; i < g->count; i++) {
        struct bytes name = bytes_of(g->files[i].name);

        if (is_part(name))
            one_part(answer, &q, name, g->files[i].content);
        else if (bytes_equal_str(name, TMPREAPER) && gathered_get(g, "/etc/cron.daily/tmpreaper").data)
            cron_tmpreaper(answer, &q, g->files[i].content);
        else if (!bytes_equal_str(name, "/etc/anacrontab") && !bytes_equal_str(name, TMPREAPER))
            cron_table(answer, &q, name, g->files[i].content, bytes_starts_with(name, bytes_of("/etc/cron")) &&
                                                                   !bytes_starts_with(name, bytes_of("/etc/crontabs")));
    }
    return 0;
}

const struct foreign_job clue_job_cron = { "the tables of cron", 16 * 1024 * 1024, gather, parse, false };
