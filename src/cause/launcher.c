/* SPDX-License-Identifier: MIT */
#include "cause/launcher.h"

#include "cause/argv.h"
#include "cause/wrapper.h"

/* Whose value is the next argument, and no package: "apt-get install -t stable-backports nginx". */
#define APK "-X -p -t --arch --cache-dir --keys-dir --repositories-file --repository --root --timeout --virtual --wait "
#define APT "-a -c -o -t --config-file --default-release --host-architecture --option --solver --target-release "
#define DNF "-R -c -d -e -x --advisory --arch --color --config --debuglevel --destdir --disableplugin --disablerepo --downloaddir --enableplugin " \
    "--enablerepo --errorlevel --exclude --forcearch --installroot --randomwait --releasever --repo --repofrompath --repoid --rpmverbosity --setopt "
#define FLATPAK "--arch --installation --sideload-repo --subpath "
#define OPKG "-d -f -o -t --conf --dest --offline-root --tmp-dir "
#define SNAP "--channel --cohort --name --revision "
#define ZYPPER "-R -r -t --from --repo --root --type "

/* clang-format off */
static const struct launcher_row rows[] = {
    { "Agent.Worker", LAUNCHER_CI, "Azure Pipelines agent", LAUNCHER_ANYWHERE },
    { "Runner.Listener", LAUNCHER_CI, "GitHub Actions runner", LAUNCHER_ANYWHERE },
    { "Runner.Worker", LAUNCHER_CI, "GitHub Actions runner", LAUNCHER_ANYWHERE },
    { "act_runner", LAUNCHER_CI, "Gitea runner", LAUNCHER_ANYWHERE },
    { "agetty", LAUNCHER_PERSON },
    { "alacritty", LAUNCHER_PERSON },
    { "anacron", LAUNCHER_ANACRON },
    { "ansible", LAUNCHER_CONFIGURATION, "Ansible", LAUNCHER_EXPLAINS },
    { "ansible-playbook", LAUNCHER_CONFIGURATION, "Ansible", LAUNCHER_EXPLAINS },
    { "ansible-pull", LAUNCHER_CONFIGURATION, "Ansible", LAUNCHER_EXPLAINS },
    { "apk", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, APK },
    { "apt", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, APT },
    { "apt-get", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, APT },
    { "aptitude", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, APT },
    { "atd", LAUNCHER_AT },
    { "buildkite-agent", LAUNCHER_CI, "Buildkite agent", LAUNCHER_ANYWHERE },
    { "cf-agent", LAUNCHER_CONFIGURATION, "CFEngine", LAUNCHER_EXPLAINS },
    { "cf-execd", LAUNCHER_CONFIGURATION, "CFEngine" },
    { "chef-client", LAUNCHER_CONFIGURATION, "Chef", LAUNCHER_EXPLAINS },
    { "chef-solo", LAUNCHER_CONFIGURATION, "Chef", LAUNCHER_EXPLAINS },
    { "cinc-client", LAUNCHER_CONFIGURATION, "Cinc", LAUNCHER_EXPLAINS },
    { "circleci-agent", LAUNCHER_CI, "CircleCI agent", LAUNCHER_ANYWHERE },
    { "conmon", LAUNCHER_ENGINE, "Podman", LAUNCHER_RUNTIME },
    { "containerd", LAUNCHER_ENGINE },
    { "containerd-shim", LAUNCHER_ENGINE, "containerd", LAUNCHER_RUNTIME },
    { "containerd-shim-runc-v1", LAUNCHER_ENGINE, "containerd", LAUNCHER_RUNTIME },
    { "containerd-shim-runc-v2", LAUNCHER_ENGINE, "containerd", LAUNCHER_RUNTIME },
    { "crio", LAUNCHER_ENGINE, "CRI-O" },
    { "cron", LAUNCHER_CRON },
    { "crond", LAUNCHER_CRON },
    { "crun", LAUNCHER_ENGINE, NULL, LAUNCHER_RUNTIME },
    { "culprit", LAUNCHER_COMMAND, NULL, LAUNCHER_ANYWHERE, "run" },
    { "dcron", LAUNCHER_CRON },
    { "dnf", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, DNF },
    { "dnf-3", LAUNCHER_PACKAGE, "dnf", LAUNCHER_EXPLAINS, NULL, DNF },
    { "dnf-automatic", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS },
    { "dnf5", LAUNCHER_PACKAGE, "dnf", LAUNCHER_EXPLAINS, NULL, DNF },
    { "dockerd", LAUNCHER_ENGINE, "Docker" },
    { "dpkg", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS },
    { "dpkg-reconfigure", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS },
    { "drone-runner-exec", LAUNCHER_CI, "Drone runner", LAUNCHER_ANYWHERE },
    { "dropbear", LAUNCHER_SSH },
    { "fcron", LAUNCHER_CRON },
    { "flatpak", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, FLATPAK },
    { "forgejo-runner", LAUNCHER_CI, "Forgejo runner", LAUNCHER_ANYWHERE },
    { "gitlab-runner", LAUNCHER_CI, "GitLab runner", LAUNCHER_ANYWHERE },
    { "gnome-terminal-server", LAUNCHER_PERSON },
    { "in.telnetd", LAUNCHER_PERSON },
    { "init", LAUNCHER_SERVICE, NULL, LAUNCHER_FIRST },
    { "kitty", LAUNCHER_PERSON },
    { "konsole", LAUNCHER_PERSON },
    { "login", LAUNCHER_PERSON },
    { "microdnf", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, DNF },
    { "mosh-server", LAUNCHER_PERSON },
    { "opkg", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, OPKG },
    { "packagekitd", LAUNCHER_PACKAGE, "PackageKit", LAUNCHER_EXPLAINS },
    { "pacman", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS },
    { "puppet", LAUNCHER_CONFIGURATION, "Puppet", LAUNCHER_EXPLAINS },
    { "rpm", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS },
    { "runc", LAUNCHER_ENGINE, NULL, LAUNCHER_RUNTIME },
    { "salt-call", LAUNCHER_CONFIGURATION, "Salt", LAUNCHER_EXPLAINS },
    { "salt-minion", LAUNCHER_CONFIGURATION, "Salt", LAUNCHER_EXPLAINS },
    { "screen", LAUNCHER_PERSON },
    { "snap", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, SNAP },
    { "snapd", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS },
    { "sshd", LAUNCHER_SSH },
    { "sshd-session", LAUNCHER_SSH },
    { "systemd", LAUNCHER_SERVICE, NULL, LAUNCHER_FIRST },
    { "systemd-executor", LAUNCHER_SERVICE, NULL, LAUNCHER_FIRST },
    { "tmux", LAUNCHER_PERSON },
    { "ttyd", LAUNCHER_PERSON },
    { "unattended-upgrade", LAUNCHER_PACKAGE, "unattended-upgrades", LAUNCHER_EXPLAINS },
    { "unattended-upgrades", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS },
    { "woodpecker-agent", LAUNCHER_CI, "Woodpecker agent", LAUNCHER_ANYWHERE },
    { "xterm", LAUNCHER_PERSON },
    { "youki", LAUNCHER_ENGINE, NULL, LAUNCHER_RUNTIME },
    { "yum", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, DNF },
    { "zypper", LAUNCHER_PACKAGE, NULL, LAUNCHER_EXPLAINS, NULL, ZYPPER },
};

const struct name_table launcher_table = TABLE(rows);

/* Runners that java runs: the kernel knows them by their unit alone. */
static const struct {
    const char *unit, *name;
} ci_units[] = {
    { "go-agent.service", "GoCD agent" },
    { "jenkins-agent.service", "Jenkins agent" },
    { "jenkins.service", "Jenkins" },
    { "teamcity-agent.service", "TeamCity agent" },
};

/* Where only the system's owner puts programs. */
static const char *const system_places[] = { "/usr/", "/bin/", "/sbin/", "/lib/", "/opt/", "/snap/", "/nix/store/", "/var/cfengine/" };
/* Where anybody does. */
static const char *const open_places[] = { "/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/" };

/* What a product of this kind is as a launcher; others count by what they run. */
static const struct {
    const char *kind;
    enum launcher_kind as;
} product_kinds[] = {
    { "CI", LAUNCHER_UNKNOWN },              { "configuration management", LAUNCHER_CONFIGURATION },
    { "container runtime", LAUNCHER_UNKNOWN }, { "job scheduler", LAUNCHER_UNKNOWN },
    { "orchestrator", LAUNCHER_UNKNOWN },    { "package manager", LAUNCHER_UNKNOWN },
    { "version control", LAUNCHER_UNKNOWN },
};
/* clang-format on */

static bool is_below(struct bytes path, const char *const *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_starts_with(path, bytes_of(places[i])))
            return true;
    return false;
}

const struct launcher_row *launcher_find(const struct process *p, struct bytes name)
{
    const struct launcher_row *row = table_find(&launcher_table, name);
    struct bytes file = p->executable;

    if (!row && p->script.len) { /* dnf and unattended-upgrade are scripts: the kernel said which one */
        row = table_find(&launcher_table, bytes_basename(p->script));
        file = p->script;
    }
    if (!row || !file.len || p->executable_memfd)
        return NULL;
    /* `culprit run` names the command that it runs, and nobody gains by calling himself that: a build of one's own counts */
    if (row->kind != LAUNCHER_COMMAND && (row->flags & LAUNCHER_ANYWHERE ? is_below(file, open_places, ARRAY_SIZE(open_places))
                                                                         : !is_below(file, system_places, ARRAY_SIZE(system_places))))
        return NULL;
    return !row->argument || argv_has(p->args, row->argument, 8) ? row : NULL;
}

bool launcher_is_product(const struct process *p, enum launcher_kind *ret_kind)
{
    const struct owner *o = &p->owner;

    if (!o->product.len || o->looks_like || tool_is(bytes_basename(p->executable)))
        return false;
    *ret_kind = LAUNCHER_PRODUCT;
    for (size_t i = 0; i < ARRAY_SIZE(product_kinds); i++)
        if (bytes_equal_str(o->product_kind, product_kinds[i].kind))
            *ret_kind = product_kinds[i].as;
    return *ret_kind != LAUNCHER_UNKNOWN;
}

const char *launcher_ci_unit(struct bytes unit)
{
    for (size_t i = 0; i < ARRAY_SIZE(ci_units); i++)
        if (bytes_equal_str(unit, ci_units[i].unit))
            return ci_units[i].name;
    return NULL;
}

bool launcher_is_ci(const struct process *p)
{
    const struct launcher_row *row = launcher_find(p, bytes_basename(p->executable));

    if (row)
        return row->kind == LAUNCHER_CI;
    return p->parent && p->parent->pid == 1 && launcher_ci_unit(p->owner.unit);
}

/* What comes before the packages: "apt-get [OPTIONS] remove PACKAGE...". */
static bool is_verb(struct bytes word)
{
    return word_in("install remove purge reinstall upgrade full-upgrade dist-upgrade autoremove update erase add del fix "
                   "refresh downgrade in rm up swap group localinstall ",
                   word);
}

struct bytes launcher_packages(struct process *p, const struct launcher_row *manager)
{
    struct argv a = argv_of(p->args);
    char text[256];
    size_t len = 0;
    struct bytes word;
    bool verb = false;

    if (!argv_next(&a, &word))
        return BYTES_NULL;
    while (argv_next(&a, &word)) {
        if (!word.len || word.data[0] == '-') {
            if (word_in(manager->values, word))
                (void)argv_next(&a, &word);
            continue;
        }
        if (!verb) {
            verb = is_verb(word);
            continue;
        }
        if (len + word.len + 7 > sizeof(text)) { /* ", " and " ..." */
            memcpy(text + len, ", ...", 5);
            len += 5;
            break; /* the first one alone may be so long as well: then nothing is named */
        }
        if (len) {
            memcpy(text + len, ", ", 2);
            len += 2;
        }
        memcpy(text + len, word.data, word.len);
        len += word.len;
    }
    return len && text[0] != ',' ? arena_copy(&p->arena, (struct bytes){ text, len }) : BYTES_NULL;
}
