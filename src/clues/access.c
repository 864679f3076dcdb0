/* SPDX-License-Identifier: MIT */
#include "clues/access.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/flat.h"
#include "util/macro.h"
#include "util/parse.h"

#define ACL_HEADER 4 /* bytes: the version */
#define ACL_ENTRY 8
#define ACL_USER 0x02
#define ACL_GROUP 0x08
#define ACL_WRITE 0x02
#define GIDS_MAX 256
#define RANGES_MAX 8

struct range {
    uint64_t from, to; /* without it */
};

/* What is known of somebody, whatever he may write to. */
struct user {
    struct bytes name;
    uint32_t uid, gid;
    bool mighty, groups_known; /* as good as root, or that cannot be ruled out; all that he is in are in `gids` */
    uint32_t gids[GIDS_MAX];
    size_t gid_count;
    struct range uids_below[RANGES_MAX], gids_below[RANGES_MAX]; /* whom he may become in a user namespace of his own */
};

static bool has_number(struct bytes text, uint32_t n)
{
    uint32_t number;

    return parse_u32(text, 10, &number) == 0 && number == n;
}

/* His line of /etc/passwd; by his name or "#UID". */
static bool find_user(struct bytes passwd, struct bytes user, struct user *ret)
{
    uint32_t wanted = 0;
    bool by_number = user.len > 1 && user.data[0] == '#' && parse_u32((struct bytes){ user.data + 1, user.len - 1 }, 10, &wanted) == 0;

    while (user.len && passwd.len) {
        struct bytes line = bytes_next_line(&passwd), name = bytes_next_field(&line, ':'), uid;

        (void)bytes_next_field(&line, ':');
        uid = bytes_next_field(&line, ':');
        if (!(by_number ? has_number(uid, wanted) : bytes_equal(name, user)))
            continue;
        ret->name = name;
        return parse_u32(uid, 10, &ret->uid) == 0 && parse_u32(bytes_next_field(&line, ':'), 10, &ret->gid) == 0;
    }
    return false;
}

static bool is_listed(struct bytes members, struct bytes name)
{
    while (members.len)
        if (bytes_equal(bytes_next_field(&members, ','), name))
            return true;
    return false;
}

static bool is_member(const struct user *u, uint32_t gid)
{
    for (size_t i = 0; i < u->gid_count; i++)
        if (u->gids[i] == gid)
            return true;
    return u->gid == gid;
}

/* Is all of that kind in a file of this machine? Without nsswitch.conf it is. */
static bool is_all_here(struct bytes nsswitch, const char *kind)
{
    static const char *const here[] = { "files", "compat", "systemd", "db" };

    while (nsswitch.len) {
        struct bytes line = bytes_next_line(&nsswitch), word = bytes_next_word(&line);

        if (!bytes_equal_str(word, kind))
            continue;
        while ((word = bytes_next_word(&line)).len && word.data[0] != '#')
            if (word.data[0] != '[' && !BYTES_AMONG(word, here))
                return false;
    }
    return true;
}

/* Members of the groups named here may become root, or are as good as that. */
static void find_groups(const struct access_world *world, struct user *u)
{
    static const char *const mighty[] = { "root", "sudo", "wheel", "admin", "docker", "podman", "lxd", "incus", "incus-admin", "libvirt", "libvirtd", "microk8s", "disk", "kmem", "shadow" };
    struct bytes rest = world->group;

    u->groups_known = is_all_here(world->nsswitch, "group:") && is_all_here(world->nsswitch, "initgroups:");
    while (rest.len) {
        struct bytes line = bytes_next_line(&rest), name = bytes_next_field(&line, ':'), number;
        uint32_t gid;

        (void)bytes_next_field(&line, ':');
        number = bytes_next_field(&line, ':');
        if (parse_u32(number, 10, &gid) < 0 || !(gid == u->gid || is_listed(line, u->name)))
            continue;
        u->mighty |= BYTES_AMONG(name, mighty);
        if (u->gid_count < GIDS_MAX)
            u->gids[u->gid_count++] = gid;
        else
            u->groups_known = false;
    }
}

static bool is_member_by_name(const struct access_world *world, const struct user *u, struct bytes group)
{
    struct bytes rest = world->group;

    while (rest.len) {
        struct bytes line = bytes_next_line(&rest), name = bytes_next_field(&line, ':'), number;

        (void)bytes_next_field(&line, ':');
        number = bytes_next_field(&line, ':');
        if (bytes_equal(name, group))
            return has_number(number, u->gid) || is_listed(line, u->name);
    }
    return false;
}

/* "ALL", a user's alias, a netgroup, a name with an escape: whoever that may be. */
static bool is_anybody(struct bytes word)
{
    if (word.data[0] == '+' || bytes_equal_str(word, "User_Alias") || bytes_equal_str(word, "permit") || bytes_char(word, '\\'))
        return true;
    for (size_t i = 0; i < word.len; i++)
        if (!(word.data[i] >= 'A' && word.data[i] <= 'Z') && word.data[i] != '_' && !bytes_is_digit(word.data[i]))
            return false;
    return true;
}

/* One of a list of users in sudoers: "ann", "#1000", "%ops", "%#60"; or he whom nobody looks up here. */
static bool is_he(const struct access_world *world, const struct user *u, struct bytes word)
{
    struct bytes rest = { word.data + 1, word.len - 1 };

    if (word.data[0] == '#')
        return has_number(rest, u->uid);
    if (word.data[0] != '%')
        return bytes_equal(word, u->name) || is_anybody(word);
    if (!u->groups_known || (rest.len && rest.data[0] == ':'))
        return true;
    if (rest.len && rest.data[0] == '#') {
        uint32_t gid;

        return parse_u32((struct bytes){ rest.data + 1, rest.len - 1 }, 10, &gid) < 0 || is_member(u, gid);
    }
    return is_member_by_name(world, u, rest);
}

static void skip(struct bytes *rest, const char *what)
{
    while (rest->len && rest->data[0] && strchr(what, rest->data[0]))
        *rest = (struct bytes){ rest->data + 1, rest->len - 1 };
}

/* A name of the list that the line begins with, which may be in quotes; empty: there is none. */
static struct bytes next_name(struct bytes *rest)
{
    struct bytes name;

    skip(rest, " \t!");
    if (rest->len && rest->data[0] == '"') {
        *rest = (struct bytes){ rest->data + 1, rest->len - 1 };
        return bytes_next_field(rest, '"');
    }
    name = (struct bytes){ rest->data, 0 };
    while (name.len < rest->len && !strchr(" \t,=", rest->data[name.len]))
        name.len++;
    *rest = (struct bytes){ rest->data + name.len, rest->len - name.len };
    return name;
}

/* Another file than those that are read here. */
static bool includes_another(struct bytes word, struct bytes rest)
{
    struct bytes path = bytes_next_word(&rest);

    if (!bytes_equal_str(word, "#include") && !bytes_equal_str(word, "#includedir") && word.data[0] != '@')
        return false;
    return !bytes_equal_str(path, "/etc/sudoers.d") && !bytes_equal_str(path, "/usr/etc/sudoers.d");
}

/* Does the line of sudo's or doas' begin with him, with his group, or with whom nobody looks up here? */
static bool names_him(const struct access_world *world, const struct user *u, struct bytes line)
{
    struct bytes rest = line, word = bytes_next_word(&rest);

    if (!word.len || bytes_starts_with(word, bytes_of("Defaults")))
        return false;
    if (includes_another(word, rest))
        return true;
    if (word.data[0] == '@' || (word.data[0] == '#' && !(word.len > 1 && bytes_is_digit(word.data[1]))))
        return false;
    for (word = next_name(&line); word.len; word = next_name(&line)) {
        if (is_he(world, u, word))
            return true;
        skip(&line, " \t");
        if (!line.len || line.data[0] != ',')
            return false;
        skip(&line, ",");
    }
    return false;
}

static bool is_in_sudoers(const struct access_world *world, const struct user *u)
{
    struct bytes rest = world->sudoers;

    while (rest.len)
        if (names_him(world, u, bytes_next_line(&rest)))
            return true;
    return !is_all_here(world->nsswitch, "sudoers:");
}

/* "ann:100000:65536" of /etc/subuid; by his number too. False: there are more than have room. */
static bool find_ranges(struct bytes text, const struct user *u, struct range *ret)
{
    size_t n = 0;

    while (text.len) {
        struct bytes line = bytes_next_line(&text), name = bytes_next_field(&line, ':');
        uint32_t from, count;

        if ((!bytes_equal(name, u->name) && !has_number(name, u->uid)) || parse_u32(bytes_next_field(&line, ':'), 10, &from) < 0 ||
            parse_u32(line, 10, &count) < 0)
            continue;
        if (n == RANGES_MAX)
            return false;
        ret[n++] = (struct range){ from, (uint64_t)from + count };
    }
    return true;
}

static bool is_in_range(const struct range *ranges, uint32_t id)
{
    for (size_t i = 0; i < RANGES_MAX; i++)
        if (id >= ranges[i].from && id < ranges[i].to)
            return true;
    return false;
}

static bool know_user(const struct access_world *world, struct bytes name, struct user *ret)
{
    *ret = (struct user){ 0 };
    if (!find_user(world->passwd, name, ret))
        return false;
    find_groups(world, ret);
    ret->mighty |= ret->uid == 0 || is_in_sudoers(world, ret);
    ret->mighty |= !find_ranges(world->subuid, ret, ret->uids_below) || !find_ranges(world->subgid, ret, ret->gids_below);
    return true;
}

static uint32_t number_at(const char *at, unsigned bytes)
{
    uint32_t n = 0;

    for (unsigned i = bytes; i-- > 0;)
        n = n << 8 | (unsigned char)at[i];
    return n;
}

static bool is_his_group(const struct user *u, uint32_t gid)
{
    return is_member(u, gid) || is_in_range(u->gids_below, gid);
}

/* An entry of the list that is his, or of a group that he may be in, has the right: whatever else it says, he may. */
static bool may_by_list(const struct user *u, struct bytes acl)
{
    for (size_t at = ACL_HEADER; at + ACL_ENTRY <= acl.len; at += ACL_ENTRY) {
        uint32_t tag = number_at(acl.data + at, 2), rights = number_at(acl.data + at + 2, 2), id = number_at(acl.data + at + 4, 4);

        if (!(rights & ACL_WRITE))
            continue;
        if ((tag == ACL_USER && (id == u->uid || is_in_range(u->uids_below, id))) || (tag == ACL_GROUP && (!u->groups_known || is_his_group(u, id))))
            return true;
    }
    return false;
}

static enum access may(const struct user *u, const struct access_object *o)
{
    if (u->mighty || u->uid == o->uid || is_in_range(u->uids_below, o->uid) || (o->mode & S_IWOTH))
        return ACCESS_MAY; /* an owner may give it to himself */
    if ((o->mode & S_IWGRP) && is_his_group(u, o->gid))
        return ACCESS_MAY;
    if ((o->mode & S_IWGRP) && !u->groups_known)
        return ACCESS_UNKNOWN;
    return may_by_list(u, o->acl) ? ACCESS_MAY : ACCESS_MAY_NOT;
}

enum access access_of(const struct access_world *world, struct bytes user, const struct access_object *o)
{
    struct user u;

    return know_user(world, user, &u) ? may(&u, o) : ACCESS_UNKNOWN;
}

void access_put(struct sbuf *out, const struct access_object *o)
{
    flat_put_u64(out, o->mode);
    flat_put_u64(out, o->uid);
    flat_put_u64(out, o->gid);
    flat_put_u64(out, o->changed_ns);
    flat_put_u64(out, o->changed_itself);
    flat_put_bytes(out, o->acl);
}

int access_take(struct bytes *in, struct access_object *ret)
{
    uint64_t mode = 0, uid = 0, gid = 0, itself = 0;

    if (flat_get_u64(in, &mode) < 0 || flat_get_u64(in, &uid) < 0 || flat_get_u64(in, &gid) < 0 || flat_get_u64(in, &ret->changed_ns) < 0 ||
        flat_get_u64(in, &itself) < 0 || flat_get_bytes(in, &ret->acl) < 0)
        return -EBADMSG;
    ret->mode = (uint32_t)mode;
    ret->uid = (uint32_t)uid;
    ret->gid = (uint32_t)gid;
    ret->changed_itself = itself;
    return 0;
}

static void put_fact(struct sbuf *answer, const struct clue_question *q, struct bytes user, const struct access_object *o, uint64_t changed_ns,
                     bool several)
{
    struct clue_fact f = { .kind = CLUE_ACCESS, .from_ns = changed_ns, .user = user, .path = q->extra.len ? q->extra : q->path };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    sbuf_add_bytes(&text, user);
    sbuf_addf(&text, " may not write %s: mode %04o of uid %u and gid %u", several ? "there, nor below it" : "there", o->mode & 07777, o->uid, o->gid);
    f.text = sbuf_bytes(&text);
    clue_put(answer, &f);
}

/* Since when it is certainly as it is. Where that was changed in the course of a moment, which may have begun before: since its end. */
static uint64_t certain_since(const struct clue_question *q, const struct access_object *o)
{
    for (size_t i = 0; i < q->span_count; i++)
        if (o->changed_itself && o->changed_ns > q->spans[i].from_ns && o->changed_ns <= q->spans[i].to_ns)
            return q->spans[i].to_ns + 1;
    return o->changed_ns;
}

/* Those of one user; what is not certain of one object is not of all. */
static int one_user(struct sbuf *answer, const struct clue_question *q, const struct access_world *world, struct bytes objects, struct bytes user)
{
    struct access_object first = { 0 }, o = { 0 };
    uint64_t changed_ns = world->changed_ns;
    struct user u;
    size_t n = 0;

    if (!know_user(world, user, &u))
        return 0;
    while (objects.len) {
        if (access_take(&objects, &o) < 0)
            return -EBADMSG;
        if (may(&u, &o) != ACCESS_MAY_NOT)
            return 0;
        if (!o.changed_ns)
            continue;
        if (n++ == 0)
            first = o;
        changed_ns = MAX(changed_ns, certain_since(q, &o));
    }
    if (n)
        put_fact(answer, q, user, &first, changed_ns, n > 1);
    return 0;
}

int access_facts(struct sbuf *answer, const struct clue_question *q, const struct access_world *world, struct bytes objects, struct bytes users)
{
    int r = 0;

    while (users.len && r == 0)
        r = one_user(answer, q, world, objects, bytes_next_field(&users, '\0'));
    return r;
}
