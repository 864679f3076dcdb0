/* SPDX-License-Identifier: MIT */
/* What a CI system reads of each target. */
#include "test.h"

#include <limits.h>

#include "make.h"
#include "report/junit.h"

#define T0 1795488335000000000ull

struct row {
    const char *name;
    bool changed, lost, removed; /* removed: a container, which is no target's event */
    const char *says[3];
};

static const struct row rows[] = {
    { "nothing changed", false, false, false,
      { "tests=\"2\" failures=\"0\" errors=\"0\"", "name=\"/srv/b\" time=\"1.500\">\n    </testcase>", NULL } },
    { "one changed", true, false, false,
      { "tests=\"2\" failures=\"1\" errors=\"0\"", "<failure type=\"changed\" message=\"VERDICT",
        "/srv/a/&lt;x&gt;&amp;\\x1b\\xff" } },
    { "nobody knows", false, true, false,
      { "tests=\"2\" failures=\"0\" errors=\"2\"", "<error type=\"lost\"", NULL } },
    { "one changed, of the other nobody knows", true, true, false,
      { "tests=\"2\" failures=\"1\" errors=\"1\"", "<error type=\"lost\"", "<failure" } },
    { "what concerns no target in particular", false, false, true,
      { "tests=\"3\" failures=\"1\" errors=\"0\"", "name=\"/srv/&lt;a&gt; /srv/b\"", "<failure" } },
};

static void writes(void **state)
{
    const struct row *row = *state;
    struct case_options options = { .target = bytes_of("/srv/<a> /srv/b"), .command_status = -1, .quiet = true,
                                    .limit = UINT_MAX };
    struct bytes targets[] = { bytes_of("/srv/<a>"), bytes_of("/srv/b") };
    struct case_ *all = case_new(&options), *cases[] = { case_new(&options), case_new(&options) };
    struct junit j = { targets, cases, 2, all, bytes_of("sh -c 'a && b'"), 7, T0, 1500 * NS_PER_MS };
    struct process *p = make_process(10, "/bin/<rm>", NULL);
    struct event *e = make_event(OPERATION_UNLINK, "/srv/a/<x>&\x1b\xff", p, NULL, T0);
    struct sbuf out = SBUF_INIT;

    if (row->changed) {
        case_add_event(all, e);
        case_add_event(cases[0], e);
    }
    if (row->lost)
        case_add_gap(all, &(struct gap){ .count = 3 });
    if (row->removed)
        case_add_explanation(all, EXPLANATION_REMOVED, T0, 3, bytes_of("web"));
    case_leave_out(all, FILTER_ALLOWED, 4);
    junit_write(&out, &j);
    for (unsigned i = 0; i < ARRAY_SIZE(row->says) && row->says[i]; i++)
        if (!strstr(sbuf_str(&out), row->says[i]))
            fail_msg("not said: %s\nbut:\n%s", row->says[i], sbuf_str(&out));
    assert_non_null(strstr(sbuf_str(&out), "name=\"command.exit_code\" value=\"7\""));
    assert_non_null(strstr(sbuf_str(&out), "name=\"command\" value=\"sh -c &#39;a &amp;&amp; b&#39;\""));
    assert_non_null(strstr(sbuf_str(&out), "name=\"culprit.allowed\" value=\"4\""));
    assert_null(memchr(sbuf_str(&out), 0x1b, out.len));
    assert_null(memchr(sbuf_str(&out), 0xff, out.len));
    event_free(e);
    process_unref(p);
    case_free(all);
    case_free(cases[0]);
    case_free(cases[1]);
    sbuf_done(&out);
}

int main(void)
{
    return RUN_ROWS(rows, writes);
}
