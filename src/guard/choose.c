/* SPDX-License-Identifier: MIT */
#include "guard/choose.h"

#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

bool guard_method_is_known(const char *method)
{
    return strcmp(method, "auto") == 0 || strcmp(method, "bpf") == 0 || strcmp(method, "immutable") == 0;
}

static struct bytes without_newline(struct bytes b)
{
    while (b.len && b.data[b.len - 1] == '\n')
        b.len--;
    return b;
}

static bool has_module(struct bytes modules, const char *name)
{
    while (modules.len) {
        struct bytes module = bytes_next_field(&modules, ',');

        if (bytes_equal_str(module, name))
            return true;
    }
    return false;
}

/* What keeps programs from being a guard here, in one sentence. */
static void write_lack(const struct guard_facts *facts, struct sbuf *out)
{
    struct bytes modules = without_newline(facts->modules);

    if (facts->bpf_lacks)
        sbuf_add_str(out, facts->bpf_lacks);
    else if (!modules.len)
        sbuf_add_str(out, "the kernel's list of security modules (/sys/kernel/security/lsm) cannot be read, and this kernel interrupts "
                          "itself, or does not say so: programs could be passed over");
    else
        sbuf_addf(out, "bpf is not among the kernel's security modules, and this kernel interrupts itself, or does not say so: programs "
                       "could be passed over; boot with lsm=%.*s,bpf", (int)modules.len, modules.data);
}

int guard_choose(const struct guard_wish *wish, const struct guard_facts *facts, enum guard_way *ret, struct sbuf *why, struct err *err)
{
    bool automatic = strcmp(wish->method, "auto") == 0;
    _cleanup_sbuf_ struct sbuf lack = SBUF_INIT;

    *ret = GUARD_WAY_IMMUTABLE;
    if (strcmp(wish->method, "immutable") == 0)
        return 0;
    if (!facts->bpf_lacks && has_module(without_newline(facts->modules), "bpf")) {
        *ret = GUARD_WAY_LSM;
        return 0;
    }
    if (!facts->bpf_lacks && (!facts->preempts || wish->best_effort)) {
        *ret = GUARD_WAY_RETURN;
        return 0;
    }
    write_lack(facts, &lack);
    if (!automatic)
        return err_say(err, -ENOTSUP, "%s%s; or --method immutable", sbuf_str(&lack),
                       facts->bpf_lacks ? "" : "; or say --best-effort: what is passed over is counted");
    sbuf_add_str(why, sbuf_str(&lack));
    return 0;
}
