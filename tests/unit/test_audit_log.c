/* SPDX-License-Identifier: MIT */
/* Log files: which, in what order, and their lines, whatever the files look like. */
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "sensor/audit/log/config.h"
#include "sensor/audit/log/reader.h"
#include "sensor/audit/log/source.h"
#include "test.h"
#include "util/limits.h"
#include "util/sbuf.h"

#define LINE "type=CWD msg=audit(%u.000:%u): cwd=\"/\"\n"

static char dir[] = "/tmp/culprit-test-log.XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[4][512];
    static unsigned at;

    at = (at + 1) % 4;
    snprintf(path[at], sizeof(path[at]), "%s/%s", dir, name);
    return path[at];
}

static void write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    fclose(f);
}

static void write_log(const char *name, unsigned time)
{
    char line[128];

    snprintf(line, sizeof(line), LINE, time, time);
    write_file(in_dir(name), line, strlen(line));
}

static size_t compress_as(enum audit_log_coding coding, const char *data, size_t len, char *out, size_t size)
{
    z_stream z = { 0 };
    ZSTD_CCtx *zstd;
    size_t at = 0;

    switch (coding) {
    case AUDIT_LOG_GZIP:
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (Bytef *)(uintptr_t)data;
        z.avail_in = (uInt)len;
        z.next_out = (Bytef *)out;
        z.avail_out = (uInt)size;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        at = z.total_out;
        deflateEnd(&z);
        return at;
    case AUDIT_LOG_XZ:
        assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)data, len,
                                                 (uint8_t *)out, &at, size), LZMA_OK);
        return at;
    case AUDIT_LOG_ZSTD:
        zstd = ZSTD_createCCtx();
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1); /* as the zstd program does */
        at = ZSTD_compress2(zstd, out, size, data, len);
        assert_false(ZSTD_isError(at));
        ZSTD_freeCCtx(zstd);
        return at;
    case AUDIT_LOG_PLAIN:
        break;
    }
    memcpy(out, data, len);
    return len;
}

struct result {
    struct sbuf text; /* every line, each with a newline */
    struct audit_log_stats stats;
    unsigned warnings, blocks;
};

static void count_warning(void *data, enum log_level level, const char *text)
{
    (void)level;
    (void)text;
    ++*(unsigned *)data;
}

static struct result read_all(const struct audit_log_files *files)
{
    struct result result = { .text = SBUF_INIT };
    const struct log log = { LOG_LEVEL_WARNING, count_warning, &result.warnings };
    struct audit_log_reader_options options = { .files = files, .log = &log };
    struct audit_log_reader *reader;
    struct audit_log_block block = { 0 };

    assert_int_equal(audit_log_reader_new(&options, &reader, NULL), 0);
    while (audit_log_reader_next(reader, &block, NULL) > 0) {
        struct bytes rest = block.text, line;

        result.blocks++;
        while (audit_log_line_next(&rest, &line)) {
            sbuf_add_bytes(&result.text, line);
            sbuf_add_char(&result.text, '\n');
        }
    }
    result.stats = *audit_log_reader_stats(reader);
    audit_log_block_done(&block);
    audit_log_reader_free(reader);
    return result;
}

static struct result read_path(const char *path)
{
    struct audit_log_files files = { 0 };
    struct result result;

    assert_int_equal(audit_log_files_add(&files, path, AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    result = read_all(&files);
    audit_log_files_done(&files);
    return result;
}

/* Lines of every length between 1 and some thousand bytes: ends fall everywhere in a block. */
static struct sbuf many_lines(size_t size)
{
    struct sbuf s = SBUF_INIT;

    for (unsigned i = 0; s.len < size; i++) {
        sbuf_addf(&s, "%u ", i);
        for (unsigned k = 0; k < i * 7919 % 3001; k++)
            sbuf_add_char(&s, (char)('a' + (i + k) % 26));
        sbuf_add_char(&s, '\n');
    }
    return s;
}

static void every_coding(void **state)
{
    struct sbuf text = many_lines(5 << 20);
    size_t size = text.len + (1 << 20);
    char *packed = malloc(size);

    (void)state;
    assert_non_null(packed);
    for (unsigned c = AUDIT_LOG_PLAIN; c <= AUDIT_LOG_ZSTD; c++) {
        size_t half = text.len / 2, n;
        struct result r;

        n = compress_as(c, text.data, text.len, packed, size);
        write_file(in_dir("packed"), packed, n);
        r = read_path(in_dir("packed"));
        assert_int_equal(r.text.len, text.len);
        assert_memory_equal(r.text.data, text.data, text.len);
        assert_int_equal(r.stats.damaged_files, 0);
        assert_int_equal(r.stats.torn_lines, 0);
        assert_int_equal(r.stats.consumed, r.stats.size);
        sbuf_done(&r.text);

        if (c == AUDIT_LOG_PLAIN)
            continue;
        /* two members one behind the other, as `cat a.gz b.gz` makes them */
        n = compress_as(c, text.data, half, packed, size);
        n += compress_as(c, text.data + half, text.len - half, packed + n, size - n);
        write_file(in_dir("packed"), packed, n);
        r = read_path(in_dir("packed"));
        assert_int_equal(r.text.len, text.len);
        assert_memory_equal(r.text.data, text.data, text.len);
        sbuf_done(&r.text);

        /* half-written: what is there, and one warning */
        write_file(in_dir("packed"), packed, n * 3 / 4);
        r = read_path(in_dir("packed"));
        assert_true(r.text.len > text.len / 3 && r.text.len < text.len);
        assert_memory_equal(r.text.data, text.data, r.text.len - 1);
        assert_int_equal(r.stats.damaged_files, 1);
        assert_int_equal(r.warnings, 1);
        sbuf_done(&r.text);

        /* a byte turned over in the middle */
        packed[n / 3] ^= 0x55;
        packed[n / 3 + 1] ^= 0x55;
        write_file(in_dir("packed"), packed, n);
        r = read_path(in_dir("packed"));
        assert_int_equal(r.stats.damaged_files, 1);
        sbuf_done(&r.text);
    }
    free(packed);
    sbuf_done(&text);
}

static void long_lines_are_skipped(void **state)
{
    struct sbuf text = SBUF_INIT;
    struct result r;

    (void)state;
    sbuf_add_str(&text, "first\n");
    for (unsigned i = 0; i < 9 << 20; i++)
        sbuf_add_char(&text, 'x');
    sbuf_add_str(&text, "\nsecond\n");
    write_file(in_dir("long"), text.data, text.len);
    r = read_path(in_dir("long"));
    assert_string_equal(sbuf_str(&r.text), "first\nsecond\n");
    assert_int_equal(r.stats.long_lines, 1);
    sbuf_done(&r.text);

    write_file(in_dir("long"), text.data, text.len - 9); /* its end is missing */
    r = read_path(in_dir("long"));
    assert_string_equal(sbuf_str(&r.text), "first\n");
    assert_int_equal(r.stats.long_lines, 1);
    sbuf_done(&r.text);
    sbuf_done(&text);
}

static const struct {
    const char *name, *text;
    size_t len;
    const char *lines;
    unsigned torn;
} odd_rows[] = {
    { "empty", "", 0, "", 0 },
    { "no newline at the end", "a\nb", 3, "a\nb\n", 1 },
    { "a hole of NUL bytes", "a\n\0\0\0b\n", 7, "a\nb\n", 0 },
    { "only NUL bytes", "\0\0\0\0", 4, "", 1 },
    { "empty lines", "\n\na\n\n", 5, "a\n", 0 },
    { "binary", "\177ELF\2\1\n\377\376", 9, "\177ELF\2\1\n\377\376\n", 1 },
};

static void odd_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(odd_rows); i++) {
        struct result r;

        print_message("row: %s\n", odd_rows[i].name);
        write_file(in_dir("odd"), odd_rows[i].text, odd_rows[i].len);
        r = read_path(in_dir("odd"));
        assert_string_equal(sbuf_str(&r.text), odd_rows[i].lines);
        assert_int_equal(r.stats.torn_lines, odd_rows[i].torn);
        sbuf_done(&r.text);
    }
}

static void check_order(const struct audit_log_files *files, const char *expected)
{
    struct sbuf names = SBUF_INIT;

    for (size_t i = 0; i < files->count; i++)
        sbuf_addf(&names, "%s%s", i ? " " : "", strrchr(files->files[i].path, '/') + 1);
    assert_string_equal(sbuf_str(&names), expected);
    sbuf_done(&names);
}

static void rotations_in_order(void **state)
{
    struct audit_log_files files = { 0 };
    char packed[512], line[128];
    char d[512];

    (void)state;
    snprintf(d, sizeof(d), "%s/rot", dir);
    mkdir(d, 0700);
    write_log("rot/audit.log", 900);
    write_log("rot/audit.log.1", 800);
    write_log("rot/audit.log.2", 700);
    write_log("rot/audit.log.10", 999); /* the clock was wrong: the number counts */
    write_log("rot/audit.log.old", 1);
    write_log("rot/audit.logger", 1);
    snprintf(line, sizeof(line), LINE, 600u, 600u);
    write_file(in_dir("rot/audit.log.3.gz"), packed,
               compress_as(AUDIT_LOG_GZIP, line, strlen(line), packed, sizeof(packed)));
    write_file(in_dir("rot/audit.log.2.gz"), packed, 10); /* being written just now */
    assert_int_equal(audit_log_files_add(&files, d, AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    check_order(&files, "audit.log.10 audit.log.3.gz audit.log.2 audit.log.1 audit.log");
    assert_true(files.files[4].is_newest);
    audit_log_files_done(&files);
    assert_int_equal(audit_log_files_add(&files, d, AUDIT_LOG_ROTATIONS_AUSEARCH, NULL), 0);
    check_order(&files, "audit.log.2 audit.log.1 audit.log");
    /* nothing twice */
    assert_int_equal(audit_log_files_add(&files, in_dir("rot/audit.log.1"), AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    assert_int_equal(files.count, 3);
    audit_log_files_done(&files);

    write_log("rot/audit.log-20261102", 500);
    write_log("rot/audit.log.2026-11-01", 400);
    unlink(in_dir("rot/audit.log.10"));
    assert_int_equal(audit_log_files_add(&files, d, AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    check_order(&files, "audit.log.2026-11-01 audit.log-20261102 audit.log.3.gz audit.log.2 audit.log.1 audit.log");
    audit_log_files_done(&files);

    /* without the newest */
    unlink(in_dir("rot/audit.log"));
    assert_int_equal(audit_log_files_add_log(&files, in_dir("rot/audit.log"), AUDIT_LOG_ROTATIONS_AUSEARCH, NULL), 0);
    check_order(&files, "audit.log.2 audit.log.1");
    audit_log_files_done(&files);

    /* several arguments, by time */
    assert_int_equal(audit_log_files_add(&files, in_dir("rot/audit.log.1"), AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    assert_int_equal(audit_log_files_add(&files, in_dir("rot/audit.log.2026-11-01"), AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    audit_log_files_sort(&files);
    check_order(&files, "audit.log.2026-11-01 audit.log.1");
    audit_log_files_done(&files);

    struct err err = ERR_INIT;

    assert_int_equal(audit_log_files_add(&files, in_dir("nothing"), AUDIT_LOG_ROTATIONS_ALL, &err), -ENOENT);
    assert_non_null(strstr(err.text, "nothing"));
    mkdir(in_dir("emptydir"), 0700);
    assert_int_equal(audit_log_files_add(&files, in_dir("emptydir"), AUDIT_LOG_ROTATIONS_ALL, &err), -ENOENT);
    assert_int_equal(files.count, 0);
}

static void rotated_while_reading(void **state)
{
    struct audit_log_files files = { 0 };
    struct result r;

    (void)state;
    mkdir(in_dir("live"), 0700);
    write_log("live/audit.log.1", 1);
    write_log("live/audit.log", 2);
    assert_int_equal(audit_log_files_add(&files, in_dir("live"), AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    rename(in_dir("live/audit.log.1"), in_dir("live/audit.log.2"));
    rename(in_dir("live/audit.log"), in_dir("live/audit.log.1"));
    write_log("live/audit.log", 3);
    r = read_all(&files);
    assert_string_equal(sbuf_str(&r.text), "type=CWD msg=audit(1.000:1): cwd=\"/\"\n"
                                           "type=CWD msg=audit(2.000:2): cwd=\"/\"\n");
    assert_int_equal(r.stats.damaged_files, 0);
    sbuf_done(&r.text);

    /* gone for good: said */
    unlink(in_dir("live/audit.log.2"));
    r = read_all(&files);
    assert_string_equal(sbuf_str(&r.text), "type=CWD msg=audit(2.000:2): cwd=\"/\"\n");
    assert_int_equal(r.stats.damaged_files, 1);
    assert_int_equal(r.warnings, 1);
    sbuf_done(&r.text);
    audit_log_files_done(&files);
}

static void grows_and_shrinks_while_reading(void **state)
{
    struct sbuf text = many_lines(3 << 20);
    struct audit_log_files files = { 0 };
    struct audit_log_reader *reader;
    struct audit_log_block block = { 0 };
    size_t seen = 0;

    (void)state;
    write_file(in_dir("moving"), text.data, text.len - 1000);
    assert_int_equal(audit_log_files_add(&files, in_dir("moving"), AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    for (unsigned grow = 0; grow < 2; grow++) {
        struct audit_log_reader_options options = { .files = &files };

        write_file(in_dir("moving"), text.data, text.len - 1000);
        assert_int_equal(audit_log_reader_new(&options, &reader, NULL), 0);
        assert_int_equal(audit_log_reader_next(reader, &block, NULL), 1);
        seen = block.text.len;
        if (grow)
            write_file(in_dir("moving"), text.data, text.len);
        else
            assert_int_equal(truncate(in_dir("moving"), 100), 0);
        while (audit_log_reader_next(reader, &block, NULL) > 0)
            seen += block.text.len;
        assert_true(grow ? seen == text.len : seen < text.len);
        audit_log_reader_free(reader);
    }
    /* from where one stopped */
    write_file(in_dir("moving"), text.data, text.len);
    struct audit_log_reader_options options = { .files = &files, .start_offset = text.len - 5 };

    assert_int_equal(audit_log_reader_new(&options, &reader, NULL), 0);
    assert_int_equal(audit_log_reader_next(reader, &block, NULL), 1);
    assert_int_equal(block.text.len, 5);
    assert_int_equal(block.offset, text.len - 5);
    audit_log_reader_free(reader);
    audit_log_block_done(&block);
    audit_log_files_done(&files);
    sbuf_done(&text);
}

static void pipes(void **state)
{
    struct audit_log_source *source;
    char buffer[64];
    int fd[2];

    (void)state;
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], "ab", 2), 2);
    assert_int_equal(write(fd[1], "cdefgh", 6), 6);
    close(fd[1]);
    assert_int_equal(audit_log_source_open(fd[0], &source, NULL), 0);
    assert_int_equal(audit_log_source_read(source, buffer, sizeof(buffer), NULL), 8);
    assert_int_equal(audit_log_source_read(source, buffer, sizeof(buffer), NULL), 0);
    assert_int_equal(audit_log_source_consumed(source), 8);
    audit_log_source_close(source);
}

static void auditd_conf(void **state)
{
    struct audit_log_config config;
    struct err err = ERR_INIT;
    const char *text = "# comment\nlog_file = /srv/a.log \nEnd_Of_Event_Timeout=5\nfreq = 50\n";

    (void)state;
    write_file(in_dir("conf"), text, strlen(text));
    assert_int_equal(audit_log_config_read(in_dir("conf"), &config, &err), 0);
    assert_string_equal(config.log_file, "/srv/a.log");
    assert_int_equal(config.end_of_event_s, 5);
    audit_log_config_done(&config);
    assert_int_equal(audit_log_config_read(in_dir("no-conf"), &config, &err), -ENOENT);
    assert_string_equal(config.log_file, AUDIT_LOG_DEFAULT_PATH);
    assert_int_equal(config.end_of_event_s, 2);
    audit_log_config_done(&config);
    write_file(in_dir("conf"), "log_file = a.log\n", 17);
    assert_int_equal(audit_log_config_read(in_dir("conf"), &config, &err), -EINVAL);
    assert_non_null(strstr(err.text, "conf:1"));
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_coding),
        cmocka_unit_test(long_lines_are_skipped),
        cmocka_unit_test(odd_files),
        cmocka_unit_test(rotations_in_order),
        cmocka_unit_test(rotated_while_reading),
        cmocka_unit_test(grows_and_shrinks_while_reading),
        cmocka_unit_test(pipes),
        cmocka_unit_test(auditd_conf),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
