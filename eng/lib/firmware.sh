# shellcheck shell=bash
# Firmware that tests and guests name by path: OVMF, and the option ROM of the bochs display.

firmware_missing() {
    local file
    for file in OVMF_CODE.fd OVMF_VARS.fd vgabios-bochs-display.bin; do
        [[ -s $VGPU_CACHE/firmware/$file ]] || echo "firmware/$file: not set up"
    done
    stamp_is firmware "$1" || echo "firmware: out of date"
}

firmware_make() {
    local new=$VGPU_WORK/firmware.new tree=$VGPU_WORK/firmware-tree.new
    stamp_drop firmware
    debian_open
    debian_fetch "firmware" alone "$DEBIAN_SUITE-backports" ovmf seabios
    step "unpacking firmware" debian_unpack "$tree" './usr/share/OVMF/*_4M.fd' './usr/share/seabios/vgabios-*'
    mkdir -p "$new"
    mv "$tree/usr/share/OVMF/OVMF_CODE_4M.fd" "$new/OVMF_CODE.fd"
    mv "$tree/usr/share/OVMF/OVMF_VARS_4M.fd" "$new/OVMF_VARS.fd"
    mv "$tree/usr/share/seabios/vgabios-bochs-display.bin" "$new/"
    swap_in "$new" "$VGPU_CACHE/firmware"
    rm -rf "$tree"
    stamp_put firmware "$1"
}
