/* SPDX-License-Identifier: MIT */
/*
 * hangfuse DIR [HOW]: mounts a file system on DIR that stops to answer. Anybody may ask it. Unmounts at SIGTERM. HOW:
 *   silent   answers INIT and what the directory itself is, and that it has no extended attributes (the kernel asks for those by
 *            itself where it audits), and nothing else
 *   dead     answers INIT alone
 *   stuck    has folders a, b and c with three files each, of which b cannot be listed: that is never answered, nor anything after it
 *   later    the same, of which all answer; after SIGUSR1 nothing is answered any more
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *directory;
static volatile sig_atomic_t stopped;

static void end(int number)
{
    (void)number;
    (void)umount2(directory, MNT_DETACH);
    _exit(0);
}

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void answer(int fd, const struct fuse_in_header *to, int error, const void *body, size_t len)
{
    char buffer[4096];
    struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + len), .error = error, .unique = to->unique };

    memcpy(buffer, &head, sizeof(head));
    memcpy(buffer + sizeof(head), body, len);
    (void)!write(fd, buffer, sizeof(head) + len);
}

/* ---- a small tree: 1 is its root, 10, 20 and 30 the folders, 11 to 13 the files of the first ---- */

static struct fuse_attr attributes(uint64_t node)
{
    bool folder = node == FUSE_ROOT_ID || node % 10 == 0;

    return (struct fuse_attr){ .ino = node, .mode = folder ? S_IFDIR | 0755 : S_IFREG | 0644, .nlink = folder ? 2 : 1 };
}

static uint64_t look_up(uint64_t folder, const char *name)
{
    if (strlen(name) != 1)
        return 0;
    if (folder == FUSE_ROOT_ID)
        return *name >= 'a' && *name <= 'c' ? (uint64_t)(*name - 'a' + 1) * 10 : 0;
    return *name >= '1' && *name <= '3' ? folder + (uint64_t)(*name - '0') : 0;
}

static size_t list(uint64_t folder, uint64_t offset, char *out)
{
    size_t len = 0;

    for (uint64_t i = offset; i < 3; i++) {
        struct fuse_dirent d = { .ino = folder == FUSE_ROOT_ID ? (i + 1) * 10 : folder + i + 1, .off = i + 1, .namelen = 1,
                                 .type = folder == FUSE_ROOT_ID ? 4 : 8 };

        memcpy(out + len, &d, FUSE_NAME_OFFSET);
        out[len + FUSE_NAME_OFFSET] = (char)((folder == FUSE_ROOT_ID ? 'a' : '1') + (int)i);
        memset(out + len + FUSE_NAME_OFFSET + 1, 0, FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + 1) - FUSE_NAME_OFFSET - 1);
        len += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + 1);
    }
    return len;
}

static void answer_tree(int fd, const struct fuse_in_header *head, const void *body)
{
    const struct fuse_read_in *read_in = body;
    struct fuse_entry_out entry = { .nodeid = head->opcode == FUSE_LOOKUP ? look_up(head->nodeid, body) : 0 };
    struct fuse_attr_out attr = { .attr = attributes(head->nodeid) };
    struct fuse_open_out opened = { 0 };
    struct fuse_statfs_out fs = { .st = { .bsize = 4096, .namelen = 255 } };
    char entries[512];

    switch (head->opcode) {
    case FUSE_GETATTR:
        answer(fd, head, 0, &attr, sizeof(attr));
        break;
    case FUSE_LOOKUP:
        entry.attr = attributes(entry.nodeid);
        answer(fd, head, entry.nodeid ? 0 : -ENOENT, &entry, entry.nodeid ? sizeof(entry) : 0);
        break;
    case FUSE_OPENDIR:
    case FUSE_OPEN:
        answer(fd, head, 0, &opened, sizeof(opened));
        break;
    case FUSE_READDIR:
        answer(fd, head, 0, entries, list(head->nodeid, read_in->offset, entries));
        break;
    case FUSE_STATFS:
        answer(fd, head, 0, &fs, sizeof(fs));
        break;
    case FUSE_SETATTR: /* the mode that somebody gives it: it looks the same afterwards */
        answer(fd, head, 0, &attr, sizeof(attr));
        break;
    case FUSE_RELEASEDIR:
    case FUSE_RELEASE:
    case FUSE_FLUSH:
        answer(fd, head, 0, "", 0);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        break;
    default:
        answer(fd, head, -ENOSYS, "", 0);
    }
}

int main(int argc, char **argv)
{
    static char request[1 << 17];
    const struct fuse_in_header *head = (const void *)request;
    int fd = argc >= 2 ? open("/dev/fuse", O_RDWR | O_CLOEXEC) : -1;
    const char *how = argc > 2 && argv[2][0] ? argv[2] : "silent";
    bool silent = strcmp(how, "silent") == 0, tree = strcmp(how, "stuck") == 0 || strcmp(how, "later") == 0;
    char options[100];

    if (fd < 0)
        return 1;
    directory = argv[1];
    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
    if (mount("hangfuse", directory, "fuse", MS_NOSUID | MS_NODEV, options) < 0)
        return 1;
    (void)signal(SIGTERM, end);
    (void)signal(SIGUSR1, stop);
    while (read(fd, request, sizeof(request)) > 0) {
        const struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096 };
        const struct fuse_attr_out root = { .attr = { .ino = 1, .mode = S_IFDIR | 0755, .nlink = 2 } };

        if (strcmp(how, "stuck") == 0 && head->opcode == FUSE_READDIR && head->nodeid == 20)
            stopped = 1;
        if (head->opcode == FUSE_INIT)
            answer(fd, head, 0, &init, sizeof(init));
        else if (tree && !stopped)
            answer_tree(fd, head, head + 1);
        else if (silent && head->opcode == FUSE_GETATTR && head->nodeid == FUSE_ROOT_ID)
            answer(fd, head, 0, &root, sizeof(root));
        else if (silent && head->opcode == FUSE_GETXATTR)
            answer(fd, head, -ENOSYS, "", 0);
    }
    return 0;
}
