/* SPDX-License-Identifier: MIT */
/*
 * What OCI runtimes and the engines above them leave in their state directories, taken apart. Pure:
 * bytes in, records out; any input is safe.
 */
#pragma once

#include "engine/view.h"
#include "util/err.h"

/* One container as its runtime has written it down. Strings live as long as view.container. */
struct oci_facts {
    struct container_view view; /* root: the root directory; upper and lower are not in these files */
    struct bytes bundle;        /* the directory that holds its config.json */
    uint64_t pid_ticks;         /* start of the first process as in /proc/PID/stat; 0 = not in the file */
    bool only_bundle;           /* from a bundle's config.json and init.pid alone: no runtime's state was there */
};

/* Frees what it holds and zeroes it. */
void oci_facts_done(struct oci_facts *facts);

/* runc's state.json (youki's and runsc's alike): all there is to know. */
int oci_parse_state(struct bytes body, struct oci_facts *ret, struct err *err);

/* crun's status: pid, bundle, cgroup. Mounts and annotations are in the config.json beside it. */
int oci_parse_status(struct bytes body, struct bytes id, struct oci_facts *ret, struct err *err);

/* config.json of a bundle (OCI runtime specification): adds root, mounts, annotations to `facts`,
 * which needs a container; what is known already stays. */
int oci_parse_config(struct bytes body, struct oci_facts *facts, struct err *err);

/* Who made it, by what it left: "podman", "cri-o", "containerd", "docker", else `runtime`. Fills in
 * container.runtime, and a name where there is none: without any other the id is the name. */
void oci_name(struct oci_facts *facts, struct bytes id, const char *runtime);

/* ---- containers/storage (Podman, CRI-O, Buildah) ---- */

/*
 * The next object of the list in containers.json, without reading the whole as JSON: with 10,000
 * containers it has 5 MB. *at is moved behind it. False: no further one.
 */
bool storage_next(struct bytes *at, struct bytes *ret_object);

/* Parse one object. The container's labels are not in it. ret_layer lives in the container's arena. */
int storage_parse(struct bytes object, struct container **ret, struct bytes *ret_layer,
                  struct err *err);

/* A container's configuration as Podman keeps it in its database: name, labels, image. */
int podman_parse_config(struct bytes body, struct container *c, struct err *err);
