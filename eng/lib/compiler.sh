# shellcheck shell=bash
# The host's C compiler and static C library, for the guest's test programs, and what tests ask besides: edid-decode, mdevctl and FUSE for
# the tree, curl and systemd-analyze for the daemon, the encoders' libraries with their headers and what decodes their pictures,
# VNC viewers with a display of their own, Xvnc for the bench, virglrenderer with Mesa's EGL, and a libvirtd that is never started but by
# them (with its virsh; no service, no network). The DRM headers, which Debian ships with libdrm, are fetched beside (eng/lib/guest.sh).

COMPILER_PACKAGES=(gcc libc6-dev linux-libc-dev edid-decode mdevctl libfuse3-3 fuse3 curl systemd
    libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients
    tigervnc-viewer tigervnc-standalone-server gvncviewer vncsnapshot xvfb imagemagick xdotool
    libturbojpeg0 libopenh264-7 libopenh264-dev libx264-164 libx264-dev ffmpeg libjpeg-turbo-progs
    libspice-server1 libspice-server-dev spice-client-gtk virt-viewer openssl chromium nodejs
    libvirglrenderer1 libegl1 libegl-mesa0 libgl1 libgl1-mesa-dri)

compiler_missing() {
    compiler_works || echo "build tools: missing (eng/setup --with build-tools installs ${COMPILER_PACKAGES[*]})"
}

compiler_works() {
    # A user's PATH may lack the administrator's folders.
    local PATH=$PATH:/usr/sbin
    local tool
    for tool in gcc edid-decode mdevctl fusermount3 curl systemd-analyze libvirtd virsh \
        xtigervncviewer Xtigervnc gvnccapture vncsnapshot Xvfb import xdotool ffmpeg ffprobe djpeg \
        spicy-screenshot remote-viewer openssl chromium node; do
        command -v $tool >/dev/null || return 1
    done
    [[ -f /usr/include/x264.h && -f /usr/include/wels/codec_api.h && -f /usr/include/spice-server/spice.h ]] || return 1
    [[ $(ldconfig -p) == *libvirglrenderer.so.1* && $(ldconfig -p) == *libEGL_mesa.so.0* ]] || return 1
    printf '#include <linux/fb.h>\n#include <stdio.h>\nint main(void) { return 0; }\n' |
        gcc -static -x c -o /dev/null - 2>/dev/null
}

compiler_make() {
    ! compiler_works || return 0
    local as=()
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || die "build tools need root; run: sudo apt-get install ${COMPILER_PACKAGES[*]}"
        as=(sudo -n)
    fi
    step "reading the package lists" "${as[@]}" apt-get -q update
    step "installing ${COMPILER_PACKAGES[*]}" "${as[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends --no-upgrade install "${COMPILER_PACKAGES[@]}"
    compiler_works || die "gcc still builds no static program, or a tool is missing; run: apt-get install --reinstall ${COMPILER_PACKAGES[*]}"
}
