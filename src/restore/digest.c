/* SPDX-License-Identifier: MIT */
#include "restore/digest.h"

#include <errno.h>
#include <sys/stat.h>

#define OPENSSL_SUPPRESS_DEPRECATED /* dpkg's sums are MD5, whatever a policy thinks of it */
#include <openssl/md5.h>
#include <openssl/sha.h>

#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/read.h"

struct digest {
    enum package_digest kind;
    MD5_CTX md5;
    SHA256_CTX sha256;
};

static bool begin(struct digest *d, enum package_digest kind)
{
    d->kind = kind;
    if (kind == PACKAGE_DIGEST_MD5)
        return MD5_Init(&d->md5) == 1;
    return kind == PACKAGE_DIGEST_SHA256 && SHA256_Init(&d->sha256) == 1;
}

static void add(struct digest *d, const void *data, size_t len)
{
    if (d->kind == PACKAGE_DIGEST_MD5)
        (void)MD5_Update(&d->md5, data, len);
    else
        (void)SHA256_Update(&d->sha256, data, len);
}

static bool ends_as(struct digest *d, struct bytes hex)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char out[SHA256_DIGEST_LENGTH];
    size_t len = d->kind == PACKAGE_DIGEST_MD5 ? MD5_DIGEST_LENGTH : SHA256_DIGEST_LENGTH;

    if (d->kind == PACKAGE_DIGEST_MD5)
        (void)MD5_Final(out, &d->md5);
    else
        (void)SHA256_Final(out, &d->sha256);
    if (hex.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (hex.data[2 * i] != digits[out[i] >> 4] || hex.data[2 * i + 1] != digits[out[i] & 15])
            return false;
    return true;
}

bool package_digest_is(struct bytes content, const struct package_sum *sum)
{
    struct digest d;

    if (!begin(&d, sum->kind))
        return false;
    add(&d, content.data ? content.data : "", content.len);
    return ends_as(&d, sum->hex);
}

bool package_sum_fits(const struct package_sum *sum, uint32_t mode, struct bytes content, struct bytes link)
{
    if (sum->type && sum->type != (mode & S_IFMT))
        return false;
    if (sum->kind != PACKAGE_DIGEST_NONE)
        return S_ISREG(mode) && package_digest_is(content, sum);
    return !S_ISLNK(mode) || !sum->link.len || bytes_equal(link, sum->link);
}

int package_digest_is_of(int path_fd, const struct package_sum *sum)
{
    _cleanup_close_ int fd = beneath_reopen_file(path_fd);
    struct digest d;
    char block[64 * 1024];
    off_t at = 0;
    ssize_t n;

    if (fd < 0)
        return fd;
    if (!begin(&d, sum->kind))
        return -EOPNOTSUPP;
    while ((n = read_at(fd, block, sizeof(block), at)) > 0) {
        add(&d, block, (size_t)n);
        at += n;
    }
    return n < 0 ? (int)n : ends_as(&d, sum->hex);
}
