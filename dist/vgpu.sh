#!/bin/sh
# /usr/bin/vgpu
exec /usr/bin/dotnet /usr/lib/vgpu/vgpu.dll "$@"
