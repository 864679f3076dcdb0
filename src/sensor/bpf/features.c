/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/features.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util/cleanup.h"

static void add_reason(char *reasons, size_t size, const char *reason)
{
    size_t len = strlen(reasons);

    snprintf(reasons + len, size - len, "%s%s", len ? "; " : "", reason);
}

static bool locked_down(void)
{
    _cleanup_fclose_ FILE *f = fopen("/sys/kernel/security/lockdown", "re");
    char line[128] = "";

    return f && fgets(line, sizeof(line), f) && strstr(line, "[confidentiality]");
}

int features_permitted(struct err *err)
{
    char reasons[256] = "";
    bool bpf, perfmon;

    if (capng_get_caps_process() == 0) {
        bool admin = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);

        bpf = admin || capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF);
        perfmon = admin || capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON);
        if (!bpf || !perfmon)
            add_reason(reasons, sizeof(reasons),
                       bpf       ? "missing here: CAP_PERFMON (run culprit as root)"
                       : perfmon ? "missing here: CAP_BPF (run culprit as root)"
                                 : "missing here: CAP_BPF, CAP_PERFMON (run culprit as root)");
    }
    if (locked_down())
        add_reason(reasons, sizeof(reasons),
                   "lockdown is confidentiality, so no BPF program may read kernel memory");
    if (access("/sys/kernel/btf/vmlinux", R_OK) < 0 && errno == ENOENT)
        add_reason(reasons, sizeof(reasons), "no BTF (/sys/kernel/btf/vmlinux; CONFIG_DEBUG_INFO_BTF)");
    return reasons[0] ? err_say(err, -EPERM, "%s", reasons) : 0;
}

static bool is_filtered(void)
{
    _cleanup_fclose_ FILE *f = fopen("/proc/self/status", "re");
    char line[256];
    unsigned mode = 0;

    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "Seccomp: %u", &mode) == 1)
            break;
    return mode != 0;
}

const char *features_refusal(void)
{
    if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL) == 1)
        return "this kernel lets no BPF program trace functions (fentry), though it loads others";
    return is_filtered() ? "bpf() is refused: a seccomp filter is on us (a container's), and neither capabilities nor lockdown are why"
                         : "bpf() is refused by the kernel's configuration or a security module: neither capabilities, lockdown nor seccomp are why";
}

int features_open(struct btf **ret, struct err *err)
{
    struct btf *btf = btf__load_vmlinux_btf();

    if (!btf)
        return err_say(err, -ENOENT,
                       "this kernel has no BTF (/sys/kernel/btf/vmlinux): it was built without CONFIG_DEBUG_INFO_BTF");
    *ret = btf;
    return 0;
}

void features_close(struct btf *btf)
{
    btf__free(btf);
}

static const struct btf_type *prototype(const struct btf *btf, const char *name)
{
    int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
    const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (unsigned)id);

    return t ? btf__type_by_id(btf, t->type) : NULL;
}

static const struct btf_type *skip_modifiers(const struct btf *btf, unsigned id)
{
    const struct btf_type *t = btf__type_by_id(btf, id);

    while (t && (btf_is_mod(t) || btf_is_typedef(t)))
        t = btf__type_by_id(btf, t->type);
    return t;
}

bool features_has_function(const struct btf *btf, const char *name)
{
    return prototype(btf, name) != NULL;
}

bool features_has_type(const struct btf *btf, const char *name)
{
    return btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT) > 0;
}

int features_argument_count(const struct btf *btf, const char *name)
{
    const struct btf_type *t = prototype(btf, name);

    return t ? btf_vlen(t) : -ENOENT;
}

int features_find_argument(const struct btf *btf, const char *name, const char *type, unsigned n)
{
    const struct btf_type *t = prototype(btf, name);

    for (unsigned i = 0; t && i < btf_vlen(t); i++) {
        const struct btf_type *a = skip_modifiers(btf, btf_params(t)[i].type);

        if (!a || !btf_is_ptr(a))
            continue;
        a = skip_modifiers(btf, a->type);
        if (a && btf_is_struct(a) && strcmp(btf__name_by_offset(btf, a->name_off), type) == 0 &&
            n-- == 0)
            return (int)i;
    }
    return -ENOENT;
}

bool features_returns_pointer(const struct btf *btf, const char *name)
{
    const struct btf_type *t = prototype(btf, name);
    const struct btf_type *r = t ? skip_modifiers(btf, t->type) : NULL;

    return r && btf_is_ptr(r);
}

static bool read_line(const char *path, char *ret, size_t size)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");

    return f && fgets(ret, (int)size, f);
}

static bool has_enumerator(const struct btf *btf, const char *name)
{
    unsigned count = btf__type_cnt(btf);

    for (unsigned i = 1; i < count; i++) {
        const struct btf_type *t = btf__type_by_id(btf, i);
        const struct btf_enum *e = btf_is_enum(t) ? btf_enum(t) : NULL;

        for (unsigned j = 0; e && j < btf_vlen(t); j++)
            if (strcmp(btf__name_by_offset(btf, e[j].name_off), name) == 0)
                return true;
    }
    return false;
}

bool features_preempts(const struct btf *btf)
{
    char text[4096];
    struct utsname u;
    const char *said;

    /* since 5.12; the kernel's own word, where it may be read: "none voluntary (full) lazy" (826bfeb37bb4) */
    if (read_line("/sys/kernel/debug/sched/preempt", text, sizeof(text)))
        return strstr(text, "(full)") || strstr(text, "(lazy)");
    if (uname(&u) < 0)
        return true;
    said = strstr(u.version, "PREEMPT");
    if (!said)
        return false;
    if (strncmp(said, "PREEMPT_DYNAMIC", 15) != 0)
        return true;
    if (read_line("/proc/cmdline", text, sizeof(text)) && (said = strstr(text, "preempt=")))
        return strncmp(said + 8, "none", 4) != 0 && strncmp(said + 8, "voluntary", 9) != 0;
    return has_enumerator(btf, "preempt_dynamic_lazy"); /* since 6.13, 7c70cb94d29c: where it is the default */
}
