/* SPDX-License-Identifier: MIT */
#include "report/junit.h"

#include <time.h>

#include "report/case_state.h"
#include "util/escape.h"

static void add_attribute(struct sbuf *out, const char *name, struct bytes value)
{
    sbuf_addf(out, " %s=\"", name);
    escape_xml(out, value);
    sbuf_add_char(out, '"');
}

static void add_property(struct sbuf *out, const char *name, struct bytes value)
{
    sbuf_addf(out, "      <property name=\"%s\"", name);
    add_attribute(out, "value", value);
    sbuf_add_str(out, "/>\n");
}

static void add_number(struct sbuf *out, const char *name, uint64_t value)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    sbuf_add_decimal(&text, value);
    add_property(out, name, sbuf_bytes(&text));
}

/* The verdicts; their first line is the message that a CI system shows in its list. */
static void add_failure(struct sbuf *out, struct case_ *c)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct bytes first;
    const char *end;

    case_write_text(c, false, 0, &text);
    end = memchr(sbuf_str(&text), '\n', text.len);
    first = (struct bytes){ sbuf_str(&text), end ? (size_t)(end - text.data) : text.len };
    sbuf_add_str(out, "      <failure type=\"changed\"");
    add_attribute(out, "message", first);
    sbuf_add_char(out, '>');
    escape_xml(out, sbuf_bytes(&text));
    sbuf_add_str(out, "</failure>\n");
}

static void add_test(struct sbuf *out, const struct junit *j, struct bytes name, struct case_ *c)
{
    sbuf_add_str(out, "    <testcase classname=\"culprit\"");
    add_attribute(out, "name", name);
    sbuf_addf(out, " time=\"%.3f\">\n", (double)j->took_ns / 1e9);
    if (case_answered(c))
        add_failure(out, c);
    else if (case_lost(j->all))
        sbuf_add_str(out, "      <error type=\"lost\" message=\"events were lost: whether something changed is not "
                          "known\"/>\n");
    sbuf_add_str(out, "    </testcase>\n");
}

static void add_properties(struct sbuf *out, const struct junit *j)
{
    sbuf_add_str(out, "    <properties>\n");
    add_property(out, "command", j->command);
    if (j->command_status >= 0)
        add_number(out, "command.exit_code", (uint64_t)j->command_status);
    if (j->all->allowed)
        add_number(out, "culprit.allowed", j->all->allowed);
    if (j->all->filtered)
        add_number(out, "culprit.filtered", j->all->filtered);
    sbuf_add_str(out, "    </properties>\n");
}

void junit_write(struct sbuf *out, const struct junit *j)
{
    size_t failures = 0;
    bool other; /* what concerns no target in particular, such as a container that was made anew */
    size_t tests;
    time_t began = (time_t)(j->began_ns / NS_PER_S);
    struct tm tm;

    for (size_t i = 0; i < j->count; i++)
        failures += case_answered(j->cases[i]);
    other = !failures && case_answered(j->all);
    failures += other;
    tests = j->count + other;
    gmtime_r(&began, &tm);
    sbuf_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"culprit\"");
    sbuf_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\" time=\"%.3f\"", tests, failures,
              case_lost(j->all) ? tests - failures : 0, (double)j->took_ns / 1e9);
    sbuf_addf(out, " timestamp=\"%04d-%02d-%02dT%02d:%02d:%02d\">\n", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
              tm.tm_hour, tm.tm_min, tm.tm_sec);
    add_properties(out, j);
    for (size_t i = 0; i < j->count; i++)
        add_test(out, j, j->targets[i], j->cases[i]);
    if (other)
        add_test(out, j, j->all->options.target, j->all);
    sbuf_add_str(out, "  </testsuite>\n</testsuites>\n");
}
