# shellcheck shell=bash
# Sourced: build_product puts the command line, the daemon and its viewers into artifacts/vgpu, when a source is newer than the last build.
# Needs $VGPU_HOME.

require_dotnet() {
    if ! command -v dotnet >/dev/null 2>&1; then
        echo "vgpu: the .NET 10 SDK is missing; install it (package dotnet-sdk-10.0) and put dotnet on PATH" >&2
        exit 1
    fi
}

# publish_all FOLDER   one build for what the programs are made of; the rooms that they share are the same files in the folder.
publish_all() {
    dotnet publish "$VGPU_HOME/src/vgpuview/vgpuview.csproj" -c Release -o "$1" --nologo -v quiet &&
        dotnet publish "$VGPU_HOME/src/vgpud/vgpud.csproj" -c Release -o "$1" --nologo -v quiet &&
        dotnet publish "$VGPU_HOME/src/vgpu/vgpu.csproj" -c Release -o "$1" --nologo -v quiet
}

build_product() {
    require_dotnet
    local output=$VGPU_HOME/artifacts/vgpu stamp=$VGPU_HOME/artifacts/vgpu/.built
    if [ -e "$stamp" ] && [ -z "$(find "$VGPU_HOME/src" "$VGPU_HOME"/Directory.*.props -newer "$stamp" \
        \( -name '*.cs' -o -name '*.csproj' -o -name '*.props' -o -name openapi.json -o -path '*/page/*' \) -not -path '*/obj/*' -print -quit)" ]; then
        return
    fi
    # The console's picture of a screen; the rest is built without it where it can't be had, which is said.
    "$VGPU_HOME/eng/npm" novnc "$VGPU_HOME/src/Vgpu.Viewers.Web/novnc" || true
    echo "vgpu: building" >&2
    mkdir -p "$VGPU_HOME/artifacts"
    (
        flock 9
        if ! publish_all "$output" >"$VGPU_HOME/artifacts/build.log" 2>&1; then
            grep -E 'error' "$VGPU_HOME/artifacts/build.log" | sort -u | head -20 >&2 || true
            echo "vgpu: the build failed; all of it is in artifacts/build.log" >&2
            exit 1
        fi
        touch "$stamp"
    ) 9>"$VGPU_HOME/artifacts/.lock"
}
