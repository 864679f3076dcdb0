#!/bin/bash
# SPDX-License-Identifier: MIT
# boot.sh KERNEL OUT SCRIPT [ARG...]: boots the kernel unpacked in the folder KERNEL (see fetch.sh) and runs
# SCRIPT in it with bash as root. The guest sees this machine's whole root, read-only with a throw-away layer in
# memory on top, so every program and file is there too. What the script leaves in /out (the folder OUT here)
# stays; its output comes to stdout. Exit status: the script's; 125: the guest never came to its end.
# Environment: SECONDS_MAX (600), SMP (1), MEMORY (2G), APPEND (kernel parameters), ICOUNT (QEMU's -icount, one
# processor, time counted in instructions), VERBOSE=1 (the kernel's messages too), INIT=systemd (this machine's
# systemd is the first process, and the script one of its services), DISK (a raw image with ext4: what the guest writes is there, not in
# memory, and the next boot finds it). OUT/pid has QEMU's pid: who kills it cuts the power.
# AppArmor is off: dockerd would want its parser, and culprit does not depend on it; so are the detours around
# flaws that an emulated processor does not have. The timer is not tried at boot: where this machine is busy no tick comes in time, and
# the kernel panics ("IO-APIC + timer doesn't work"). Needs no KVM: everything is emulated, so that counts of
# instructions are the same on every machine.
set -u
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
[ $# -ge 3 ] || { sed -n 3,12p "$0"; exit 2; }
KERNEL=$(cd "$1" && pwd) || exit 2
OUT=$(mkdir -p "$2" && cd "$2" && pwd) || exit 2
SCRIPT=$(readlink -f "$3")
shift 3
RELEASE=$(cat "$KERNEL/.done") || exit 2
WORK=$(mktemp -d "${TMPDIR:-/tmp}/culprit-vm.XXXXXX")
trap 'rm -rf "$WORK"; [ -z "${QEMU:-}" ] || kill "$QEMU" 2> /dev/null' EXIT
trap 'exit 130' INT TERM

# what the root needs and the kernel has not built in, dependencies first
root=$WORK/root
mkdir -p "$root"/{bin,proc,sys,dev,modules,lower,layer,new}
cp "$(command -v busybox)" "$root/bin/busybox"
n=100
for module in virtio_pci 9pnet_virtio 9p overlay ${DISK:+virtio_blk ext4}; do
    modprobe -d "$KERNEL" -S "$RELEASE" --show-depends "$module" 2> /dev/null
done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' > "$WORK/modules"
while read -r file; do
    n=$((n + 1))
    name=$n-$(basename "$file")
    case $file in
    *.xz) xz -dc "$file" > "$root/modules/${name%.xz}" ;;
    *.zst) zstd -qdc "$file" > "$root/modules/${name%.zst}" ;;
    *) cp "$file" "$root/modules/$name" ;;
    esac
done < "$WORK/modules"
printf '%q ' "$KERNEL" "$SCRIPT" "$@" > "$WORK/arguments"
cat > "$root/init" <<END
#!/bin/busybox sh
b=/bin/busybox
\$b mount -t proc proc /proc; \$b mount -t sysfs sys /sys; \$b mount -t devtmpfs dev /dev
for m in /modules/*.ko; do \$b insmod \$m || echo "boot: \$m does not load"; done
options=trans=virtio,version=9p2000.L,msize=262144
\$b mount -t 9p -o \$options,cache=loose,ro root /lower || echo "boot: no root"
\$b mount -t $([ -n "${DISK:-}" ] && echo ext4 /dev/vda || echo tmpfs tmpfs) /layer || echo "boot: no layer"; \$b mkdir -p /layer/upper /layer/work
\$b mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work overlay /new || echo "boot: no overlay"
\$b mkdir -p /new/out; \$b mount -t 9p -o \$options out /new/out || echo "boot: no folder for results"
for m in dev proc sys; do \$b mount --move /\$m /new/\$m; done
export INIT=$(printf %q "${INIT:-}")
exec \$b switch_root /new /bin/bash $(printf %q "$HERE/guest.sh") $(cat "$WORK/arguments")
END
chmod 755 "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$WORK/initrd.gz"

accelerator=(-accel tcg,thread=multi)
[ -z "${ICOUNT:-}" ] || accelerator=(-accel tcg,thread=single -icount "$ICOUNT")
rm -f "$OUT/status" "$OUT/pid"
# this machine goes on when QEMU is killed: what it was given to write needs no fsync
disk=()
[ -z "${DISK:-}" ] || disk=(-drive "file=$DISK,format=raw,if=virtio,cache=unsafe")
: > "$WORK/console"
timeout "${SECONDS_MAX:-600}" qemu-system-x86_64 "${accelerator[@]}" -cpu max -smp "${SMP:-1}" -m "${MEMORY:-2G}" \
    -kernel "$(find "$KERNEL/" -name 'vmlinuz*' -print -quit)" -initrd "$WORK/initrd.gz" \
    -append "console=ttyS0 quiet panic=-1 no_timer_check apparmor=0 mitigations=off ${APPEND:-}" -nographic -no-reboot -nic none \
    -pidfile "$OUT/pid" "${disk[@]}" \
    -virtfs "local,path=/,security_model=none,readonly=on,mount_tag=root,multidevs=remap" \
    -virtfs "local,path=$OUT,security_model=none,mount_tag=out" < /dev/null > "$WORK/console" 2>&1 &
QEMU=$!
# the console, as it comes, from where the script begins
tail -n +1 -f --pid "$QEMU" -s 0.2 "$WORK/console" 2> /dev/null |
    if [ -n "${VERBOSE:-}" ]; then cat; else sed -un 's/\r//g; /^GUEST-BEGIN/,/^GUEST-END/{/^GUEST-/!p}'; fi
wait "$QEMU"
QEMU=
cp "$WORK/console" "$OUT/console"
if [ ! -s "$OUT/status" ]; then
    echo "boot: the guest $RELEASE did not finish; the end of its console:" >&2
    tail -15 "$WORK/console" >&2
    exit 125
fi
exit "$(cat "$OUT/status")"
