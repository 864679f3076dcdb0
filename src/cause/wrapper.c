/* SPDX-License-Identifier: MIT */
#include "cause/wrapper.h"

#include <string.h>

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
    { "setsid" }, { "setuidgid" }, { "sg" }, { "softlimit" }, { "start-stop-daemon" }, { "stdbuf" }, { "strace" }, { "su" }, { "su-exec" },
    { "sudo" }, { "sudo-rs" }, { "systemd-cat" }, { "systemd-inhibit" }, { "systemd-run" }, { "taskset" }, { "time" },
    { "timeout" }, { "tini" }, { "tini-static" }, { "torsocks" }, { "ts" }, { "uid_entrypoint" }, { "unbuffer" },
    { "unshare" }, { "watch" }, { "xargs" }, { "xvfb-run" },
};

static const struct wrapper_row tools[] = {
    { "7z" }, { "7za" }, { "7zr" }, { "7zz" }, { "[" }, { "a2dismod" }, { "a2enmod" }, { "a2ensite" }, { "addgroup" }, { "addr2line" }, { "adduser" },
    { "age" }, { "apparmor_parser" }, { "apropos" }, { "apt-cache" }, { "apt-config" }, { "apt-mark" }, { "ar" }, { "arch" }, { "arp" }, { "as" },
    { "automysqlbackup" }, { "aws" }, { "az" }, { "b2sum" }, { "b3sum" }, { "backupninja" }, { "base32" }, { "base64" }, { "basename" }, { "bc" },
    { "bison" }, { "blkid" }, { "blockdev" }, { "borgmatic" }, { "bridge" }, { "brotli" }, { "bsdcpio" }, { "bsdtar" }, { "bunzip2" }, { "busctl" },
    { "bzip2" }, { "c++" }, { "c++filt" }, { "c_rehash" }, { "cargo" }, { "cat" }, { "catman" }, { "cc" }, { "cc1" }, { "cc1plus" }, { "certbot" },
    { "certtool" }, { "chage" }, { "chattr" }, { "chcon" }, { "chfn" }, { "chgpasswd" }, { "chgrp" }, { "chmod" }, { "chown" }, { "chpasswd" },
    { "chsh" }, { "cksum" }, { "clang" }, { "clang++" }, { "cmake" }, { "cmp" }, { "collect2" }, { "column" }, { "comm" }, { "composite" },
    { "convert" }, { "convmv" }, { "cp" }, { "cpack" }, { "cpio" }, { "cpp" }, { "crontab" }, { "cryptsetup" }, { "csplit" }, { "ctest" }, { "curl" },
    { "cut" }, { "cwebp" }, { "dar" }, { "date" }, { "dc" }, { "dd" }, { "deb-systemd-helper" }, { "deb-systemd-invoke" }, { "deborphan" },
    { "debsums" }, { "debugfs" }, { "delgroup" }, { "deluser" }, { "depmod" }, { "df" }, { "diff" }, { "dig" }, { "dir" }, { "dirname" }, { "dmesg" },
    { "dmsetup" }, { "dos2unix" }, { "dot" }, { "dpkg-deb" }, { "dpkg-divert" }, { "dpkg-maintscript-helper" }, { "dpkg-query" }, { "dpkg-split" },
    { "dpkg-statoverride" }, { "dpkg-trigger" }, { "du" }, { "dumpe2fs" }, { "duperemove" }, { "duplicity" }, { "e2fsck" }, { "e2image" }, { "echo" },
    { "ed" }, { "egrep" }, { "etckeeper" }, { "ethtool" }, { "ex" }, { "expand" }, { "expr" }, { "f951" }, { "fallocate" }, { "fc-cache" },
    { "fdupes" }, { "ffmpeg" }, { "ffprobe" }, { "fgrep" }, { "find" }, { "findmnt" }, { "flex" }, { "fmt" }, { "fold" }, { "free" }, { "fsck" },
    { "fstrim" }, { "fuser" }, { "g++" }, { "gcc" }, { "gcloud" }, { "gcore" }, { "gdb" }, { "gdk-pixbuf-query-loaders" }, { "genisoimage" },
    { "getcap" }, { "getent" }, { "getfacl" }, { "getfattr" }, { "getopt" }, { "gfortran" }, { "gio" }, { "git" }, { "glib-compile-schemas" },
    { "gnuplot" }, { "go" }, { "gofmt" }, { "gpasswd" }, { "gpg" }, { "gpg2" }, { "gpgconf" }, { "gpgsm" }, { "gpgv" }, { "grep" }, { "groupadd" },
    { "groupdel" }, { "groupmod" }, { "grub-editenv" }, { "grub-install" }, { "grub-mkconfig" }, { "grub-mkimage" }, { "gs" }, { "gsutil" },
    { "gtk-update-icon-cache" }, { "gunzip" }, { "gzip" }, { "hardlink" }, { "head" }, { "hexdump" }, { "host" }, { "hostid" }, { "hostname" },
    { "hostnamectl" }, { "htdigest" }, { "htpasswd" }, { "hwclock" }, { "iconv" }, { "id" }, { "identify" }, { "ifconfig" }, { "infocmp" },
    { "inotifywait" }, { "inotifywatch" }, { "install" }, { "install-info" }, { "invoke-rc.d" }, { "ip" }, { "iptables" }, { "isoinfo" }, { "jar" },
    { "javac" }, { "javadoc" }, { "jdupes" }, { "join" }, { "journalctl" }, { "jq" }, { "keytool" }, { "kill" }, { "kmod" }, { "last" },
    { "latexmk" }, { "ld" }, { "ldapadd" }, { "ldapmodify" }, { "ldapsearch" }, { "ldconfig" }, { "ldd" }, { "lftp" }, { "link" }, { "lld" },
    { "ln" }, { "locale" }, { "locale-gen" }, { "localectl" }, { "localedef" }, { "locate" }, { "logger" }, { "loginctl" }, { "losetup" },
    { "lrzip" }, { "ls" }, { "lsattr" }, { "lsblk" }, { "lscpu" }, { "lslocks" }, { "lsns" }, { "lsof" }, { "lto-wrapper" }, { "lto1" }, { "lz4" },
    { "lzip" }, { "lzma" }, { "lzop" }, { "m4" }, { "magick" }, { "mandb" }, { "mariadb" }, { "mariadb-admin" }, { "mariadb-dump" }, { "mcopy" },
    { "md5sum" }, { "mdadm" }, { "mdel" }, { "mdeltree" }, { "meson" }, { "mkdir" }, { "mke2fs" }, { "mkfifo" }, { "mkfs" }, { "mkfs.btrfs" },
    { "mkfs.vfat" }, { "mkfs.xfs" }, { "mkinitramfs" }, { "mkisofs" }, { "mknod" }, { "mksquashfs" }, { "mkswap" }, { "mktemp" }, { "mmove" },
    { "mogrify" }, { "mongodump" }, { "mongoexport" }, { "mongorestore" }, { "montage" }, { "mount" }, { "mountpoint" }, { "msgfmt" }, { "msgmerge" },
    { "mv" }, { "mysql" }, { "mysqladmin" }, { "mysqldump" }, { "nc" }, { "nc.openbsd" }, { "ncat" }, { "netstat" }, { "newusers" }, { "nft" },
    { "nl" }, { "nm" }, { "nmcli" }, { "nproc" }, { "nslookup" }, { "numfmt" }, { "objcopy" }, { "objdump" }, { "od" }, { "openssl" }, { "optipng" },
    { "pandoc" }, { "parted" }, { "passwd" }, { "paste" }, { "patch" }, { "pbzip2" }, { "pdftoppm" }, { "pdftotext" }, { "pdfunite" },
    { "pg_basebackup" }, { "pg_dump" }, { "pg_dumpall" }, { "pg_restore" }, { "pgrep" }, { "phpdismod" }, { "phpenmod" }, { "pigz" }, { "ping" },
    { "pip" }, { "pip3" }, { "pipx" }, { "pixz" }, { "pkgconf" }, { "pkill" }, { "plzip" }, { "pmap" }, { "pngquant" }, { "poetry" }, { "postalias" },
    { "postconf" }, { "postmap" }, { "pr" }, { "printenv" }, { "printf" }, { "protoc" }, { "ps" }, { "psql" }, { "pv" }, { "pwconv" }, { "py3clean" },
    { "py3compile" }, { "qemu-img" }, { "qpdf" }, { "ranlib" }, { "rar" }, { "rclone" }, { "rdfind" }, { "rdiff-backup" }, { "readelf" },
    { "readlink" }, { "realpath" }, { "redis-cli" }, { "rename" }, { "resize2fs" }, { "restorecon" }, { "rev" }, { "rm" }, { "rmdir" },
    { "rpm2cpio" }, { "rrdtool" }, { "rsnapshot" }, { "rsvg-convert" }, { "rsync" }, { "rustc" }, { "s3cmd" }, { "savelog" }, { "scp" }, { "sdiff" },
    { "sed" }, { "semodule" }, { "seq" }, { "service" }, { "setcap" }, { "setfacl" }, { "setfattr" }, { "setsebool" }, { "sfdisk" }, { "sftp" },
    { "sgdisk" }, { "sha1sum" }, { "sha224sum" }, { "sha256sum" }, { "sha384sum" }, { "sha512sum" }, { "shred" }, { "shuf" }, { "size" },
    { "slapcat" }, { "sleep" }, { "sort" }, { "sox" }, { "split" }, { "sponge" }, { "sqlite3" }, { "srm" }, { "ss" }, { "ssh" }, { "ssh-copy-id" },
    { "ssh-keygen" }, { "ssh-keyscan" }, { "stat" }, { "strings" }, { "strip" }, { "sum" }, { "swapoff" }, { "swapon" }, { "sync" }, { "sysctl" },
    { "systemd-analyze" }, { "systemd-sysusers" }, { "tac" }, { "tail" }, { "tar" }, { "tee" }, { "test" }, { "tic" }, { "timedatectl" }, { "touch" },
    { "tr" }, { "trash-put" }, { "truncate" }, { "tsort" }, { "tune2fs" }, { "ucf" }, { "udevadm" }, { "umount" }, { "uname" }, { "unexpand" },
    { "uniq" }, { "unix2dos" }, { "unlink" }, { "unlzma" }, { "unrar" }, { "unsquashfs" }, { "unxz" }, { "unzip" }, { "unzstd" },
    { "update-alternatives" }, { "update-ca-certificates" }, { "update-desktop-database" }, { "update-grub" }, { "update-initramfs" },
    { "update-mime-database" }, { "update-rc.d" }, { "updatedb" }, { "updatedb.plocate" }, { "uptime" }, { "useradd" }, { "userdel" }, { "usermod" },
    { "uudecode" }, { "uuencode" }, { "uuidgen" }, { "vacuumdb" }, { "valkey-cli" }, { "vdir" }, { "virtualenv" }, { "vmstat" }, { "wall" }, { "wc" },
    { "wget" }, { "whatis" }, { "whereis" }, { "which" }, { "who" }, { "wipefs" }, { "wkhtmltopdf" }, { "xgettext" }, { "xmllint" }, { "xorriso" },
    { "xsltproc" }, { "xtables-nft-multi" }, { "xxd" }, { "xz" }, { "yes" }, { "yq" }, { "zcat" }, { "zip" }, { "zipinfo" }, { "zipsplit" },
    { "zstd" }, { "zstdmt" },
};

static const struct changer_row {
    const char *name, *shown;
} changers[] = {
    { "doas", "doas" }, { "pkexec", "pkexec" }, { "runuser", "runuser" }, { "su", "su" }, { "su-rs", "su" },
    { "sudo", "sudo" }, { "sudo-rs", "sudo" }, { "sudoedit", "sudo" },
};
/* clang-format on */

const struct name_table wrapper_table = TABLE(wrappers), tool_table = TABLE(tools), changer_table = TABLE(changers);

const char *changer_name(struct bytes name)
{
    const struct changer_row *row = table_find(&changer_table, name);

    return row ? row->shown : NULL;
}

bool wrapper_is(struct bytes name)
{
    return table_find(&wrapper_table, name) != NULL;
}

static bool cut_suffix(struct bytes *name, const char *suffix)
{
    if (!bytes_ends_with(*name, bytes_of(suffix)))
        return false;
    name->len -= strlen(suffix);
    return true;
}

/* "gcc-12" is gcc. */
static struct bytes without_version(struct bytes name)
{
    size_t len = name.len;

    while (len && (bytes_is_digit(name.data[len - 1]) || name.data[len - 1] == '.'))
        len--;
    if (len > 1 && len < name.len && name.data[len - 1] == '-')
        name.len = len - 1;
    return name;
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
    return without_version(name);
}

bool tool_is(struct bytes name)
{
    return table_find(&tool_table, name) || table_find(&tool_table, without_triplet(name));
}

bool tool_is_plain(struct bytes name)
{
    return table_find(&tool_table, name) && !bytes_equal_str(name, "git") && !bytes_equal_str(name, "cmake"); /* judged by their arguments */
}
