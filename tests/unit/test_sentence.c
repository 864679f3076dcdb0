/* SPDX-License-Identifier: MIT */
/* The one line of an event: every operation, every outcome, and nothing that moves the cursor. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "event/sentence.h"
#include "make.h"
#include "util/escape.h"

#define TIME 1795488335123456789ull /* 02:45:35.123 */

/* ---- sizes and times ---- */

static const struct size_row {
    const char *name;
    uint64_t bytes;
} sizes[] = {
    { "0 B", 0 },       { "999 B", 999 },           { "1.0 kB", 1000 },      { "1.2 kB", 1234 },
    { "999.9 kB", 999949 }, { "1.0 MB", 999950 },   { "1.0 MB", 1000000 },   { "5.0 GB", 5000000000ull },
    { "1.0 TB", 999999999999ull }, { "18.4 EB", UINT64_MAX },
    /* halfway: what is to be rounded is the double, which is 1.1499..., 1.25 and 1.3500...0888 */
    { "1.1 kB", 1149 }, { "1.1 kB", 1150 },         { "1.2 kB", 1151 },      { "1.2 kB", 1250 },
    { "1.3 kB", 1251 }, { "1.4 kB", 1350 },         { "1.1 MB", 1150000 },   { "1.2 MB", 1150001 },
    { "999.9 MB", 999949999 }, { "1.0 GB", 999950000 }, { "999.9 GB", 999949999999ull },
    { "1.0 TB", 999950000000ull }, { "1.2 TB", 1250000000000ull }, { "1.3 TB", 1251000000000ull },
};

static void writes_size(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    const struct size_row *row = *state;

    sentence_size(&out, row->bytes);
    assert_string_equal(sbuf_str(&out), row->name);
}

static const struct time_row {
    const char *name;
    uint64_t ns;
    long offset;
} times[] = {
    { "02:45:35.123", TIME, 0 },
    { "03:45:35.123", TIME, 3600 },
    { "21:45:35.123", TIME, -5 * 3600 },
    { "08:15:35.123", TIME, 5 * 3600 + 1800 },
    { "00:00:00.000", 0, 0 },
    { "23:00:00.000", 0, -3600 },
    { "23:59:59.999", 86399999999999ull, 0 }, /* not rounded up to a second that was not */
    { "00:00:00.001", 86400001000000ull, 0 },
    { "00:00:00.000", 3600 * NS_PER_S, -3600 },
    { "23:59:59.000", 3599 * NS_PER_S, -3600 },           /* yesterday */
    { "23:59:59.999", 3599999999999ull, -3600 },
    { "00:59:59.000", 86399 * NS_PER_S, 3600 },           /* tomorrow */
    { "20:30:00.000", 0, -3 * 3600 - 1800 },
    { "14:00:00.000", 0, 14 * 3600 },
    { "10:00:00.000", 0, -14 * 3600 },
    { "23:34:33.709", UINT64_MAX, 0 },
};

static void writes_time(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    const struct time_row *row = *state;

    sentence_time(&out, row->ns, row->offset);
    assert_string_equal(sbuf_str(&out), row->name);
}

/* ---- from a container's start ---- */

static const struct since_row {
    const char *name; /* as the column has it */
    int64_t ns;
} sinces[] = {
    { "+0.0 s   ", 0 },
    { "-0.0 s   ", -1 },
    { "+0.0 s   ", 49999999 },
    { "+0.1 s   ", 50000001 },
    { "-0.1 s   ", -50000001 },
    { "+0.2 s   ", 250000000 }, /* halfway, and even */
    { "+0.1 s   ", 150000000 }, /* halfway, of a double that is less */
    { "+1.0 s   ", 999999999 },
    { "+4194303.9 s", 4194303949999999 },
    { "+4194304.0 s", 4194303950000001 },
    { "+4194304.0 s", 4194304000000000 },
    { "-9223372036.9 s", INT64_MIN },
};

static void writes_since(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT, want = SBUF_INIT;
    const struct since_row *row = *state;
    struct event *e = make_event(OPERATION_UNLINK, "/x", NULL, NULL, TIME);

    e->since_start_known = true;
    e->since_start_ns = row->ns;
    sentence_event(&out, e, &(struct sentence_style){ .containers = true });
    sbuf_addf(&want, "02:45:35.123  %sunlink      /x  ", row->name);
    sbuf_truncate(&out, want.len);
    assert_string_equal(sbuf_str(&out), sbuf_str(&want));
    event_free(e);
}

/* ---- what changed ---- */

#define MODE(m) { .known = FILE_MODE, .mode = S_IFREG | (m) }

static const struct change_row {
    const char *name, *text;
    enum operation operation;
    struct file_state before, after, file;
    const char *target, *xattr;
    uint64_t bytes;
} changes[] = {
    { "mode", "0555 → 0775", OPERATION_CHMOD, MODE(0555), MODE(0775), { 0 }, NULL, NULL, 0 },
    { "mode with set-uid", "0755 → 4755", OPERATION_CHMOD, MODE(0755), MODE(04755), { 0 }, NULL, NULL, 0 },
    { "mode before not known", "0775", OPERATION_CHMOD, { 0 }, MODE(0775), { 0 }, NULL, NULL, 0 },
    { "mode not known", "", OPERATION_CHMOD, { 0 }, { 0 }, { 0 }, NULL, NULL, 0 },
    { "owner", "1000 → 0", OPERATION_CHOWN, { .known = FILE_UID, .uid = 1000 }, { .known = FILE_UID }, { 0 }, NULL,
      NULL, 0 },
    { "owner's names", "im → ug", OPERATION_CHOWN, { .known = FILE_UID, .uid = 1, .owner = { "im", 2 } },
      { .known = FILE_UID, .uid = 2, .owner = { "ug", 2 } }, { 0 }, NULL, NULL, 0 },
    { "owner before not known", "? → 5", OPERATION_CHOWN, { 0 }, { .known = FILE_UID, .uid = 5 }, { 0 }, NULL, NULL,
      0 },
    { "group only", "group 1 → 2", OPERATION_CHOWN, { .known = FILE_UID | FILE_GID, .uid = 7, .gid = 1 },
      { .known = FILE_UID | FILE_GID, .uid = 7, .gid = 2 }, { 0 }, NULL, NULL, 0 },
    { "owner and group", "7 → 8, group 1 → 2", OPERATION_CHOWN,
      { .known = FILE_UID | FILE_GID, .uid = 7, .gid = 1 }, { .known = FILE_UID | FILE_GID, .uid = 8, .gid = 2 },
      { 0 }, NULL, NULL, 0 },
    { "set to what it was", "7 → 7", OPERATION_CHOWN, { .known = FILE_UID, .uid = 7 },
      { .known = FILE_UID, .uid = 7 }, { 0 }, NULL, NULL, 0 },
    { "owner not known", "", OPERATION_CHOWN, { 0 }, { 0 }, { 0 }, NULL, NULL, 0 },
    { "truncated", "1.2 kB → 0 B", OPERATION_TRUNCATE, { .known = FILE_SIZE, .size = 1234 }, { 0 }, { 0 }, NULL, NULL,
      0 },
    { "truncated, size before not known", "", OPERATION_TRUNCATE, { 0 }, { .known = FILE_SIZE }, { 0 }, NULL, NULL,
      0 },
    { "written", "1.2 kB written", OPERATION_WRITE, { 0 }, { 0 }, { 0 }, NULL, NULL, 1234 },
    { "written, how much is not known", "", OPERATION_WRITE, { 0 }, { 0 }, { 0 }, NULL, NULL, 0 },
    { "attribute", "user.x", OPERATION_SETXATTR, { 0 }, { 0 }, { 0 }, NULL, "user.x", 0 },
    { "flags", "0 → 0x10", OPERATION_SETFLAGS, { .known = FILE_FLAGS }, { .known = FILE_FLAGS, .flags = 0x10 }, { 0 },
      NULL, NULL, 0 },
    { "symlink", "→ /etc/passwd", OPERATION_SYMLINK, { 0 }, { 0 }, { 0 }, "/etc/passwd", NULL, 0 },
    { "mount", "from /dev/sda1", OPERATION_MOUNT, { 0 }, { 0 }, { 0 }, "/dev/sda1", NULL, 0 },
    { "deleted", "1.2 kB", OPERATION_UNLINK, { 0 }, { 0 },
      { .known = FILE_SIZE | FILE_MODE, .size = 1234, .mode = S_IFREG }, NULL, NULL, 0 },
    { "deleted, kind not known", "1.2 kB", OPERATION_UNLINK, { 0 }, { 0 }, { .known = FILE_SIZE, .size = 1234 }, NULL,
      NULL, 0 },
    { "a deleted link has no size worth telling", "", OPERATION_UNLINK, { 0 }, { 0 },
      { .known = FILE_SIZE | FILE_MODE, .size = 11, .mode = S_IFLNK | 0777 }, NULL, NULL, 0 },
    { "deleted, size not known", "", OPERATION_UNLINK, { 0 }, { 0 }, { 0 }, NULL, NULL, 0 },
    { "a hostile target", "→ /\\x1b[2J\\n", OPERATION_SYMLINK, { 0 }, { 0 }, { 0 }, "/\x1b[2J\n", NULL, 0 },
    { "a hostile attribute", "user.\\u{202e}", OPERATION_REMOVEXATTR, { 0 }, { 0 }, { 0 }, NULL, "user.\xe2\x80\xae",
      0 },
};

static void writes_change(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    const struct change_row *row = *state;
    struct event *e = make_event(row->operation, "/x", NULL, NULL, TIME);

    e->before = row->before;
    e->after = row->after;
    e->file = row->file;
    event_set(e, &e->target_path, bytes_of(row->target));
    event_set(e, &e->xattr, bytes_of(row->xattr));
    e->bytes = row->bytes;
    e->bytes_known = row->bytes > 0;
    sentence_change(&out, e);
    assert_string_equal(sbuf_str(&out), row->text);
    event_free(e);
}

/* ---- the whole line ---- */

static struct sbuf buffer = SBUF_INIT;

/* Valid until the next call. */
static const char *line(const struct event *e, struct sentence_style style)
{
    sbuf_clear(&buffer);
    sentence_event(&buffer, e, &style);
    return sbuf_str(&buffer);
}

static void reports_an_event(void **state)
{
    struct process *p = make_process(42, "/opt/x/agent", NULL);
    struct container *web = make_container("0123456789abcdef", "web");
    struct event *e = make_event(OPERATION_UNLINK, "/prd/a", p, web, TIME);

    (void)state;
    p->cred.known = true;
    assert_string_equal(line(e, (struct sentence_style){ 0 }),
                        "02:45:35.123  unlink      /prd/a                                        agent[42] root · host");
    e->since_start_known = true;
    e->since_start_ns = -500000000;
    e->error = EPERM;
    assert_string_equal(line(e, (struct sentence_style){ .containers = true }),
                        "02:45:35.123  -0.5 s   unlink      /prd/a  refused (EPERM)                       "
                        "agent[42] root · host");
    e->sensors = SENSOR_BPF | SENSOR_GUARD;
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "/prd/a  refused (by the guard)"));
    e->sensors = SENSOR_BPF;
    e->error = -1;
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "outcome not known"));
    e->error = 4711;
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "refused (?)"));
    event_set(e, &e->note, bytes_of("mapped for writing"));
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "/prd/a  refused (?)  mapped for writing"));
    e->note = BYTES_NULL;
    e->error = 0;
    p->cred.euid = 33;
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "agent[42] uid 33 · host"));
    process_set(p, &p->user_name, bytes_of("www"));
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "agent[42] www · host"));
    /* the sensor saw other ids than the record: the record's name is another's */
    e->actor.cred = (struct credentials){ .known = true, .euid = 5 };
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "agent[42] uid 5 · host"));
    p->origin = ORIGIN_CONTAINER;
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "· a container"));
    p->container = container_ref(web);
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "· web"));
    web->name = BYTES_NULL;
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "· 0123456789ab"));
    assert_null(strstr(line(e, (struct sentence_style){ 0 }), "0123456789abc"));
    event_free(e);
    process_unref(p);
    container_unref(web);
}

static void nobody_known(void **state)
{
    struct event *e = make_event(OPERATION_RENAME, "/b", NULL, NULL, TIME);

    (void)state;
    event_set(e, &e->previous_path, bytes_of("/a"));
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "rename      /a → /b "));
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "  unknown"));
    assert_null(strstr(line(e, (struct sentence_style){ 0 }), "["));
    assert_null(strstr(line(e, (struct sentence_style){ 0 }), "host"));
    e->path = BYTES_NULL;
    e->previous_path = BYTES_NULL;
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "(a file whose name is not known)"));
    e->operation = (enum operation)4711;
    assert_non_null(strstr(line(e, (struct sentence_style){ 0 }), "unknown"));
    event_free(e);
}

/* Whatever is in the names: without colour no byte that moves a cursor, ends a line or hides text. */
static void hostile_names_do_nothing(void **state)
{
    static const char evil[] = "/\x1b]0;x\x07\n\r\t\x7f\x9b" "2J\xe2\x80\xae\xff\xc2\x85";
    struct process *p = make_process(42, evil, NULL);
    struct container *web = make_container("x", evil);
    struct event *e = make_event(OPERATION_RENAME, evil, p, web, TIME);
    struct lifecycle_event life = { .kind = LIFECYCLE_RENAME, .container = web, .previous_name = bytes_of(evil) };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)state;
    p->origin = ORIGIN_CONTAINER;
    p->container = container_ref(web);
    p->cred.known = true;
    process_set(p, &p->user_name, bytes_of(evil));
    event_set(e, &e->previous_path, bytes_of(evil));
    event_set(e, &e->note, bytes_of(evil));
    for (unsigned columns = 0; columns < 200; columns++)
        sentence_event(&out, e, &(struct sentence_style){ .columns = columns, .containers = columns & 1 });
    sentence_life(&out, &life, &(struct sentence_style){ 0 });
    for (struct bytes rest = sbuf_bytes(&out); rest.len;) {
        uint32_t c = 0;
        unsigned n = utf8_decode(rest, &c);

        assert_true(n > 0);
        assert_true(c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && c != 0x202e);
        rest = (struct bytes){ rest.data + n, rest.len - n };
    }
    event_free(e);
    process_unref(p);
    container_unref(web);
}

static void colour_is_closed_and_only_colour(void **state)
{
    struct process *p = make_process(42, "/bin/rm", NULL);
    struct event *e = make_event(OPERATION_UNLINK, "/prd/a", p, NULL, TIME);
    _cleanup_sbuf_ struct sbuf stripped = SBUF_INIT;
    char plain[512];
    const char *c;

    (void)state;
    snprintf(plain, sizeof(plain), "%s", line(e, (struct sentence_style){ 0 }));
    assert_null(strchr(plain, '\x1b'));
    c = line(e, (struct sentence_style){ .colour = true });
    assert_non_null(strstr(c, "\x1b[31munlink\x1b[0m"));
    for (; *c; c++) {
        if (*c == '\x1b')
            c = strchr(c, 'm');
        else
            sbuf_add_char(&stripped, *c);
    }
    assert_string_equal(sbuf_str(&stripped), plain); /* the columns are the same */
    event_free(e);
    process_unref(p);
}

static void long_paths_keep_their_name(void **state)
{
    struct process *p = make_process(42, "/bin/rm", NULL);
    struct event *e = make_event(OPERATION_UNLINK,
                                 "/a/very/long/way/down/below/many/directories/of/all/kinds/process.conf", p, NULL,
                                 TIME);
    const char *text;

    (void)state;
    text = line(e, (struct sentence_style){ .columns = 80 });
    assert_non_null(strstr(text, "…"));
    assert_non_null(strstr(text, "/process.conf"));
    assert_true(escape_terminal_width(bytes_of(text)) <= 80);
    assert_null(strstr(line(e, (struct sentence_style){ .columns = 0 }), "…"));
    event_free(e);
    process_unref(p);
}

static void reports_a_life(void **state)
{
    static const struct {
        enum lifecycle_kind kind;
        int exit_code;
        const char *text;
    } rows[] = {
        { LIFECYCLE_CREATE, -1, "00:00:00.000  ●  web created" },
        { LIFECYCLE_START, -1, "00:00:00.000  ●  web started (pid 42)" },
        { LIFECYCLE_DIE, -1, "00:00:00.000  ●  web stopped" },
        { LIFECYCLE_DIE, 0, "00:00:00.000  ●  web stopped (exit 0)" },
        { LIFECYCLE_DIE, 137, "00:00:00.000  ●  web stopped (exit 137)" },
        { LIFECYCLE_DESTROY, 3, "00:00:00.000  ●  web removed" },
        { LIFECYCLE_RENAME, -1, "00:00:00.000  ●  web renamed" },
        { LIFECYCLE_OOM, -1, "00:00:00.000  ●  web ran out of memory" },
        { (enum lifecycle_kind)77, -1, "00:00:00.000  ●  web ?" },
        { (enum lifecycle_kind)0, -1, "00:00:00.000  ●  web ?" },
    };
    struct container *web = make_container("x", "web");

    (void)state;
    web->pid = 42;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

        sentence_life(&out, &(struct lifecycle_event){ .kind = rows[i].kind, .container = web, .exit_code = rows[i].exit_code },
                      &(struct sentence_style){ 0 });
        assert_string_equal(sbuf_str(&out), rows[i].text);
    }
    container_unref(web);
}

/* What makes `who --follow` end as if changes were lost is what makes the answer say so. */
static void gaps_of_changes(void **state)
{
    static const enum lost none[] = { LOST_PROCESS_EVENTS, LOST_ENGINE, LOST_AUDIT_NUMBERS };

    (void)state;
    for (int reason = 0; reason < LOST_COUNT; reason++) {
        bool expected = true;

        for (size_t i = 0; i < ARRAY_SIZE(none); i++)
            expected &= reason != (int)none[i];
        assert_int_equal(gap_has_changes(&(struct gap){ .reason = (enum lost)reason }), expected);
    }
}

static void reports_a_gap(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct gap gap = { .count = 3, .from_ns = 1 * NS_PER_S, .to_ns = 2 * NS_PER_S, .text = "the ring was full" };

    (void)state;
    sentence_gap(&out, &gap, &(struct sentence_style){ 0 });
    assert_string_equal(sbuf_str(&out), "00:00:01.000  3 lost until 00:00:02.000: the ring was full");
    sbuf_clear(&out);
    gap.count = 0;
    gap.text[0] = '\0';
    sentence_gap(&out, &gap, &(struct sentence_style){ 0 });
    assert_string_equal(sbuf_str(&out), "00:00:01.000  some lost until 00:00:02.000");
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(reports_an_event),
        cmocka_unit_test(nobody_known),
        cmocka_unit_test(hostile_names_do_nothing),
        cmocka_unit_test(colour_is_closed_and_only_colour),
        cmocka_unit_test(long_paths_keep_their_name),
        cmocka_unit_test(reports_a_life),
        cmocka_unit_test(gaps_of_changes),
        cmocka_unit_test(reports_a_gap),
    };

    int failed = RUN_ROWS(sizes, writes_size) + RUN_ROWS(times, writes_time) +
                 RUN_ROWS(sinces, writes_since) + RUN_ROWS(changes, writes_change) +
                 cmocka_run_group_tests(more, NULL, NULL);

    sbuf_done(&buffer);
    return failed;
}
