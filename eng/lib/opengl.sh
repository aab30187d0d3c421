# shellcheck shell=bash
# QEMU with the OpenGL of its own suite: the peer of ./bench/run acceleration, a tree of its own, run through that tree's loader.
# QEMU shows it on an X server (sdl,gl=on): without a render node its other displays have no OpenGL.

OPENGL_SUITE=$DEBIAN_SUITE-backports
OPENGL_PACKAGES=(qemu-system-x86 qemu-system-modules-opengl qemu-system-gui seabios libvirglrenderer1
    libegl-mesa0 libgl1-mesa-dri libglx-mesa0 libgl1 libegl1)

opengl_missing() {
    stamp_is qemu-opengl "$1" || echo "QEMU with OpenGL: not set up"
}

opengl_make() {
    local new=$VGPU_WORK/opengl.new
    stamp_drop qemu-opengl
    debian_open
    debian_fetch "QEMU $(debian_version qemu-system-x86 "$OPENGL_SUITE") with Mesa $(debian_version libegl-mesa0 "$OPENGL_SUITE")" \
        with-needs "$OPENGL_SUITE" "${OPENGL_PACKAGES[@]}"
    step "unpacking QEMU with OpenGL" debian_unpack "$new" --exclude='./usr/lib/x86_64-linux-gnu/security' \
        './usr/lib64/*' './usr/lib/x86_64-linux-gnu/*' ./usr/bin/qemu-system-x86_64 \
        './usr/share/seabios/*' './usr/share/qemu/keymaps' './usr/share/qemu/*kvm*' './usr/share/qemu/*boot_dma.bin' ./usr/share/qemu/pvh.bin \
        './usr/share/qemu/efi-*' './usr/share/qemu/vgabios*' './usr/lib/ipxe/*' './usr/share/drirc.d/*' './usr/share/glvnd/*'
    printf '%s\n' "$(debian_version libvirglrenderer1 "$OPENGL_SUITE")" "$(debian_version libegl-mesa0 "$OPENGL_SUITE")" >"$new/versions"
    swap_in "$new" "$VGPU_CACHE/qemu-opengl"
    opengl_wrapper >"$VGPU_WORK/wrapper.new"
    chmod +x "$VGPU_WORK/wrapper.new"
    mv -f "$VGPU_WORK/wrapper.new" "$VGPU_CACHE/bin/qemu-opengl"
    stamp_put qemu-opengl "$1"
}

# Everything that loads something by name is told where: the host's Mesa is another, for another C library.
opengl_wrapper() {
    cat <<'WRAPPER'
#!/bin/sh
# Runs the QEMU of the tree beside it with that tree's libraries, modules, firmware and Mesa.
root=$(dirname "$(dirname "$(readlink -f "$0")")")/qemu-opengl
lib="$root/usr/lib/x86_64-linux-gnu"
export QEMU_MODULE_DIR="$lib/qemu" LIBGL_DRIVERS_PATH="$lib/dri" GBM_BACKENDS_PATH="$lib/gbm" \
    __EGL_VENDOR_LIBRARY_DIRS="$root/usr/share/glvnd/egl_vendor.d" __GLX_VENDOR_LIBRARY_NAME=mesa DRIRC_CONFIGDIR="$root/usr/share/drirc.d"
exec "$root/usr/lib64/ld-linux-x86-64.so.2" --argv0 qemu-system-x86_64 --library-path "$lib:$lib/pulseaudio" "$root/usr/bin/qemu-system-x86_64" \
    -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
WRAPPER
}
