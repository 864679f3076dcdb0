/* SPDX-License-Identifier: MIT */
#include "search/synthesis.h"

#include <errno.h>
#include <libaudit.h>
#include <sys/sysmacros.h>

#include "event/syscall_name.h"
#include "util/macro.h"

/* The plain call of an operation, and how the kernel lists the names that it takes. */
static const struct {
    const char *call;
    const char *names; /* p: a parent directory; d c n: DELETE, CREATE, NORMAL of the path; o: DELETE of the old path */
} shapes[OPERATION_COUNT] = {
    [OPERATION_READ] = { "open", "n" },
    [OPERATION_OPEN_WRITE] = { "open", "n" },
    [OPERATION_WRITE] = { "write", "n" },
    [OPERATION_TRUNCATE] = { "truncate", "n" },
    [OPERATION_CREATE] = { "creat", "pc" },
    [OPERATION_MKDIR] = { "mkdir", "pc" },
    [OPERATION_MKNOD] = { "mknod", "pc" },
    [OPERATION_SYMLINK] = { "symlink", "pc" },
    [OPERATION_LINK] = { "link", "pc" },
    [OPERATION_UNLINK] = { "unlink", "pd" },
    [OPERATION_RMDIR] = { "rmdir", "pd" },
    [OPERATION_RENAME] = { "rename", "Opoc" },
    [OPERATION_REPLACE] = { "rename", "pd" },
    [OPERATION_CHMOD] = { "chmod", "n" },
    [OPERATION_CHOWN] = { "chown", "n" },
    [OPERATION_UTIME] = { "utimensat", "n" },
    [OPERATION_SETXATTR] = { "setxattr", "n" },
    [OPERATION_REMOVEXATTR] = { "removexattr", "n" },
    [OPERATION_SETACL] = { "setxattr", "n" },
    [OPERATION_SETFLAGS] = { "ioctl", "n" },
    [OPERATION_EXEC] = { "execve", "n" },
    [OPERATION_MOUNT] = { "mount", "n" },
    [OPERATION_UNMOUNT] = { "umount2", "n" },
    [OPERATION_ATTRIBUTES] = { NULL, "n" }, /* by which call is not known */
};

/* Has it a byte that the kernel writes no quoted text with: a quotation mark, a control character, a space, or one above ASCII?
 * Eight at a time; what is said of bytes above the first such one may be wrong, which does not matter. */
static bool needs_hex(struct bytes text)
{
    static const uint64_t ones = 0x0101010101010101, high = ones * 0x80;
    size_t i = 0;

    for (uint64_t word; i + sizeof(word) <= text.len; i += sizeof(word)) {
        uint64_t mark;

        memcpy(&word, text.data + i, sizeof(word));
        mark = word ^ ones * '"';
        if ((((word - ones * 0x21) & ~word) | ((mark - ones) & ~mark) | (word + ones) | word) & high)
            return true;
    }
    for (; i < text.len; i++)
        if (text.data[i] == '"' || (unsigned char)text.data[i] < 0x21 || (unsigned char)text.data[i] > 0x7e)
            return true;
    return false;
}

static void add_hex(struct sbuf *out, struct bytes text)
{
    char *to = sbuf_room(out, 2 * text.len);

    for (size_t i = 0; to && i < text.len; i++) {
        *to++ = "0123456789ABCDEF"[(unsigned char)text.data[i] >> 4];
        *to++ = "0123456789ABCDEF"[(unsigned char)text.data[i] & 15];
    }
    if (to)
        sbuf_added(out, 2 * text.len);
}

/* As the kernel writes what others control: quoted, or in hexadecimal. */
static void add_untrusted(struct sbuf *out, struct bytes text)
{
    if (!text.data) {
        sbuf_add_str(out, "(null)");
    } else if (needs_hex(text)) {
        add_hex(out, text);
    } else {
        sbuf_add_char(out, '"');
        sbuf_add_bytes(out, text);
        sbuf_add_char(out, '"');
    }
}

/* " name=" and the number, as %d has it. */
static void add_number(struct sbuf *out, const char *name, int64_t value)
{
    sbuf_add_str(out, name);
    if (value < 0)
        sbuf_add_char(out, '-');
    sbuf_add_decimal(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* As %llx and %llo: bits of each digit 4 and 3. */
static void add_digits(struct sbuf *out, uint64_t value, unsigned bits, unsigned least)
{
    char text[24];
    size_t at = sizeof(text);

    do
        text[--at] = "0123456789abcdef"[value & ((1u << bits) - 1)];
    while ((value >>= bits) || sizeof(text) - at < least);
    sbuf_add(out, text + at, sizeof(text) - at);
}

static void make_stamp(struct search_synthesis *s, const struct event *e)
{
    uint64_t ms = e->time_ns / NS_PER_MS;
    char fraction[4] = { '.', (char)('0' + ms / 100 % 10), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10) };

    sbuf_clear(&s->stamp);
    sbuf_add_str(&s->stamp, " msg=audit(");
    sbuf_add_decimal(&s->stamp, ms / 1000);
    sbuf_add(&s->stamp, fraction, sizeof(fraction));
    sbuf_add_char(&s->stamp, ':');
    sbuf_add_decimal(&s->stamp, e->sequence);
    sbuf_add_str(&s->stamp, "): ");
}

static void begin(struct search_synthesis *s, const struct event *e, int type, const char *name)
{
    s->records[s->event.count] = (struct search_record){ .type = type, .order = s->event.count };
    s->records[s->event.count].text.len = s->text.len; /* where it begins, for now */
    if (e->node.len && !memchr(e->node.data, ' ', e->node.len)) {
        sbuf_add_str(&s->text, "node=");
        sbuf_add_bytes(&s->text, e->node);
        sbuf_add_char(&s->text, ' ');
    }
    sbuf_add_str(&s->text, "type=");
    sbuf_add_str(&s->text, name);
    sbuf_add_bytes(&s->text, sbuf_bytes(&s->stamp));
}

static void end(struct search_synthesis *s)
{
    sbuf_add_char(&s->text, '\n');
    s->event.count++;
}

static void add_unsigned(struct sbuf *out, const char *name, uint64_t value)
{
    sbuf_add_str(out, name);
    sbuf_add_decimal(out, value);
}

static void add_device(struct sbuf *out, uint64_t device)
{
    sbuf_add_str(out, " dev=");
    add_digits(out, major(device), 4, 2);
    sbuf_add_char(out, ':');
    add_digits(out, minor(device), 4, 2);
}

static void add_path(struct search_synthesis *s, const struct event *e, unsigned item, struct bytes name,
                     const char *type)
{
    const struct file_state *f = &e->file;
    bool parent = strcmp(type, "PARENT") == 0;

    begin(s, e, AUDIT_PATH, "PATH");
    add_number(&s->text, "item=", item);
    sbuf_add_str(&s->text, " name=");
    add_untrusted(&s->text, name);
    if (!parent && (f->known & FILE_INODE))
        add_unsigned(&s->text, " inode=", f->inode);
    if (!parent && (f->known & FILE_DEVICE))
        add_device(&s->text, f->device);
    if (!parent && (f->known & FILE_MODE)) {
        sbuf_add_str(&s->text, " mode=0");
        add_digits(&s->text, e->before.known & FILE_MODE ? e->before.mode : f->mode, 3, 1);
    }
    if (!parent && (f->known & FILE_UID))
        add_number(&s->text, " ouid=", e->before.known & FILE_UID ? e->before.uid : f->uid);
    if (!parent && (f->known & FILE_GID))
        add_number(&s->text, " ogid=", e->before.known & FILE_GID ? e->before.gid : f->gid);
    sbuf_add_str(&s->text, " nametype=");
    sbuf_add_str(&s->text, type);
    end(s);
}

static void add_paths(struct search_synthesis *s, const struct event *e, bool host_view)
{
    const char *names = (unsigned)e->operation < OPERATION_COUNT ? shapes[e->operation].names : NULL;
    struct bytes path = host_view && e->host_path.data ? e->host_path : e->path;
    struct bytes old = host_view && e->previous_host_path.data ? e->previous_host_path : e->previous_path;

    for (unsigned i = 0; names && names[i]; i++) {
        struct bytes parent = bytes_dirname(names[i] == 'O' ? old : path);

        switch (names[i]) {
        case 'p':
        case 'O':
            add_path(s, e, i, parent.len ? parent : BYTES_NULL, "PARENT");
            break;
        case 'd':
            add_path(s, e, i, path, "DELETE");
            break;
        case 'c':
            add_path(s, e, i, path, "CREATE");
            break;
        case 'o':
            add_path(s, e, i, old, "DELETE");
            break;
        default:
            add_path(s, e, i, path, "NORMAL");
        }
    }
}

static int machine_here(struct search_synthesis *s)
{
    if (!s->machine)
        s->machine = audit_detect_machine() + 1;
    return s->machine - 1;
}

static int plain_call(struct search_synthesis *s, enum operation operation, const char *name)
{
    int *known = &s->calls[operation]; /* counts from 1; 0: not looked up yet */

    if (!*known)
        *known = audit_call_number_by_name(name, machine_here(s)) + 1;
    return *known - 1;
}

static void write_actor(struct sbuf *out, const struct event *e)
{
    const struct credentials *c = actor_credentials(&e->actor);
    const struct process *p = e->actor.process;
    struct bytes tty = p && p->tty.len ? p->tty : e->actor.tty;
    const struct {
        const char *name;
        uint32_t id;
    } ids[] = { { " uid=", c->uid },     { " gid=", c->gid },   { " euid=", c->euid }, { " suid=", c->suid },
                { " fsuid=", c->fsuid }, { " egid=", c->egid }, { " sgid=", c->sgid }, { " fsgid=", c->fsgid } };

    add_number(out, " ppid=", e->actor.parent_pid ? e->actor.parent_pid : p ? p->parent_pid : 0);
    add_number(out, " pid=", e->actor.pid);
    add_number(out, " auid=", actor_login_uid(&e->actor));
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        add_number(out, ids[i].name, c->known ? ids[i].id : UID_UNKNOWN);
    sbuf_add_str(out, " tty=");
    if (tty.len && !memchr(tty.data, ' ', tty.len) && !memchr(tty.data, '\n', tty.len)) {
        if (bytes_starts_with(tty, bytes_of("pts/"))) { /* the kernel's name: pts0 */
            sbuf_add_str(out, "pts");
            tty = (struct bytes){ tty.data + 4, tty.len - 4 };
        }
        sbuf_add_bytes(out, tty);
    } else {
        sbuf_add_str(out, "(none)");
    }
    add_number(out, " ses=", actor_session(&e->actor));
    sbuf_add_str(out, " comm=");
    add_untrusted(out, p && p->name.len ? p->name : e->actor.name);
    sbuf_add_str(out, " exe=");
    add_untrusted(out, event_actor_executable(e));
}

/* Most events have the actor of the one before. He is the same if all that write_actor() reads is: the process by its
 * record, to which we keep a reference, so that no other one has its address. */
static bool is_same_actor(const struct search_synthesis *s, const struct actor *a)
{
    const struct actor *b = &s->last;

    return s->actor.len && a->process == b->process && a->pid == b->pid && a->parent_pid == b->parent_pid &&
           a->login_uid == b->login_uid && a->session == b->session && memcmp(&a->cred, &b->cred, sizeof(a->cred)) == 0 &&
           a->tty.len == b->tty.len && a->name.len == b->name.len && a->executable.len == b->executable.len &&
           bytes_equal(a->tty, b->tty) && bytes_equal(a->name, b->name) && bytes_equal(a->executable, b->executable);
}

static void add_actor(struct search_synthesis *s, const struct event *e)
{
    if (!is_same_actor(s, &e->actor)) {
        sbuf_clear(&s->actor);
        write_actor(&s->actor, e);
        process_unref(s->last.process);
        arena_done(&s->arena);
        s->last = e->actor;
        (void)process_ref(s->last.process);
        s->last.tty = arena_copy(&s->arena, e->actor.tty);
        s->last.name = arena_copy(&s->arena, e->actor.name);
        s->last.executable = arena_copy(&s->arena, e->actor.executable);
    }
    sbuf_add_bytes(&s->text, sbuf_bytes(&s->actor));
}

static void add_syscall(struct search_synthesis *s, const struct event *e)
{
    const char *call = (unsigned)e->operation < OPERATION_COUNT ? shapes[e->operation].call : NULL;
    const int machine = machine_here(s);
    int number = e->syscall;
    unsigned arch = e->syscall_arch ? e->syscall_arch : (unsigned)audit_machine_to_elf(machine);
    unsigned items = (unsigned)e->operation < OPERATION_COUNT && shapes[e->operation].names
                         ? (unsigned)strlen(shapes[e->operation].names) : 0;
    uint64_t a1 = 0, a2 = 0;

    if (number < 0 && call)
        number = plain_call(s, e->operation, call);
    if (e->operation == OPERATION_CHMOD && (e->after.known & FILE_MODE))
        a1 = e->after.mode & 07777;
    if (e->operation == OPERATION_CHOWN) {
        a1 = e->after.known & FILE_UID ? e->after.uid : UINT32_MAX;
        a2 = e->after.known & FILE_GID ? e->after.gid : UINT32_MAX;
    }
    begin(s, e, AUDIT_SYSCALL, "SYSCALL");
    sbuf_add_str(&s->text, "arch=");
    add_digits(&s->text, arch, 4, 1);
    if (number >= 0 || e->operation != OPERATION_ATTRIBUTES) /* no call that it may not have been */
        add_number(&s->text, " syscall=", MAX(number, 0));
    sbuf_add_str(&s->text, e->error == 0 ? " success=yes" : " success=no");
    add_number(&s->text, " exit=", e->error > 0 ? -e->error : 0);
    sbuf_add_str(&s->text, " a0=0 a1=");
    add_digits(&s->text, a1, 4, 1);
    sbuf_add_str(&s->text, " a2=");
    add_digits(&s->text, a2, 4, 1);
    add_number(&s->text, " a3=0 items=", items);
    add_actor(s, e);
    sbuf_add_str(&s->text, " key=");
    add_untrusted(&s->text, e->key.len ? e->key : BYTES_NULL);
    end(s);
}

int search_synthesis_make(struct search_synthesis *s, const struct event *e, bool host_view)
{
    const struct process *p = e->actor.process;
    struct bytes cwd = p && p->working_directory.len ? p->working_directory : e->actor.working_directory;
    struct bytes args = p && p->args.len ? p->args : e->actor.args;

    sbuf_clear(&s->text);
    s->event = (struct search_event){ .sec = e->time_ns / NS_PER_S,
                                      .milli = (unsigned)(e->time_ns / NS_PER_MS % 1000),
                                      .serial = e->sequence,
                                      .node = e->node,
                                      .type = AUDIT_SYSCALL,
                                      .records = s->records };
    make_stamp(s, e);
    add_syscall(s, e);
    begin(s, e, AUDIT_CWD, "CWD");
    sbuf_add_str(&s->text, "cwd=");
    add_untrusted(&s->text, cwd.len ? cwd : BYTES_NULL);
    end(s);
    add_paths(s, e, host_view);
    while (args.len > 0 && args.data[args.len - 1] == '\0')
        args.len--;
    if (args.len) {
        begin(s, e, AUDIT_PROCTITLE, "PROCTITLE");
        sbuf_add_str(&s->text, "proctitle=");
        if (!bytes_equal(args, sbuf_bytes(&s->args))) {
            sbuf_clear(&s->args);
            sbuf_clear(&s->title);
            sbuf_add_bytes(&s->args, args);
            add_untrusted(&s->title, args);
        }
        sbuf_add_bytes(&s->text, sbuf_bytes(&s->title));
        end(s);
    }
    if (sbuf_error(&s->text) || sbuf_error(&s->stamp) || sbuf_error(&s->actor) || sbuf_error(&s->args) ||
        sbuf_error(&s->title))
        return -ENOMEM;
    for (unsigned i = 0; i < s->event.count; i++) { /* the text has stopped moving */
        size_t from = s->records[i].text.len, to = i + 1 < s->event.count ? s->records[i + 1].text.len : s->text.len;

        s->records[i].text = (struct bytes){ s->text.data + from, to - from - 1 };
    }
    return 0;
}

void search_synthesis_done(struct search_synthesis *s)
{
    sbuf_done(&s->text);
    sbuf_done(&s->stamp);
    sbuf_done(&s->actor);
    process_unref(s->last.process);
    arena_done(&s->arena);
    sbuf_done(&s->args);
    sbuf_done(&s->title);
}
