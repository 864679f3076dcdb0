/* SPDX-License-Identifier: MIT */
/*
 * hangfuse DIR [dead]: mounts a file system on DIR that answers INIT and what the directory itself is, and that it has
 * no extended attributes (the kernel asks for those by itself where it audits), and nothing else; with `dead` not even that. Anybody may ask it. Unmounts at SIGTERM.
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

static void end(int number)
{
    (void)number;
    (void)umount2(directory, MNT_DETACH);
    _exit(0);
}

static void answer(int fd, const struct fuse_in_header *to, int error, const void *body, size_t len)
{
    char buffer[256];
    struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + len), .error = error, .unique = to->unique };

    memcpy(buffer, &head, sizeof(head));
    memcpy(buffer + sizeof(head), body, len);
    (void)!write(fd, buffer, sizeof(head) + len);
}

int main(int argc, char **argv)
{
    static char request[1 << 17];
    const struct fuse_in_header *head = (const void *)request;
    int fd = argc >= 2 ? open("/dev/fuse", O_RDWR | O_CLOEXEC) : -1;
    bool dead = argc > 2 && strcmp(argv[2], "dead") == 0;
    char options[100];

    if (fd < 0)
        return 1;
    directory = argv[1];
    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
    if (mount("hangfuse", directory, "fuse", MS_NOSUID | MS_NODEV, options) < 0)
        return 1;
    (void)signal(SIGTERM, end);
    while (read(fd, request, sizeof(request)) > 0) {
        const struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096 };
        const struct fuse_attr_out root = { .attr = { .ino = 1, .mode = S_IFDIR | 0755, .nlink = 2 } };

        if (head->opcode == FUSE_INIT)
            answer(fd, head, 0, &init, sizeof(init));
        else if (!dead && head->opcode == FUSE_GETATTR && head->nodeid == FUSE_ROOT_ID)
            answer(fd, head, 0, &root, sizeof(root));
        else if (!dead && head->opcode == FUSE_GETXATTR)
            answer(fd, head, -ENOSYS, "", 0);
    }
    return 0;
}
