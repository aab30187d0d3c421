# shellcheck shell=bash
# QEMU with vfio-user-pci: the system's own where it will do, else Debian's backport in a tree of its own,
# run through that tree's dynamic loader. No chroot: QEMU sees the host's files and needs no root.

QEMU_LEAST=10.1
QEMU_SUITE=$DEBIAN_SUITE-backports

# qemu_will_do FILE   is it new enough, and does it know vfio-user-pci?
qemu_will_do() {
    local version
    version=$("$1" --version 2>/dev/null | sed -n '1s/^QEMU emulator version \([0-9.]*\).*/\1/p') || return 1
    [[ -n $version && $(printf '%s\n' "$QEMU_LEAST" "$version" | sort -V | head -n 1) == "$QEMU_LEAST" ]] || return 1
    "$1" -device help 2>/dev/null | grep -q '"vfio-user-pci"'
}

qemu_missing() {
    [[ -x $VGPU_CACHE/bin/qemu-system-x86_64 ]] || { echo "QEMU: not set up"; return; }
    stamp_is qemu "$1" || { echo "QEMU: out of date"; return; }
    "$VGPU_CACHE/bin/qemu-system-x86_64" --version >/dev/null 2>&1 || echo "QEMU: set up, but does not run"
}

qemu_make() {
    local system
    mkdir -p "$VGPU_CACHE/bin"
    stamp_drop qemu
    if system=$(command -v qemu-system-x86_64) && qemu_will_do "$system"; then
        rm -rf "$VGPU_CACHE/qemu"
        ln -sfn "$system" "$VGPU_CACHE/bin/qemu-system-x86_64"
        say "QEMU: the system's own, $system"
    else
        qemu_unpack
        qemu_will_do "$VGPU_CACHE/bin/qemu-system-x86_64" ||
            die "QEMU was unpacked but has no vfio-user-pci; remove $VGPU_CACHE/qemu and run eng/setup again"
    fi
    stamp_put qemu "$1"
}

qemu_unpack() {
    local new=$VGPU_WORK/qemu.new
    debian_open
    debian_fetch "QEMU $(debian_version qemu-system-x86 "$QEMU_SUITE")" \
        with-needs "$QEMU_SUITE" qemu-system-x86 seabios
    step "unpacking QEMU" debian_unpack "$new" --exclude='./usr/lib/x86_64-linux-gnu/security' \
        './usr/lib64/*' './usr/lib/x86_64-linux-gnu/*' ./usr/bin/qemu-system-x86_64 \
        './usr/share/seabios/*' './usr/share/qemu/efi-*' './usr/share/qemu/pxe-*' './usr/share/qemu/keymaps' \
        './usr/share/qemu/*kvm*' './usr/share/qemu/*boot_dma.bin' ./usr/share/qemu/pvh.bin \
        './usr/lib/ipxe/*'
    qemu_wrapper >"$VGPU_WORK/wrapper.new"
    chmod +x "$VGPU_WORK/wrapper.new"
    swap_in "$new" "$VGPU_CACHE/qemu"
    mv -f "$VGPU_WORK/wrapper.new" "$VGPU_CACHE/bin/qemu-system-x86_64"
}

# The wrapper execs, so that its process id and signals are QEMU's own.
qemu_wrapper() {
    cat <<'WRAPPER'
#!/bin/sh
# Runs the QEMU of the tree beside it with that tree's libraries, modules and firmware.
root=$(dirname "$(dirname "$(readlink -f "$0")")")/qemu
export QEMU_MODULE_DIR="$root/usr/lib/x86_64-linux-gnu/qemu"
exec "$root/usr/lib64/ld-linux-x86-64.so.2" --argv0 qemu-system-x86_64 \
    --library-path "$root/usr/lib/x86_64-linux-gnu" "$root/usr/bin/qemu-system-x86_64" \
    -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
WRAPPER
}
