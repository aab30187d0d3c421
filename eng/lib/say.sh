# shellcheck shell=bash
# Progress and errors: one short line per step, the noise in a log.

say() { printf 'vgpu: %s\n' "$*" >&2; }

# die WHAT-IS-WRONG-AND-WHAT-MENDS-IT
die() {
    printf 'vgpu: %s\n' "$*" >&2
    exit 1
}

# step TEXT COMMAND...   one line: the text, then the seconds it took.
# While it runs on a terminal, the line counts; VGPU_STEP_DIR names a folder whose growth is shown in MB,
# of VGPU_STEP_MB where that is known.
step() {
    local text=$1 begun=$SECONDS ticker=
    shift
    printf 'vgpu: %s …' "$text" >&2
    if [[ -t 2 ]]; then
        step_ticker "$text" &
        ticker=$!
    fi
    # The command must run outside a condition, or errexit is off within it.
    local status=0
    set +e
    (set -e; "$@") >>"$VGPU_LOG" 2>&1 </dev/null
    status=$?
    set -e
    if [[ -n $ticker ]]; then
        kill "$ticker" 2>/dev/null || true
        wait "$ticker" 2>/dev/null || true
        printf '\r\033[Kvgpu: %s …' "$text" >&2
    fi
    if ((status != 0)); then
        printf ' failed\n' >&2
        local why
        why=$(grep -E '^(E: |vgpu: |.*[Ee]rror)' "$VGPU_LOG" | tail -n 1) || true
        die "${why:-no reason was given}; the whole of it is in $VGPU_LOG"
    fi
    printf ' %d s\n' $((SECONDS - begun)) >&2
}

step_ticker() {
    local begun=$SECONDS seen
    while sleep 1; do
        if [[ -n ${VGPU_STEP_DIR:-} ]]; then
            seen=$(du -sm "$VGPU_STEP_DIR" 2>/dev/null | cut -f1)
            printf '\r\033[Kvgpu: %s … %d s, %d%s MB' "$1" $((SECONDS - begun)) \
                "${seen:-0}" "${VGPU_STEP_MB:+ of $VGPU_STEP_MB}" >&2
        else
            printf '\r\033[Kvgpu: %s … %d s' "$1" $((SECONDS - begun)) >&2
        fi
    done
}
