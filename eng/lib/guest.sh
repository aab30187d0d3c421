# shellcheck shell=bash
# The guest: Debian's stock kernel, and initial RAM file systems of busybox, the stock modules and guest/.
# initrd.img is for demos; initrd-test.img holds the programs of guest/*.c as well, and initrd-gl.img on top of those Debian's stock
# Mesa with programs that draw, Debian's and those of guest/gl (both: eng/setup --with build-tools).

# Modules by name; what they need comes along. Those compressed in the package are unpacked, for speed under TCG.
GUEST_MODULES=(virtio-gpu bochs virtio_input evdev uio_pci_generic)

guest_missing() {
    local file
    for file in vmlinuz initrd.img; do
        [[ -s $VGPU_CACHE/guest/$file ]] || echo "guest/$file: not set up"
    done
    stamp_is guest "$1" || echo "guest: out of date"
}

guest_make() {
    local new=$VGPU_WORK/guest.new kernel
    stamp_drop guest
    stamp_drop guest-test
    stamp_drop guest-gl
    debian_open
    kernel=$(debian_kernel)
    debian_fetch "the guest's kernel, ${kernel#linux-image-}" alone "$DEBIAN_SUITE" "$kernel" busybox-static
    step "making the guest's image" guest_build "$new"
    swap_in "$new" "$VGPU_CACHE/guest"
    stamp_put guest "$1"
}

guest_build() {
    local new=$1 tree=$1/tree busybox=$1/tree/bin/busybox packed release
    debian_unpack "$new/packages" './boot/vmlinuz-*' './usr/bin/busybox' './usr/lib/modules/*'
    release=$(basename "$new"/packages/usr/lib/modules/*)
    mv "$new/packages/boot/vmlinuz-$release" "$new/vmlinuz"
    mkdir -p "$tree"/{bin,dev,proc,sys,tmp,run,lib/modules}
    mv "$new/packages/usr/bin/busybox" "$busybox"
    "$busybox" --list | while read -r packed; do
        [[ $packed == busybox ]] || ln -s busybox "$tree/bin/$packed"
    done
    guest_modules "$new/packages/usr/lib/modules/$release" "$tree/lib/modules" "$busybox"
    install -m 755 "$VGPU_SOURCE/guest/init" "$tree/init"
    install -m 755 "$VGPU_SOURCE/guest/rebind" "$tree/bin/rebind"
    guest_pack "$busybox" "$tree" "$new/initrd.img"
    rm -rf "$new/packages"
}

# guest_modules FROM TO BUSYBOX   copies the modules, flat, with TO/order naming them in the order to load them.
guest_modules() {
    local from=$1 to=$2 busybox=$3 name
    declare -gA GUEST_SEEN=()
    : >"$to/order"
    for name in "${GUEST_MODULES[@]}"; do
        guest_module "$from" "$to" "$busybox" "$name"
    done
}

guest_module() {
    local from=$1 to=$2 busybox=$3 name=$4 file need
    [[ -z ${GUEST_SEEN[$name]:-} ]] || return 0
    GUEST_SEEN[$name]=1
    # Dependencies spell a module's name with underscores; files use either.
    file=$(find "$from/kernel" -name "${name//[-_]/[-_]}.ko*" | head -n 1)
    if [[ -z $file ]]; then
        # Built in: nothing to load.
        grep -q "/${name//[-_]/[-_]}\.ko$" "$from/modules.builtin" || { echo "vgpu: no module $name"; return 1; }
        return 0
    fi
    case $file in
        *.xz) "$busybox" xzcat "$file" >"$to/$name.ko" ;;
        *.ko) cp "$file" "$to/$name.ko" ;;
        *) echo "vgpu: the kernel's modules are packed in an unknown way: $file"; return 1 ;;
    esac
    while read -r need; do
        [[ -z $need ]] || guest_module "$from" "$to" "$busybox" "$need"
    done < <("$busybox" strings "$to/$name.ko" | sed -n 's/^depends=//p' | head -n 1 | tr , '\n')
    echo "$name.ko" >>"$to/order"
}

# guest_pack BUSYBOX TREE IMAGE   a newc archive owned by root, made without being root; unpacked, for speed.
guest_pack() {
    (cd "$2" && find . -mindepth 1 | LC_ALL=C sort | "$1" cpio -o -H newc -R 0:0) >"$3.new"
    mv "$3.new" "$3"
}

guest_test_missing() {
    [[ -s $VGPU_CACHE/guest/initrd-test.img ]] || { echo "guest/initrd-test.img: not set up (--with build-tools)"; return; }
    stamp_is guest-test "$1" || echo "guest/initrd-test.img: out of date"
}

# guest_test_make HASH   the programs, and the image that holds them.
guest_test_make() {
    local tree=$VGPU_WORK/guest-test.new
    stamp_drop guest-test
    compiler_make
    debian_open
    debian_fetch "DRM's headers" alone "$DEBIAN_SUITE" libdrm-dev
    step "unpacking DRM's headers" debian_unpack "$VGPU_WORK/headers.new" './usr/include/libdrm/*drm*.h'
    cp -a "$VGPU_CACHE/guest/tree" "$tree"
    step "building the guest's programs" guest_programs "$tree/bin"
    step "making the guest's test image" guest_pack "$tree/bin/busybox" "$tree" "$VGPU_CACHE/guest/initrd-test.img"
    rm -rf "$tree"
    stamp_put guest-test "$1"
}

guest_programs() {
    local source
    for source in "$VGPU_SOURCE"/guest/*.c; do
        gcc -static -O2 -s -Wall -Wextra -Werror -isystem "$VGPU_WORK/headers.new/usr/include/libdrm" \
            -o "$1/$(basename "${source%.c}")" "$source"
    done
}

# What draws in the guest, by name; what it needs comes along, and so does a C library that programs can share.
GUEST_GL=(libgl1-mesa-dri libegl1 libgles2 kmscube glmark2-es2-drm)

guest_gl_missing() {
    [[ -s $VGPU_CACHE/guest/initrd-gl.img ]] || { echo "guest/initrd-gl.img: not set up (--with build-tools)"; return; }
    stamp_is guest-gl "$1" || echo "guest/initrd-gl.img: out of date"
}

# guest_gl_make HASH   two archives one after the other, which a kernel unpacks over each other.
guest_gl_make() {
    local tree=$VGPU_WORK/guest-gl.new
    stamp_drop guest-gl
    stamp_drop guest-piglit
    debian_open
    debian_fetch "the guest's Mesa and ${GUEST_GL[*]:3}" with-needs "$DEBIAN_SUITE" "${GUEST_GL[@]}"
    step "unpacking the guest's Mesa" debian_unpack "$tree" --exclude='./usr/share/doc*' --exclude='./usr/share/locale' \
        --exclude='./usr/share/man' --exclude='./usr/share/iso-codes' --exclude='./usr/share/xml' './usr/bin/*' './usr/lib64/*' \
        './usr/lib/x86_64-linux-gnu/*' './usr/share/*'
    ln -s usr/lib64 "$tree/lib64"
    mkdir -p "$tree/lib"
    ln -s ../usr/lib/x86_64-linux-gnu "$tree/lib/x86_64-linux-gnu"
    debian_fetch "OpenGL ES's headers" alone "$DEBIAN_SUITE" libegl-dev libgles-dev libgl-dev
    step "unpacking OpenGL ES's headers" debian_unpack "$VGPU_WORK/gl-headers.new" './usr/include/*'
    step "building the guest's program that draws" guest_gl_programs "$tree/usr"
    step "making the guest's image that draws" guest_gl_pack "$tree"
    rm -rf "$tree"
    stamp_put guest-gl "$1"
}

# guest_gl_programs USR   against the libraries of the guest, whose C library the host's linker need not know.
guest_gl_programs() {
    local source lib=$1/lib/x86_64-linux-gnu
    for source in "$VGPU_SOURCE"/guest/gl/*.c; do
        gcc -O2 -s -Wall -Wextra -Werror -I "$VGPU_WORK/gl-headers.new/usr/include" -Wl,--allow-shlib-undefined \
            -o "$1/bin/$(basename "${source%.c}")" "$source" "$lib/libEGL.so.1" "$lib/libGLESv2.so.2" -lm
    done
}

guest_gl_pack() {
    local guest=$VGPU_CACHE/guest
    guest_pack "$guest/tree/bin/busybox" "$1" "$VGPU_WORK/mesa.img"
    cat "$guest/initrd-test.img" "$VGPU_WORK/mesa.img" >"$guest/initrd-gl.img.new"
    rm "$VGPU_WORK/mesa.img"
    mv "$guest/initrd-gl.img.new" "$guest/initrd-gl.img"
}
