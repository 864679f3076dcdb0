/* SPDX-License-Identifier: MIT */
#include "search/synthesis.h"

#include <errno.h>
#include <inttypes.h>
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

/* As the kernel writes what others control: quoted, or in hexadecimal. */
static void add_untrusted(struct sbuf *out, struct bytes text)
{
    bool hex = false;

    if (!text.data) {
        sbuf_add_str(out, "(null)");
        return;
    }
    for (size_t i = 0; i < text.len; i++)
        hex = hex || text.data[i] == '"' || (unsigned char)text.data[i] < 0x21 || (unsigned char)text.data[i] > 0x7e;
    if (hex)
        for (size_t i = 0; i < text.len; i++)
            sbuf_addf(out, "%02X", (unsigned char)text.data[i]);
    else
        sbuf_addf(out, "\"%.*s\"", (int)text.len, text.data);
}

static void begin(struct search_synthesis *s, const struct event *e, const char *type)
{
    uint64_t ms = e->time_ns / NS_PER_MS;

    s->records[s->event.count] = (struct search_record){ .type = audit_name_to_msg_type(type),
                                                         .order = s->event.count };
    s->records[s->event.count].text.len = s->text.len; /* where it begins, for now */
    if (e->node.len && !memchr(e->node.data, ' ', e->node.len)) {
        sbuf_add_str(&s->text, "node=");
        sbuf_add_bytes(&s->text, e->node);
        sbuf_add_char(&s->text, ' ');
    }
    sbuf_addf(&s->text, "type=%s msg=audit(%" PRIu64 ".%03" PRIu64 ":%" PRIu64 "): ", type, ms / 1000, ms % 1000,
              e->sequence);
}

static void end(struct search_synthesis *s)
{
    sbuf_add_char(&s->text, '\n');
    s->event.count++;
}

static void add_path(struct search_synthesis *s, const struct event *e, unsigned item, struct bytes name,
                     const char *type)
{
    const struct file_state *f = &e->file;
    bool parent = strcmp(type, "PARENT") == 0;

    begin(s, e, "PATH");
    sbuf_addf(&s->text, "item=%u name=", item);
    add_untrusted(&s->text, name);
    if (!parent && (f->known & FILE_INODE))
        sbuf_addf(&s->text, " inode=%" PRIu64, f->inode);
    if (!parent && (f->known & FILE_DEVICE))
        sbuf_addf(&s->text, " dev=%02x:%02x", major(f->device), minor(f->device));
    if (!parent && (f->known & FILE_MODE))
        sbuf_addf(&s->text, " mode=0%o", e->before.known & FILE_MODE ? e->before.mode : f->mode);
    if (!parent && (f->known & FILE_UID))
        sbuf_addf(&s->text, " ouid=%" PRIu32, e->before.known & FILE_UID ? e->before.uid : f->uid);
    if (!parent && (f->known & FILE_GID))
        sbuf_addf(&s->text, " ogid=%" PRIu32, e->before.known & FILE_GID ? e->before.gid : f->gid);
    sbuf_addf(&s->text, " nametype=%s", type);
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

static void add_syscall(struct search_synthesis *s, const struct event *e)
{
    const struct credentials *c = actor_credentials(&e->actor);
    const struct process *p = e->actor.process;
    const char *call = (unsigned)e->operation < OPERATION_COUNT ? shapes[e->operation].call : NULL;
    int machine = audit_detect_machine(), number = e->syscall;
    unsigned arch = e->syscall_arch ? e->syscall_arch : (unsigned)audit_machine_to_elf(machine);
    struct bytes tty = p && p->tty.len ? p->tty : e->actor.tty;
    unsigned items = (unsigned)e->operation < OPERATION_COUNT && shapes[e->operation].names
                         ? (unsigned)strlen(shapes[e->operation].names) : 0;
    uint64_t a1 = 0, a2 = 0;

    if (number < 0 && call)
        number = audit_call_number_by_name(call, machine);
    if (e->operation == OPERATION_CHMOD && (e->after.known & FILE_MODE))
        a1 = e->after.mode & 07777;
    if (e->operation == OPERATION_CHOWN) {
        a1 = e->after.known & FILE_UID ? e->after.uid : UINT32_MAX;
        a2 = e->after.known & FILE_GID ? e->after.gid : UINT32_MAX;
    }
    begin(s, e, "SYSCALL");
    sbuf_addf(&s->text, "arch=%x", arch);
    if (number >= 0 || e->operation != OPERATION_ATTRIBUTES) /* no call that it may not have been */
        sbuf_addf(&s->text, " syscall=%d", MAX(number, 0));
    sbuf_addf(&s->text, " success=%s exit=%d a0=0 a1=%" PRIx64 " a2=%" PRIx64 " a3=0 items=%u ppid=%d pid=%d"
                        " auid=%" PRIu32,
              e->error == 0 ? "yes" : "no", e->error > 0 ? -e->error : 0, a1, a2, items,
              e->actor.parent_pid ? e->actor.parent_pid : p ? p->parent_pid : 0, e->actor.pid, actor_login_uid(&e->actor));
    sbuf_addf(&s->text, " uid=%" PRIu32 " gid=%" PRIu32 " euid=%" PRIu32 " suid=%" PRIu32 " fsuid=%" PRIu32 " egid=%" PRIu32
                        " sgid=%" PRIu32 " fsgid=%" PRIu32 " tty=",
              c->known ? c->uid : UID_UNKNOWN, c->known ? c->gid : UID_UNKNOWN, c->known ? c->euid : UID_UNKNOWN,
              c->known ? c->suid : UID_UNKNOWN, c->known ? c->fsuid : UID_UNKNOWN, c->known ? c->egid : UID_UNKNOWN,
              c->known ? c->sgid : UID_UNKNOWN, c->known ? c->fsgid : UID_UNKNOWN);
    if (tty.len && !memchr(tty.data, ' ', tty.len) && !memchr(tty.data, '\n', tty.len)) {
        if (bytes_starts_with(tty, bytes_of("pts/"))) { /* the kernel's name: pts0 */
            sbuf_add_str(&s->text, "pts");
            tty = (struct bytes){ tty.data + 4, tty.len - 4 };
        }
        sbuf_add_bytes(&s->text, tty);
    } else {
        sbuf_add_str(&s->text, "(none)");
    }
    sbuf_addf(&s->text, " ses=%" PRIu32 " comm=", actor_session(&e->actor));
    add_untrusted(&s->text, p && p->name.len ? p->name : e->actor.name);
    sbuf_add_str(&s->text, " exe=");
    add_untrusted(&s->text, event_actor_executable(e));
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
    add_syscall(s, e);
    begin(s, e, "CWD");
    sbuf_add_str(&s->text, "cwd=");
    add_untrusted(&s->text, cwd.len ? cwd : BYTES_NULL);
    end(s);
    add_paths(s, e, host_view);
    while (args.len > 0 && args.data[args.len - 1] == '\0')
        args.len--;
    if (args.len) {
        begin(s, e, "PROCTITLE");
        sbuf_add_str(&s->text, "proctitle=");
        add_untrusted(&s->text, args);
        end(s);
    }
    if (sbuf_error(&s->text))
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
}
