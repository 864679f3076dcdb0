/* SPDX-License-Identifier: MIT */
/* The input is what a ring buffer could hold: one record. */
#include "fuzz.h"

#include "sensor/bpf/decode.h"
#include "util/sbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    struct bpf_record r;

    if (bpf_decode(data, size, &r, NULL) < 0)
        return 0;
    (void)bpf_names_path(r.path, bpf_names_count(r.path), r.text, &path);
    (void)bpf_names_path(r.other, 3, r.text, &path);
    (void)bpf_names_path(r.exe, bpf_names_count(r.exe), r.comm, &path);
    (void)bpf_names_path(r.cwd, bpf_names_count(r.cwd), BYTES_NULL, &path);
    (void)bpf_names_path(r.cgroup, bpf_names_count(r.cgroup), r.tty, &path);
    return 0;
}
