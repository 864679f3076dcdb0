/* SPDX-License-Identifier: MIT */
/*
 * The input is a package file (.deb, .rpm); or, behind a 't', its data.tar alone, of any compression, which is put into an archive here:
 * so what is changed in it is met. Any input is an answer, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "restore/rpm.h"
#include "restore/unpack.h"

/* What was asked for, sorted or not: each with its NUL. */
static const char asked[] = "/usr/bin/hello\0/etc/hello.conf\0/usr/bin/link\0/usr/bin/hard\0/usr\0/";

static volatile char sink;

static void read_bytes(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        sink ^= b.data[i];
}

static void put_member(struct sbuf *out, struct bytes data)
{
    char head[72];

    snprintf(head, sizeof(head), "%-16s%-12s%-6s%-6s%-8s%-10zu`\n", "data.tar", "0", "0", "0", "100644", data.len);
    sbuf_add_str(out, "!<arch>\n");
    sbuf_add(out, head, 60);
    sbuf_add_bytes(out, data);
}

/* Whatever a worker answers is read again: it may be one that was taken over. */
static void read_answer(struct bytes answer)
{
    struct unpacked_file f;

    while (unpack_next(&answer, &f) > 0) {
        read_bytes(f.path);
        read_bytes(f.link);
        read_bytes(f.user);
        read_bytes(f.group);
        read_bytes(f.content);
        if (f.path.data[0] != '/')
            abort();
    }
}

/* The same of what is said of rpm's database. */
static void read_database_answer(struct bytes answer)
{
    struct package_set set = { .more = answer };

    if (rpm_read_answer(&set, NULL, (struct bytes){ "/", 1 }) == 0)
        for (size_t i = 0; i < set.file_count; i++) {
            const struct package_file *f = &set.files[i];
            struct bytes user = { NULL, 0 }, group = { NULL, 0 };
            struct package_sum sum;
            uint32_t mode;

            packages_rpm.sum(&set, f, &sum);
            packages_rpm.owner(&set, f, &user, &group, &mode);
            read_bytes(f->path);
            read_bytes(sum.hex);
            read_bytes(sum.link);
            read_bytes(user);
            read_bytes(group);
            read_bytes(set.packages[f->package].version);
            if (f->package >= set.package_count || f->path.data[0] != '/')
                abort();
        }
    package_set_done(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = { (const char *)data, size };
    struct sbuf package = SBUF_INIT, answer = SBUF_INIT;
    int r;

    if (!size)
        return 0;
    if (data[0] == 't')
        put_member(&package, (struct bytes){ input.data + 1, size - 1 });
    else
        sbuf_add_bytes(&package, input);
    r = unpack_package(sbuf_bytes(&package), (struct bytes){ asked, sizeof(asked) }, &answer);
    if (r > 0 || answer.len > 2 * (size_t)UNPACK_BUDGET)
        abort();
    if (r == 0)
        for (struct bytes rest = sbuf_bytes(&answer); rest.len;) {
            struct unpacked_file f;

            if (unpack_next(&rest, &f) <= 0 || memchr(f.path.data, '\0', f.path.len))
                abort(); /* its own answer is understood, and a path is handed to the kernel */
        }
    read_answer(sbuf_bytes(&answer));
    read_answer(input);
    read_database_answer(input);
    sbuf_done(&answer);
    sbuf_done(&package);
    return 0;
}
