/* SPDX-License-Identifier: MIT */
#include "search/when.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/macro.h"
#include "util/parse.h"

#define DAY (24 * 60 * 60)
#define YEAR_MIN 104 /* 2004: the first audit system; a year of two digits was misread below */

enum word { WORD_NONE, NOW, RECENT, THIS_HOUR, BOOT, TODAY, YESTERDAY, THIS_WEEK, WEEK_AGO, THIS_MONTH, THIS_YEAR };

static const char *const words[] = {
    [NOW] = "now",           [RECENT] = "recent",       [THIS_HOUR] = "this-hour",
    [BOOT] = "boot",         [TODAY] = "today",         [YESTERDAY] = "yesterday",
    [THIS_WEEK] = "this-week", [WEEK_AGO] = "week-ago", [THIS_MONTH] = "this-month",
    [THIS_YEAR] = "this-year",
};

static enum word word_of(const char *text)
{
    for (unsigned i = 1; i < ARRAY_SIZE(words); i++)
        if (strcmp(text, words[i]) == 0)
            return (enum word)i;
    return WORD_NONE;
}

bool search_time_is_word(const char *text)
{
    return word_of(text) != WORD_NONE;
}

/* Words that say a moment, not a day: a clock of "00:00:00" does not move them. */
static bool is_moment(enum word word)
{
    return word == NOW || word == RECENT || word == BOOT || word == THIS_HOUR;
}

static void set_date(struct tm *tm, time_t when, bool with_clock)
{
    struct tm local;

    localtime_r(&when, &local);
    if (with_clock) {
        tm->tm_sec = local.tm_sec;
        tm->tm_min = local.tm_min;
        tm->tm_hour = local.tm_hour;
    } else {
        tm->tm_sec = tm->tm_min = tm->tm_hour = 0;
    }
    tm->tm_mday = local.tm_mday;
    tm->tm_mon = local.tm_mon;
    tm->tm_year = local.tm_year;
    tm->tm_isdst = local.tm_isdst;
    tm->tm_wday = local.tm_wday;
    tm->tm_yday = local.tm_yday;
}

static void set_word(struct tm *tm, enum word word, time_t now, double uptime_s)
{
    struct tm local;

    switch (word) {
    case NOW:
        set_date(tm, now, true);
        break;
    case RECENT:
        set_date(tm, now - 10 * 60, true);
        break;
    case THIS_HOUR:
        set_date(tm, now, true);
        tm->tm_min = tm->tm_sec = 0;
        break;
    case BOOT:
        set_date(tm, now - (time_t)(uptime_s + 0.5), true);
        break;
    case YESTERDAY:
        set_date(tm, now - DAY, false);
        break;
    case THIS_WEEK:
        localtime_r(&now, &local);
        set_date(tm, now - local.tm_wday * DAY, false);
        break;
    case WEEK_AGO:
        set_date(tm, now - 7 * DAY, false);
        break;
    case THIS_MONTH:
        set_date(tm, now, false);
        tm->tm_mday = 1;
        break;
    case THIS_YEAR:
        set_date(tm, now, false);
        tm->tm_mday = 1;
        tm->tm_mon = 0;
        tm->tm_isdst = 0;
        break;
    case TODAY:
    case WORD_NONE:
        set_date(tm, now, false);
        break;
    }
}

/* ISO 8601 and relative times. */
static int parse_ours(const char *date, const char *clock, time_t now, struct search_time *ret,
                      struct err *err)
{
    char text[128];
    uint64_t ns;
    int r;

    if ((size_t)snprintf(text, sizeof(text), "%s%s%s", date ? date : "", date && clock ? "T" : "",
                         clock ? clock : "") >= sizeof(text))
        return err_say(err, -EINVAL, "time of %zu bytes", strlen(date ? date : clock));
    r = parse_time(text, (uint64_t)now * NS_PER_S, &ns, err);
    if (r < 0)
        return r;
    *ret = (struct search_time){ .sec = (int64_t)(ns / NS_PER_S),
                                 .ms = ns % NS_PER_S ? ns / NS_PER_MS : 0 };
    return 0;
}

/* In the locale's way, as a whole; "12:30" means "12:30:00". */
static bool parse_clock(const char *clock, struct tm *tm)
{
    char text[64];
    const char *end;

    if ((size_t)snprintf(text, sizeof(text), "%s%s", clock, strlen(clock) <= 5 ? ":00" : "") >= sizeof(text))
        return false;
    end = strptime(text, "%X", tm);
    return end && *end == '\0';
}

int search_time_parse(const char *date, const char *clock, bool is_end, time_t now, double uptime_s,
                      struct search_time *ret, struct err *err)
{
    enum word word = date ? word_of(date) : WORD_NONE;
    bool midnight = clock && strcmp(clock, "00:00:00") == 0;
    struct tm tm = { 0 };
    time_t t;

    if (!date) {
        set_date(&tm, now, true);
    } else if (word) {
        if (word == TODAY && is_end)
            set_date(&tm, now, true); /* until the end of today is until now */
        else
            set_word(&tm, word, now, uptime_s);
        if ((is_moment(word) || (is_end && word == TODAY)) && (!clock || midnight))
            goto done;
    } else {
        const char *end = strptime(date, "%x", &tm);

        if (!end || *end)
            return parse_ours(date, midnight ? NULL : clock, now, ret, err);
        if (clock && (strchr(clock, 'Z') || strchr(clock, '+')))
            return parse_ours(date, clock, now, ret, err);
    }
    if (clock) {
        if (!parse_clock(clock, &tm)) {
            if (!date)
                return parse_ours(NULL, clock, now, ret, err);
            return err_say(err, -EINVAL, "invalid time \"%.40s\": hours, minutes and seconds are needed", clock);
        }
    } else {
        struct tm local;

        localtime_r(&now, &local);
        tm.tm_hour = local.tm_hour;
        tm.tm_min = local.tm_min;
        tm.tm_sec = local.tm_sec;
        tm.tm_isdst = local.tm_isdst;
    }
    if (tm.tm_year < YEAR_MIN)
        return err_say(err, -EINVAL, "the year of \"%.40s\" is %d", date ? date : clock, tm.tm_year + 1900);
done:
    t = mktime(&tm);
    if (t == -1)
        return err_say(err, -EINVAL, "time \"%.40s\" cannot be converted", date ? date : clock);
    *ret = (struct search_time){ .sec = t };
    return 0;
}
