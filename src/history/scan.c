/* SPDX-License-Identifier: MIT */
/* A block's lines: which of them have to be decoded, and what a quick look finds in the others. */
#include "history/scan.h"

#include <errno.h>
#include <libaudit.h>
#include <stdlib.h>
#include <string.h>

#include "history/replay_state.h"
#include "history/user_names.h"
#include "util/macro.h"

/* ---- lines ---- */

/* The value behind "NAME=" of a SYSCALL record; *from moves behind it. */
static struct bytes peek(const char **from, const char *end, const char *name, size_t len)
{
    const char *at = memmem(*from, (size_t)(end - *from), name, len), *stop;

    if (!at)
        return BYTES_NULL;
    at += len;
    stop = memchr(at, ' ', (size_t)(end - at));
    stop = stop ? stop : end;
    *from = stop;
    return (struct bytes){ at, (size_t)(stop - at) };
}

static uint32_t number_of(struct bytes b)
{
    uint32_t v = 0;

    for (size_t i = 0; i < b.len && b.data[i] >= '0' && b.data[i] <= '9'; i++)
        v = v * 10 + (uint32_t)(b.data[i] - '0');
    return v;
}

/* Quoted or hexadecimal. */
static struct bytes plain(struct bytes b, char *buffer, size_t size)
{
    struct bytes out;

    if (b.len >= 2 && b.data[0] == '"')
        return (struct bytes){ b.data + 1, b.len - 2 };
    if (b.len == 0 || b.data[0] == '(' || audit_unhex(b, buffer, size, &out) < 0)
        return BYTES_NULL;
    return out;
}

#define PEEK(name) peek(&at, end, " " name "=", sizeof(name) + 1)

/* An event that is not decoded still says who its actor's launcher is. */
void replay_see_line(struct replay *p, struct node *node, uint64_t time_ms, const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    const char *enriched = memchr(text, AUDIT_ENRICHED_SEPARATOR, len);
    char exe[512], comm[64];
    struct sighting s = { .time_ms = time_ms, .cred.known = true };
    struct bytes value;

    if (enriched)
        end = enriched;
    value = PEEK("ppid");
    s.parent_pid = (pid_t)number_of(value);
    value = PEEK("pid");
    s.pid = (pid_t)number_of(value);
    s.login_uid = number_of(PEEK("auid"));
    s.cred.uid = number_of(PEEK("uid"));
    s.cred.gid = number_of(PEEK("gid"));
    s.cred.euid = number_of(PEEK("euid"));
    s.cred.suid = number_of(PEEK("suid"));
    s.cred.fsuid = number_of(PEEK("fsuid"));
    s.cred.egid = number_of(PEEK("egid"));
    s.cred.sgid = number_of(PEEK("sgid"));
    s.cred.fsgid = number_of(PEEK("fsgid"));
    s.session = number_of(PEEK("ses"));
    value = PEEK("comm");
    s.name = plain(value, comm, sizeof(comm));
    value = PEEK("exe");
    s.executable = plain(value, exe, sizeof(exe));
    replay_name(p, enriched ? (struct bytes){ enriched + 1, (size_t)(text + len - enriched - 1) } : BYTES_NULL, &s);
    if (s.pid > 0)
        lineage_see(node->lineage, &s);
}

/* An IP address or a host's name, as sshd and login write it; "?" is none. */
static bool is_address(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!memchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:%-_", text.data[i], 67))
            return false;
    return text.len > 0;
}

void replay_see_login(struct node *node, const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    struct bytes session = PEEK("ses"), address, result;

    address = PEEK("addr");
    result = PEEK("res");
    if (session.len && is_address(address) && bytes_starts_with(result, bytes_of("success")))
        lineage_login(node->lineage, number_of(session), address);
}

static int want(struct log_block *b, const struct search_line *line)
{
    struct wanted *w, *found;

    w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->key.time_ms = line->sec * 1000 + line->milli;
    w->key.serial = line->serial;
    HASH_FIND(hh, b->wanted, &w->key, sizeof(w->key), found);
    if (found) {
        free(w);
        return 0;
    }
    HASH_ADD(hh, b->wanted, key, sizeof(w->key), w);
    HASH_FREE_IF_OUT(hh, w);
    return w ? 0 : -ENOMEM;
}

bool replay_is_wanted(const struct replay *p, const struct search_line *line)
{
    struct wanted key, *found = NULL;

    memset(&key, 0, sizeof(key));
    key.key.time_ms = line->sec * 1000 + line->milli;
    key.key.serial = line->serial;
    for (int i = 0; i < BLOCKS - 1 && !found; i++) /* the last one is being made */
        if (p->blocks[i].wanted)
            HASH_FIND(hh, p->blocks[i].wanted, &key.key, sizeof(key.key), found);
    return found;
}

void replay_block_clear(struct log_block *b)
{
    struct wanted *w, *next;

    HASH_ITER(hh, b->wanted, w, next) {
        HASH_DEL(b->wanted, w);
        free(w);
    }
    b->present = false;
}

/* The rest of a PATH record behind its name. A quoted name has no quote in it: it would be hexadecimal. */
static struct bytes behind_name(const struct log_block *b, const struct search_line *line)
{
    const char *text = b->text.text.data + line->offset, *end = text + line->len;
    const char *at = memchr(text, ')', line->len);

    at = at ? memmem(at, (size_t)(end - at), " name=", 6) : NULL;
    if (!at)
        return BYTES_NULL;
    at += 6;
    at = at < end && *at == '"' ? memchr(at + 1, '"', (size_t)(end - at - 1)) : memchr(at, ' ', (size_t)(end - at));
    return at ? (struct bytes){ at, (size_t)(end - at) } : BYTES_NULL;
}

/* A PATH record that names a directory of ours by its inode. */
static bool is_inside(const struct replay *p, const struct log_block *b, const struct search_line *line)
{
    struct bytes rest = p->inside ? behind_name(b, line) : BYTES_NULL;
    const char *at = rest.len ? memmem(rest.data, rest.len, " inode=", 7) : NULL;
    uint64_t inode = 0;
    struct inside_directory *in;

    if (!at)
        return false;
    for (at += 7; at < rest.data + rest.len && *at >= '0' && *at <= '9'; at++)
        inode = inode * 10 + (uint64_t)(*at - '0');
    HASH_FIND(hh, p->inside, &inode, sizeof(inode), in);
    return in;
}

/* A PATH record of a directory that is named, not only passed through: its name is part of others' paths. */
static bool names_directory(const struct log_block *b, const struct search_line *line)
{
    struct bytes rest = behind_name(b, line);
    const char *mode = rest.len ? memmem(rest.data, MIN(rest.len, (size_t)80), " mode=04", 8) : NULL;

    return mode && !memmem(mode, (size_t)(rest.data + rest.len - mode), " nametype=PARENT", 16);
}

static bool is_component(struct bytes path, struct bytes name)
{
    for (path = bytes_dirname(path); path.len > 1; path = bytes_dirname(path))
        if (bytes_equal(bytes_basename(path), name))
            return true;
    return false;
}

/* A PATH record of a directory or a link, named and not only passed through, that may be one above the path that is
 * asked for: what is moved with it is emitted. */
static bool is_above(const struct replay *p, const struct log_block *b, const struct search_line *line)
{
    const char *text = b->text.text.data + line->offset, *quote;
    struct bytes rest = behind_name(b, line), name;
    const char *mode = rest.len ? memmem(rest.data, MIN(rest.len, (size_t)80), " mode=0", 7) : NULL;

    if (!mode || rest.data + rest.len - mode < 9 || (mode[7] != '4' && memcmp(mode + 7, "12", 2) != 0) ||
        memmem(mode, (size_t)(rest.data + rest.len - mode), " nametype=PARENT", 16))
        return false;
    if (*rest.data != '"') /* hexadecimal: seldom, and decoded */
        return true;
    quote = memrchr(text, '"', (size_t)(rest.data - text));
    if (!quote)
        return true;
    name = (struct bytes){ quote + 1, (size_t)(rest.data - quote - 1) };
    while (name.len && name.data[name.len - 1] == '/')
        name.len--;
    return is_component(p->options->path, bytes_basename(name));
}

bool replay_is_before(const struct replay *p, const struct audit_log_block *text, uint32_t at)
{
    const struct replay_position *from = &p->options->emit_from;

    return text->file < from->file || (text->file == from->file && text->offset + at < from->offset);
}

/* Which events of a block may matter. */
int replay_scan(struct replay *p, struct log_block *b)
{
    struct search_lines_options options = { .needle = &p->needle };
    bool all = p->needle.count == 0;
    int r = search_lines_read(b->text.text, &options, &b->lines);

    if (r < 0)
        return r;
    b->present = true;
    for (uint32_t i = 0; i < b->lines.count && !all && r == 0; i++) {
        const struct search_line *line = &b->lines.lines[i];

        /* what is executed is the command line of whoever acts later */
        if (line->hit || (!p->learning && line->type == AUDIT_EXECVE) ||
            (line->type == AUDIT_PATH &&
             (p->learning ? names_directory(b, line) : is_inside(p, b, line) || is_above(p, b, line))))
            r = want(b, line);
    }
    return r;
}
