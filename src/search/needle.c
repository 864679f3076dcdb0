/* SPDX-License-Identifier: MIT */
#include "search/needle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "util/macro.h"

/* ---- searching ---- */

static inline unsigned char folded(char c)
{
    return (unsigned char)c | 0x20; /* digits have the bit already */
}

static bool form_at(const struct needle_form *f, const char *p)
{
    if (!f->fold)
        return memcmp(p, f->text.data, f->text.len) == 0;
    for (size_t i = 0; i < f->text.len; i++)
        if (folded(p[i]) != (unsigned char)f->text.data[i])
            return false;
    return true;
}

/*
 * Two bytes of the needle are compared at sixteen places at once; glibc's memmem() looks at one
 * place at a time and is four times slower on logs, whose lines are all alike.
 */
const char *needle_find(const struct needle_form *f, const char *p, const char *end)
{
    size_t len = f->text.len;
    const char *last;

    if (len == 0 || (size_t)(end - p) < len)
        return NULL;
    last = end - len; /* the last place where it fits */
#ifdef __SSE2__
    {
        const __m128i a = _mm_set1_epi8(f->text.data[f->first]);
        const __m128i b = _mm_set1_epi8(f->text.data[f->second]);
        const __m128i bit = _mm_set1_epi8(f->fold ? 0x20 : 0);

        while (last - p >= 16) {
            __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + f->first));
            __m128i y = _mm_loadu_si128((const __m128i *)(const void *)(p + f->second));
            unsigned mask = (unsigned)_mm_movemask_epi8(_mm_and_si128(
                _mm_cmpeq_epi8(_mm_or_si128(x, bit), a), _mm_cmpeq_epi8(_mm_or_si128(y, bit), b)));

            while (mask) {
                unsigned i = (unsigned)__builtin_ctz(mask);

                if (form_at(f, p + i))
                    return p + i;
                mask &= mask - 1;
            }
            p += 16;
        }
    }
#endif
    if (!f->fold)
        return memmem(p, (size_t)(end - p), f->text.data, len);
    for (; p <= last; p++)
        if (form_at(f, p))
            return p;
    return NULL;
}

/* ---- choosing ---- */

/* How frequent a byte is in audit logs, roughly; 0 = hardly ever. */
static unsigned commonness(unsigned char c)
{
    if (strchr("=0123456789 \"", c) && c)
        return 10;
    if (strchr("adeimptuscnor", c) && c)
        return 8;
    if ((c >= 'a' && c <= 'z') || strchr("ABCDEF:.()/", c))
        return c ? 6 : 0;
    if (c >= 'A' && c <= 'Z')
        return 4;
    return 1;
}

static void choose_bytes(struct needle_form *f)
{
    unsigned best = UINT32_MAX;

    for (unsigned i = 0; i < f->text.len; i++) {
        unsigned c = commonness((unsigned char)f->text.data[i]);

        if (c < best) {
            best = c;
            f->first = i;
        }
    }
    best = UINT32_MAX;
    f->second = f->first;
    for (unsigned i = 0; i < f->text.len; i++) {
        unsigned c = commonness((unsigned char)f->text.data[i]);

        /* neighbouring bytes often form words: a byte further away selects better */
        if (i != f->first && c * 4 + (i + 1 == f->first || i == f->first + 1) < best) {
            best = c * 4 + (i + 1 == f->first || i == f->first + 1);
            f->second = i;
        }
    }
}

static void add_form(struct needle *n, const char *text, size_t len, bool fold)
{
    struct needle_form *f = &n->forms[n->count++];

    *f = (struct needle_form){ .text = { text, len }, .fold = fold };
    choose_bytes(f);
}

/* Needles of texts: as they are, and in hexadecimal. */
static int add_texts(struct needle *n, const struct bytes *texts, unsigned count, bool hex)
{
    size_t size = 0;
    char *at;

    for (unsigned i = 0; i < count; i++) {
        if (texts[i].len == 0)
            return 0; /* an empty text is in everything */
        size += 3 * texts[i].len;
    }
    at = n->memory = malloc(size + 1);
    if (!at)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        memcpy(at, texts[i].data, texts[i].len);
        add_form(n, at, texts[i].len, false);
        at += texts[i].len;
        if (!hex)
            continue;
        for (size_t k = 0; k < texts[i].len; k++) {
            at[2 * k] = "0123456789abcdef"[(unsigned char)texts[i].data[k] >> 4];
            at[2 * k + 1] = "0123456789abcdef"[texts[i].data[k] & 15];
        }
        add_form(n, at, 2 * texts[i].len, true);
        at += 2 * texts[i].len;
    }
    return 0;
}

static int add_text(struct needle *n, const char *text, bool hex)
{
    struct bytes b = bytes_of(text);

    return add_texts(n, &b, 1, hex);
}

static int add_hints(struct needle *n, const struct search_query *q, size_t used)
{
    char *grown, *at;

    if (q->hint_count == 0 || n->count == 0)
        return 0;
    grown = realloc(n->memory, used + q->hint_count * (size_t)32);
    if (!grown)
        return -ENOMEM;
    for (unsigned i = 0; i < n->count; i++) /* they point into what has moved */
        n->forms[i].text.data = grown + (n->forms[i].text.data - n->memory);
    n->memory = grown;
    at = grown + used;
    for (unsigned i = 0; i < q->hint_count; i++) {
        int len = snprintf(at, 32, "inode=%" PRIu64 " ", q->hints[i]);

        add_form(n, at, (size_t)len, false);
        at += len;
    }
    return 0;
}

static int add_number(struct needle *n, const char *before, uint64_t value, const char *after)
{
    char text[64];

    snprintf(text, sizeof(text), "%s%" PRIu64 "%s", before, value, after);
    return add_text(n, text, false);
}

/* What every way of writing this file has in common; {"", 0} if there may be nothing. */
static struct bytes file_needle(const struct search_query *q, const char *file)
{
    struct bytes b = bytes_of(file);

    if (q->strict) { /* "./x" and "../x" are compared behind the working directory */
        if (strstr(file, "/."))
            return (struct bytes){ "", 0 };
        if (b.len > 0 && b.data[b.len - 1] == '/')
            b.len--;
        return b;
    }
    while (b.len > 1 && b.data[b.len - 1] == '/')
        b.len--;
    if (memchr(b.data, '[', b.len) || memchr(b.data, '\\', b.len))
        return (struct bytes){ "", 0 };
    /* Of a path the last component alone is sure to be written; '*' may stand for slashes, so of a
     * pattern what follows its last wildcard. */
    for (size_t i = b.len; i > 0; i--)
        if (b.data[i - 1] == '*' || b.data[i - 1] == '?') {
            b = (struct bytes){ b.data + i, b.len - i };
            break;
        }
    b = bytes_basename(b);
    return bytes_equal_str(b, "..") || bytes_equal_str(b, ".") ? (struct bytes){ "", 0 } : b;
}

static int add_files(struct needle *n, const struct search_query *q)
{
    struct bytes texts[SEARCH_LIST_MAX];
    size_t used = 0;

    if (q->no_needle)
        return 0;
    for (unsigned i = 0; i < q->file_count; i++)
        texts[i] = file_needle(q, q->files[i]);
    if (add_texts(n, texts, q->file_count, true) < 0)
        return -ENOMEM;
    for (unsigned i = 0; i < q->file_count; i++)
        used += 3 * texts[i].len;
    return add_hints(n, q, used + 1);
}

static int add_keys(struct needle *n, const struct search_query *q)
{
    struct bytes texts[SEARCH_LIST_MAX];

    for (unsigned i = 0; i < q->key_count; i++) {
        texts[i] = bytes_of(q->keys[i]);
        if (strpbrk(q->keys[i], "*?[\\") && !q->strict)
            texts[i].len = 0;
    }
    return add_texts(n, texts, q->key_count, true);
}

/* Numbers that ausearch assumes where a record does not hold the field cannot be looked for. */
static bool is_selective(uint32_t id)
{
    return id != 0 && id < UINT32_MAX - 1;
}

int needle_of_query(const struct search_query *q, struct needle *ret)
{
    *ret = (struct needle){ 0 };
    if (q->has_id)
        return add_number(ret, ":", q->id, ")");
    if (q->file_count && !q->inode_count)
        return add_files(ret, q);
    if (q->inode_count && !q->file_count && q->inode_count == 1)
        return add_number(ret, "inode=", q->inodes[0], " ");
    if (q->key_count)
        return add_keys(ret, q);
    if (q->uuid)
        return add_text(ret, q->uuid, false);
    if (q->vm)
        return add_text(ret, q->vm, true);
    if (q->exe && strcmp(q->exe, "(null)") != 0) /* assumed where a record has none */
        return add_text(ret, q->exe, true);
    if (q->comm)
        return add_text(ret, q->comm, true);
    if (q->has_pid && q->pid)
        return add_number(ret, "pid=", q->pid, "");
    if (q->has_ppid && q->ppid)
        return add_number(ret, "ppid=", q->ppid, "");
    if (!q->any_uid && !q->any_gid) {
        if (q->has_auid && !q->auid_name && is_selective(q->auid))
            return add_number(ret, "uid=", q->auid, "");
        if (q->has_uid && !q->uid_name && is_selective(q->uid))
            return add_number(ret, "uid=", q->uid, "");
        if (q->has_euid && !q->euid_name && is_selective(q->euid))
            return add_number(ret, "euid=", q->euid, "");
    }
    if (q->has_session && is_selective(q->session))
        return add_number(ret, "ses=", q->session, "");
    if (q->subject && !q->any_context)
        return add_text(ret, q->subject, false);
    if (q->object && !q->any_context)
        return add_text(ret, q->object, false);
    if (q->has_syscall && q->syscall > 0)
        return add_number(ret, "syscall=", (uint64_t)q->syscall, "");
    return 0;
}

void needle_done(struct needle *n)
{
    free(n->memory);
    n->memory = NULL;
}
