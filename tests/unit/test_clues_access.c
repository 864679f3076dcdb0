/* SPDX-License-Identifier: MIT */
/* Who may not write somewhere: only who certainly may not. */
#include "test.h"

#include <errno.h>

#include "clues/access.h"
#include "clues/moment.h"

#define PASSWD "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:100::/home/bob:/bin/sh\nwww-data:x:33:33::/:/bin/false\n"
#define GROUP "root:x:0:\nusers:x:100:\nann:x:1000:\nweb:x:50:www-data,ann\nops:x:60:bob\ndocker:x:70:\n"

/* version 2; user::rwx, user:1001:rw-, group::r-x, mask::rwx, other::r-x */
#define ACL_USER_BOB "\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x06\0\xe9\x03\0\0\x04\0\x05\0\xff\xff\xff\xff\x10\0\x07\0\xff\xff\xff\xff\x20\0\x05\0\xff\xff\xff\xff"
/* the same with group:60:rwx instead; and with user:1001:r-x */
#define ACL_GROUP_OPS "\x02\0\0\0\x08\0\x07\0\x3c\0\0\0"
#define ACL_READ_BOB "\x02\0\0\0\x02\0\x05\0\xe9\x03\0\0"

static const struct access_row {
    const char *name, *user;
    uint32_t mode, uid, gid;
    enum access access;
    struct bytes acl;
    const char *nsswitch, *sudoers, *group, *subuid, *subgid;
} rows[] = {
    { "nobody but root", "bob", 0755, 0, 0, ACCESS_MAY_NOT },
    { "root", "root", 0555, 33, 33, ACCESS_MAY },
    { "root by his number", "#0", 0555, 33, 33, ACCESS_MAY },
    { "by his number", "#1001", 0755, 0, 0, ACCESS_MAY_NOT },
    { "a number that nobody has", "#4711", 0755, 0, 0, ACCESS_UNKNOWN },
    { "a name that nobody has here", "carl", 0755, 0, 0, ACCESS_UNKNOWN },
    { "the beginning of a name", "an", 0755, 0, 0, ACCESS_UNKNOWN },
    { "no name", "", 0755, 0, 0, ACCESS_UNKNOWN },
    { "the owner, who can change the mode", "ann", 0555, 1000, 0, ACCESS_MAY },
    { "everybody", "bob", 0757, 0, 0, ACCESS_MAY },
    { "a sticky directory: what was his he may delete", "bob", 01777, 0, 0, ACCESS_MAY },
    { "his own group", "bob", 0775, 0, 100, ACCESS_MAY },
    { "a group that he is a member of", "ann", 0775, 0, 50, ACCESS_MAY },
    { "of a group that may only read", "ann", 0755, 0, 50, ACCESS_MAY_NOT },
    { "a group that he is no member of", "bob", 0775, 0, 50, ACCESS_MAY_NOT },
    { "whose groups are kept elsewhere too", "bob", 0775, 0, 50, ACCESS_UNKNOWN, .nsswitch = "passwd: files sss\ngroup: files [NOTFOUND=continue] sss\n" },
    { "which does not matter where no group may", "bob", 0755, 0, 50, ACCESS_MAY_NOT, .nsswitch = "group: files ldap\n" },
    { "groups that are here", "bob", 0775, 0, 50, ACCESS_MAY_NOT, .nsswitch = "group:\tfiles systemd # ldap\n" },
    { "by the access list", "bob", 0775, 0, 0, ACCESS_MAY, .acl = BYTES(ACL_USER_BOB) },
    { "another's entry", "ann", 0775, 0, 0, ACCESS_MAY_NOT, .acl = BYTES(ACL_USER_BOB) },
    { "an entry that reads", "bob", 0755, 0, 0, ACCESS_MAY_NOT, .acl = BYTES(ACL_READ_BOB) },
    { "by a group of the list", "bob", 0755, 0, 0, ACCESS_MAY, .acl = BYTES(ACL_GROUP_OPS) },
    { "by a group of the list that he is not in", "ann", 0755, 0, 0, ACCESS_MAY_NOT, .acl = BYTES(ACL_GROUP_OPS) },
    { "a list that is cut", "ann", 0755, 0, 0, ACCESS_MAY_NOT, .acl = BYTES("\x02\0\0\0\x02\0\x06") },
    { "who may become root", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "# bob\nbob ALL=(ALL) NOPASSWD: ALL\n" },
    { "another one may", "bob", 0755, 0, 0, ACCESS_MAY_NOT, .sudoers = "Defaults:bob !lecture\n#bob ALL=ALL\nann ALL=(ALL) ALL\nroot ALL=ALL\n" },
    { "everybody may", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "ALL ALL=/usr/bin/less\n" },
    { "an alias that nobody looks up", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "OPS_TEAM ALL=ALL\n" },
    { "his group may", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "%ops ALL=ALL\n" },
    { "a group that he is not in may", "ann", 0755, 0, 0, ACCESS_MAY_NOT, .sudoers = "%ops ALL=ALL\n" },
    { "by his number", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "#1001 ALL=(ALL) ALL\n" },
    { "another's number", "bob", 0755, 0, 0, ACCESS_MAY_NOT, .sudoers = "#1000 ALL=(ALL) ALL\n# 1001 ALL=ALL\n#100 bob\n" },
    { "one of several", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "ann,bob ALL=ALL\n" },
    { "one of several, with spaces", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = " ann , \"bob\" ALL=ALL\n" },
    { "one of several, and of groups", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "ann,%ops ALL=ALL\n" },
    { "the host is no user", "bob", 0755, 0, 0, ACCESS_MAY_NOT, .sudoers = "ann bob=(ALL) ALL\nann ALL=(bob) ALL\n" },
    { "his group's number", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "%#60 ALL=ALL\n" },
    { "another group's number", "bob", 0755, 0, 0, ACCESS_MAY_NOT, .sudoers = "%#50 ALL=ALL\n" },
    { "a group of another system", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "%:admins ALL=ALL\n" },
    { "a name with an escape", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "bo\\x62 ALL=ALL\n" },
    { "a file that is not read", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "#include /etc/sudoers.local\n" },
    { "a directory that is not read", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "@includedir /opt/sudo\n" },
    { "that is read", "bob", 0755, 0, 0, ACCESS_MAY_NOT, .sudoers = "#includedir /etc/sudoers.d\n@includedir /etc/sudoers.d\n" },
    { "rules that are kept elsewhere", "bob", 0755, 0, 0, ACCESS_MAY, .nsswitch = "sudoers: files sss\n" },
    { "groups of his that are kept elsewhere", "bob", 0775, 0, 50, ACCESS_UNKNOWN, .nsswitch = "group: files\ninitgroups: files ldap\n" },
    { "the owner is one of his in a user namespace", "bob", 0755, 100032, 0, ACCESS_MAY, .subuid = "ann:1:2\nbob:100000:65536\n" },
    { "by his number there", "bob", 0755, 165535, 0, ACCESS_MAY, .subuid = "1001:100000:65536\n" },
    { "one behind", "bob", 0755, 165536, 0, ACCESS_MAY_NOT, .subuid = "bob:100000:65536\n" },
    { "another's", "ann", 0755, 100032, 0, ACCESS_MAY_NOT, .subuid = "bob:100000:65536\n" },
    { "a group of his there", "bob", 0775, 0, 100032, ACCESS_MAY, .subgid = "bob:100000:65536\n" },
    { "that may not write", "bob", 0755, 0, 100032, ACCESS_MAY_NOT, .subgid = "bob:100000:65536\n" },
    { "more of them than are looked at", "bob", 0755, 0, 0, ACCESS_MAY, .subuid = "bob:1:1\nbob:3:1\nbob:5:1\nbob:7:1\nbob:9:1\nbob:11:1\nbob:13:1\nbob:15:1\nbob:17:1\n" },
    { "doas", "bob", 0755, 0, 0, ACCESS_MAY, .sudoers = "permit nopass bob\n" },
    { "a group that is as good as root", "bob", 0755, 0, 0, ACCESS_MAY, .group = "docker:x:70:ann,bob\n" },
};

static void who_may(void **state)
{
    const struct access_row *row = *state;
    const struct access_object o = { .mode = 040000 | row->mode, .uid = row->uid, .gid = row->gid, .acl = row->acl.len ? (struct bytes){ row->acl.data, row->acl.len } : BYTES_NULL };
    const struct access_world world = { bytes_of(PASSWD), bytes_of(row->group ? row->group : GROUP), bytes_of(row->nsswitch ? row->nsswitch : ""),
                                        bytes_of(row->sudoers ? row->sudoers : ""), bytes_of(row->subuid ? row->subuid : ""), bytes_of(row->subgid ? row->subgid : "") };

    assert_int_equal(access_of(&world, bytes_of(row->user), &o), row->access);
}

/* Of all objects he may write to none: since the last of them was changed. */
static void of_all_objects(void **state)
{
    static const struct access_object objects[] = { { .mode = 040755, .changed_ns = 5 }, { .mode = 0100644, .changed_ns = 9 }, { .mode = 0100666, .changed_ns = 7 } };
    struct access_world world = { bytes_of(PASSWD), bytes_of(GROUP), bytes_of(""), bytes_of("") };
    struct clue_question q = { .path = bytes_of("/srv/data") };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, answer = SBUF_INIT;
    struct clue_fact f = { 0 };
    struct clue_span cover;
    struct bytes rest;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        access_put(&text, &objects[i]);
    assert_int_equal(access_facts(&answer, &q, &world, sbuf_bytes(&text), BYTES("root\0bob\0carl\0")), 0);
    rest = sbuf_bytes(&answer);
    assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_FACT);
    assert_int_equal(f.kind, CLUE_ACCESS);
    assert_bytes(f.user, "bob");
    assert_bytes(f.path, "/srv/data");
    assert_int_equal(f.from_ns, 9);
    assert_bytes(f.text, "bob may not write there, nor below it: mode 0755 of uid 0 and gid 0");
    assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_END);
    access_put(&text, &objects[2]);
    sbuf_clear(&answer);
    assert_int_equal(access_facts(&answer, &q, &world, sbuf_bytes(&text), BYTES("bob\0")), 0);
    assert_int_equal(answer.len, 0);
    sbuf_clear(&text);
    access_put(&text, &objects[0]);
    q.spans[q.span_count++] = (struct clue_span){ 4, 6 };
    assert_int_equal(access_facts(&answer, &q, &world, sbuf_bytes(&text), BYTES("bob\0")), 0);
    assert_int_not_equal(answer.len, 0); /* its names were changed then */
    sbuf_clear(&text);
    sbuf_clear(&answer);
    access_put(&text, &(struct access_object){ .mode = 040755, .changed_ns = 5, .changed_itself = true });
    assert_int_equal(access_facts(&answer, &q, &world, sbuf_bytes(&text), BYTES("bob\0")), 0);
    rest = sbuf_bytes(&answer);
    assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_FACT);
    assert_int_equal(f.from_ns, 7); /* its mode, in the course of the moment: not before its end */
    sbuf_clear(&answer);
    world.changed_ns = 8; /* sudo's rules: who may become root now may not have been who might then */
    assert_int_equal(access_facts(&answer, &q, &world, sbuf_bytes(&text), BYTES("bob\0")), 0);
    rest = sbuf_bytes(&answer);
    assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_FACT);
    assert_int_equal(f.from_ns, 8);
    sbuf_clear(&answer);
    access_put(&text, &(struct access_object){ .mode = 040755 });
    assert_int_equal(access_facts(&answer, &q, &world, sbuf_bytes(&text), BYTES("bob\0")), 0);
    rest = sbuf_bytes(&answer);
    assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_FACT);
    assert_bytes(f.text, "bob may not write there: mode 0755 of uid 0 and gid 0");
    sbuf_clear(&answer);
    access_put(&text, &(struct access_object){ .mode = 040755, .uid = 1001 }); /* what is above is his: he may put another one there */
    assert_int_equal(access_facts(&answer, &q, &world, sbuf_bytes(&text), BYTES("bob\0")), 0);
    assert_int_equal(answer.len, 0);
    assert_int_equal(access_facts(&answer, &q, &world, BYTES("damaged"), BYTES("bob\0")), -EBADMSG);
}

static void whom_facts_name(void **state)
{
    const struct clue_fact facts[] = { { .user = bytes_of("ann"), .suspect = bytes_of("x") }, { .user = bytes_of("bob") }, { .suspect = bytes_of("y") },
                                       { .user = bytes_of("ann"), .suspect = bytes_of("z") }, { .user = bytes_of("#7"), .suspect = bytes_of("z") } };
    _cleanup_sbuf_ struct sbuf users = SBUF_INIT;

    (void)state;
    moment_users(facts, ARRAY_SIZE(facts), &users);
    assert_int_equal(users.len, 7);
    assert_memory_equal(sbuf_str(&users), "ann\0#7\0", 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(of_all_objects), cmocka_unit_test(whom_facts_name) };

    return RUN_ROWS(rows, who_may) + cmocka_run_group_tests(tests, NULL, NULL);
}
