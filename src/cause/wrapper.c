/* SPDX-License-Identifier: MIT */
#include "cause/wrapper.h"

#include <string.h>

#include "cause/table.h"

struct wrapper_row {
    const char *name;
};

/* clang-format off */
static const struct wrapper_row wrappers[] = {
    { "aa-exec" }, { "bwrap" }, { "capsh" }, { "catatonit" }, { "catchsegv" }, { "chpst" }, { "chronic" },
    { "chroot" }, { "chrt" }, { "command" }, { "cpulimit" }, { "daemonize" }, { "dbus-run-session" }, { "direnv" },
    { "doas" }, { "docker-init" }, { "dumb-init" }, { "entr" }, { "env" }, { "envdir" }, { "fakeroot" }, { "faketime" },
    { "firejail" }, { "flock" }, { "gosu" }, { "ionice" }, { "linux32" }, { "linux64" }, { "lockf" }, { "ltrace" },
    { "machinectl" }, { "moreutils-parallel" }, { "newgrp" }, { "nice" }, { "nocache" }, { "nohup" }, { "nsenter" },
    { "numactl" }, { "parallel" }, { "pkexec" }, { "prlimit" }, { "proot" }, { "proxychains4" }, { "run-one" },
    { "run-parts" }, { "runuser" }, { "s6-applyuidgid" }, { "s6-setuidgid" }, { "script" }, { "setarch" }, { "setpriv" },
    { "setsid" }, { "setuidgid" }, { "sg" }, { "softlimit" }, { "stdbuf" }, { "strace" }, { "su" }, { "su-exec" },
    { "sudo" }, { "sudo-rs" }, { "systemd-cat" }, { "systemd-inhibit" }, { "systemd-run" }, { "taskset" }, { "time" },
    { "timeout" }, { "tini" }, { "tini-static" }, { "torsocks" }, { "ts" }, { "uid_entrypoint" }, { "unbuffer" },
    { "unshare" }, { "watch" }, { "xargs" }, { "xvfb-run" },
};

static const struct wrapper_row tools[] = {
    { "7z" }, { "[" }, { "addgroup" }, { "adduser" }, { "ar" }, { "as" }, { "basename" }, { "bsdtar" }, { "bunzip2" },
    { "bzip2" }, { "cat" }, { "cc1" }, { "chage" }, { "chattr" }, { "chcon" }, { "chfn" }, { "chgpasswd" }, { "chgrp" },
    { "chmod" }, { "chown" }, { "chpasswd" }, { "chsh" }, { "collect2" }, { "convert" }, { "cp" }, { "cpio" },
    { "csplit" }, { "curl" }, { "cut" }, { "date" }, { "dd" }, { "deb-systemd-helper" }, { "delgroup" }, { "deluser" },
    { "diff" }, { "dirname" }, { "dpkg-deb" }, { "dpkg-divert" }, { "dpkg-maintscript-helper" },
    { "dpkg-statoverride" }, { "dpkg-trigger" }, { "echo" }, { "ed" }, { "ex" }, { "expr" }, { "fallocate" },
    { "fdupes" }, { "find" }, { "fuser" }, { "gio" }, { "git" }, { "gpasswd" }, { "grep" }, { "groupadd" },
    { "groupdel" }, { "groupmod" }, { "gunzip" }, { "gzip" }, { "head" }, { "install" }, { "join" }, { "jq" }, { "ld" },
    { "ldconfig" }, { "lftp" }, { "link" }, { "ln" }, { "logger" }, { "lz4" }, { "lzma" }, { "mcopy" }, { "mdel" },
    { "mdeltree" }, { "mkdir" }, { "mkfifo" }, { "mknod" }, { "mktemp" }, { "mmove" }, { "mogrify" }, { "mount" },
    { "mv" }, { "newusers" }, { "objcopy" }, { "openssl" }, { "passwd" }, { "paste" }, { "patch" }, { "pigz" },
    { "printf" }, { "pv" }, { "pwconv" }, { "ranlib" }, { "rclone" }, { "rename" }, { "restorecon" }, { "rm" },
    { "rmdir" }, { "rsync" }, { "scp" }, { "sed" }, { "setcap" }, { "setfacl" }, { "setfattr" }, { "sftp" },
    { "shred" }, { "sleep" }, { "sort" }, { "split" }, { "sponge" }, { "sqlite3" }, { "srm" }, { "ssh-keygen" },
    { "stat" }, { "strip" }, { "sync" }, { "tail" }, { "tar" }, { "tee" }, { "test" }, { "touch" }, { "tr" },
    { "trash-put" }, { "truncate" }, { "umount" }, { "uniq" }, { "unlink" }, { "unlzma" }, { "unxz" }, { "unzip" },
    { "unzstd" }, { "update-alternatives" }, { "useradd" }, { "userdel" }, { "usermod" }, { "wget" }, { "xz" },
    { "yq" }, { "zip" }, { "zstd" }, { "zstdmt" },
};

static const struct changer_row {
    const char *name, *shown;
} changers[] = {
    { "doas", "doas" }, { "pkexec", "pkexec" }, { "runuser", "runuser" }, { "su", "su" }, { "su-rs", "su" },
    { "sudo", "sudo" }, { "sudo-rs", "sudo" }, { "sudoedit", "sudo" },
};
/* clang-format on */

const char *changer_name(struct bytes name)
{
    const struct changer_row *row = TABLE_FIND(changers, name);

    return row ? row->shown : NULL;
}

const char *changer_row(size_t index)
{
    return index < ARRAY_SIZE(changers) ? changers[index].name : NULL;
}

bool wrapper_is(struct bytes name)
{
    return TABLE_FIND(wrappers, name) != NULL;
}

static bool cut_suffix(struct bytes *name, const char *suffix)
{
    if (!bytes_ends_with(*name, bytes_of(suffix)))
        return false;
    name->len -= strlen(suffix);
    return true;
}

/* "x86_64-linux-gnu-ld.bfd" is ld, "x86_64-linux-gnu-as" is as: what binutils' and gcc's names are links to. */
static struct bytes without_triplet(struct bytes name)
{
    static const char *const systems[] = { "-linux-gnu-", "-linux-gnueabihf-", "-linux-musl-", "-redhat-linux-", "-suse-linux-" };

    for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
        const char *at = name.len ? memmem(name.data, name.len, systems[i], strlen(systems[i])) : NULL;
        size_t before = at ? (size_t)(at - name.data) + strlen(systems[i]) : 0;

        if (at)
            name = (struct bytes){ name.data + before, name.len - before };
    }
    (void)(cut_suffix(&name, ".bfd") || cut_suffix(&name, ".gold"));
    return name;
}

bool tool_is(struct bytes name)
{
    return TABLE_FIND(tools, name) || TABLE_FIND(tools, without_triplet(name));
}

bool tool_is_plain(struct bytes name)
{
    return TABLE_FIND(tools, name) && !bytes_equal_str(name, "git");
}

const char *wrapper_row(size_t index)
{
    return index < ARRAY_SIZE(wrappers) ? wrappers[index].name : NULL;
}

const char *tool_row(size_t index)
{
    return index < ARRAY_SIZE(tools) ? tools[index].name : NULL;
}
