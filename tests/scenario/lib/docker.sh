# SPDX-License-Identifier: MIT
# A private dockerd for tests: own socket, data and state; the user's docker is not touched.
# Source it; then docker_start, docker_image NAME DIR, dk ARGS..., docker_stop.

docker_start() { # docker_start DIR
    local try
    DOCKER_DIR=$1
    mkdir -p "$DOCKER_DIR"/{data,exec}
    export DOCKER_HOST=unix://$DOCKER_DIR/docker.sock
    # it gives its containerd 15 seconds, whatever else the machine has to do: the next try finds more of it in memory
    for try in 1 2 3 4; do
        docker_try && return 0
        kill -0 "$DOCKER_PID" 2> /dev/null && break
    done
    echo "docker: the private dockerd did not start:" >&2
    tail -5 "$DOCKER_DIR/dockerd.log" >&2
    return 1
}

docker_try() {
    local i
    # overlay2 needs a file system that is no overlay itself
    dockerd --data-root "$DOCKER_DIR/data" --exec-root "$DOCKER_DIR/exec" -H "$DOCKER_HOST" \
        --pidfile "$DOCKER_DIR/pid" --bridge=none --iptables=false --ip6tables=false \
        > "$DOCKER_DIR/dockerd.log" 2>&1 &
    DOCKER_PID=$!
    for ((i = 0; i < ${DOCKER_WAIT:-1200}; i++)); do
        docker version > /dev/null 2>&1 && return 0
        kill -0 "$DOCKER_PID" 2> /dev/null || break
        sleep 0.1
    done
    return 1
}

dk() { docker "$@" < /dev/null; }

# The smallest root file system that can run a shell: a static busybox.
docker_rootfs() { # docker_rootfs DIR
    mkdir -p "$1"/{bin,etc,proc,sys,dev,tmp,root,prd}
    cp "$(command -v busybox)" "$1/bin/busybox"
    local a
    for a in sh sleep rm mv cp ls cat chmod chown mkdir touch true id ln dd truncate; do ln -sf busybox "$1/bin/$a"; done
    printf 'root:x:0:0:root:/root:/bin/sh\nim:x:1000:1000::/:/bin/sh\nugadmin:x:5001:5001::/:/bin/sh\n' > "$1/etc/passwd"
    printf 'root:x:0:\nim:x:1000:\nugadmin:x:5001:\n' > "$1/etc/group"
}

docker_image() { # docker_image NAME DIR
    tar -C "$2" -c . | docker import - "$1" > /dev/null
}

docker_stop() {
    [ -n "${DOCKER_PID:-}" ] || return 0
    local id
    for id in $(docker ps -aq 2> /dev/null); do docker rm -f "$id" > /dev/null 2>&1; done
    kill "$DOCKER_PID" 2> /dev/null
    wait "$DOCKER_PID" 2> /dev/null
    DOCKER_PID=
    awk -v d="$DOCKER_DIR/" 'index($2, d) == 1 {print $2}' /proc/mounts | sort -r |
        while read -r m; do umount -l "$m" 2> /dev/null; done
    rm -rf "$DOCKER_DIR"
}
