# shellcheck shell=bash
# A sample of piglit, the tests of OpenGL that Mesa's own people run, for the guest: initrd-piglit.img, on top of initrd-gl.img.
# Debian's package has 38,000 tests in 2 GB; guest/piglit/tests names those taken, spread evenly over its folders, that need
# no argument, no window, no file of piglit's source and less than two minutes.

# Beside Mesa's, which the image has: what piglit's programs are linked with.
PIGLIT_LIBRARIES=(libwaffle-1-0 libwayland-client0 libwayland-server0 libwayland-egl1 libx11-6 libxcb-dri2-0 libxcb1 libxau6 libxdmcp6
    libxkbcommon0 libvulkan1 ocl-icd-libopencl1 libgl1 libglvnd0 libglx0 libopengl0)

piglit_missing() {
    [[ -s $VGPU_CACHE/guest/initrd-piglit.img ]] || { echo "guest/initrd-piglit.img: not set up (--with piglit)"; return; }
    stamp_is guest-piglit "$1" || echo "guest/initrd-piglit.img: out of date"
}

# piglit_make HASH   needs initrd-gl.img.
piglit_make() {
    local tree=$VGPU_WORK/piglit.new folder=./usr/lib/x86_64-linux-gnu/piglit
    stamp_drop guest-piglit
    debian_open
    debian_fetch "piglit" alone "$DEBIAN_SUITE" piglit
    sed "s|^|$folder/|" "$VGPU_SOURCE/guest/piglit/tests" >"$VGPU_WORK/piglit.members.new"
    step "unpacking a sample of piglit" debian_unpack "$tree" --files-from="$VGPU_WORK/piglit.members.new" "$folder/lib/*" "$folder/bin/shader_runner"
    debian_fetch "piglit's libraries" alone "$DEBIAN_SUITE" "${PIGLIT_LIBRARIES[@]}"
    step "unpacking piglit's libraries" debian_unpack "$tree" './usr/lib/x86_64-linux-gnu/*'
    mkdir -p "$tree/usr/bin"
    install -m 755 "$VGPU_SOURCE/guest/piglit/piglit-sample" "$tree/usr/bin/piglit-sample"
    install -m 644 "$VGPU_SOURCE/guest/piglit/tests" "$tree/$folder/sample"
    step "making the guest's image with piglit" piglit_pack "$tree"
    rm -rf "$tree"
    stamp_put guest-piglit "$1"
}

piglit_pack() {
    local guest=$VGPU_CACHE/guest
    guest_pack "$guest/tree/bin/busybox" "$1" "$VGPU_WORK/piglit.img"
    cat "$guest/initrd-gl.img" "$VGPU_WORK/piglit.img" >"$guest/initrd-piglit.img.new"
    rm "$VGPU_WORK/piglit.img"
    mv "$guest/initrd-piglit.img.new" "$guest/initrd-piglit.img"
}
