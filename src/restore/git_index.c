/* SPDX-License-Identifier: MIT */
#include "restore/git_index.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OPENSSL_SUPPRESS_DEPRECATED /* SHA-1 is what git names contents by */
#include <openssl/sha.h>

#include "util/parse.h"
#include "util/read.h"

bool git_path_is_safe(struct bytes path)
{
    if (!path.len || path.data[0] == '/' || path.data[path.len - 1] == '/' || memmem(path.data, path.len, "//", 2))
        return false;
    while (path.len) {
        struct bytes name = bytes_next_field(&path, '/');

        if (!name.len || bytes_equal_str(name, ".") || bytes_equal_str(name, "..") ||
            (name.len == 4 && strncasecmp(name.data, ".git", 4) == 0) || name.len > 255)
            return false;
    }
    return true;
}

static bool is_oid(struct bytes oid)
{
    for (size_t i = 0; i < oid.len; i++)
        if (!strchr("0123456789abcdef", oid.data[i]) || !oid.data[i])
            return false;
    return oid.len == 40 || oid.len == 64;
}

/* "H 100644 OID 0\tPATH" */
int git_next_entry(struct bytes *text, struct git_entry *ret)
{
    struct bytes head, rest, tag, stage;

    if (!text->len)
        return 0;
    rest = bytes_next_field(text, '\0');
    head = bytes_next_field(&rest, '\t');
    tag = bytes_next_field(&head, ' ');
    *ret = (struct git_entry){ .path = rest };
    if (parse_u32(bytes_next_field(&head, ' '), 8, &ret->mode) < 0)
        return -EBADMSG;
    ret->oid = bytes_next_field(&head, ' ');
    stage = head;
    if (!is_oid(ret->oid) || !ret->path.len)
        return -EBADMSG;
    ret->left_out = bytes_equal_str(tag, "S") || !bytes_equal_str(stage, "0") || !git_path_is_safe(ret->path) ||
                    (ret->mode != 0100644 && ret->mode != 0100755 && ret->mode != 0120000);
    return 1;
}

/* "OID blob SIZE\nCONTENT\n", or "OID missing\n" */
bool git_next_blob(struct bytes *text, struct bytes *ret_oid, bool *ret_known, struct bytes *ret_content)
{
    struct bytes rest = *text, line, kind;
    uint64_t size = 0;

    if (!bytes_char(rest, '\n'))
        return false;
    line = bytes_next_line(&rest);
    *ret_oid = bytes_next_field(&line, ' ');
    kind = bytes_next_field(&line, ' ');
    *ret_content = BYTES_NULL;
    *ret_known = bytes_equal_str(kind, "blob");
    if (line.len) { /* whatever it is, its content follows */
        if (parse_u64(line, 10, &size) < 0 || rest.len < 1 || size > rest.len - 1)
            return false;
        *ret_content = (struct bytes){ rest.data, size };
        rest = (struct bytes){ rest.data + size + 1, rest.len - size - 1 };
    }
    *text = rest;
    return true;
}

/* ---- names ---- */

struct naming {
    SHA_CTX sha1;
    SHA256_CTX sha256;
};

static void begin(struct naming *n, uint64_t size)
{
    char head[40];
    int len = snprintf(head, sizeof(head), "blob %llu", (unsigned long long)size) + 1;

    (void)SHA1_Init(&n->sha1);
    (void)SHA256_Init(&n->sha256);
    (void)SHA1_Update(&n->sha1, head, (size_t)len);
    (void)SHA256_Update(&n->sha256, head, (size_t)len);
}

static void add(struct naming *n, const char *data, size_t len, size_t oid_len)
{
    if (oid_len == 40)
        (void)SHA1_Update(&n->sha1, data, len);
    else
        (void)SHA256_Update(&n->sha256, data, len);
}

static void end(struct naming *n, size_t oid_len, char ret[65])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    if (oid_len == 40)
        (void)SHA1_Final(digest, &n->sha1);
    else
        (void)SHA256_Final(digest, &n->sha256);
    for (size_t i = 0; i < oid_len / 2; i++)
        snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

bool git_blob_is(struct bytes content, struct bytes oid)
{
    struct naming n;
    char name[65];

    begin(&n, content.len);
    add(&n, content.data ? content.data : "", content.len, oid.len);
    end(&n, oid.len, name);
    return bytes_equal_str(oid, name);
}

int git_name_file(int fd, size_t oid_len, char ret[65])
{
    char block[64 * 1024];
    struct naming n;
    struct stat st;
    off_t at = 0;
    ssize_t got;

    if (fstat(fd, &st) < 0)
        return -errno;
    begin(&n, (uint64_t)st.st_size);
    while ((got = read_at(fd, block, sizeof(block), at)) > 0) {
        add(&n, block, (size_t)got, oid_len);
        at += got;
    }
    end(&n, oid_len, ret);
    return got < 0 ? (int)got : 0;
}
