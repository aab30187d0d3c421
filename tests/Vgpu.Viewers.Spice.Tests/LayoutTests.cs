using Vgpu.Testing;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>The structures against the library's own headers, as its compiler lays them out.</summary>
public sealed unsafe class LayoutTests
{
    private const string Program = """
        #include <stdio.h>
        #include <stddef.h>
        #include <spice.h>
        #include <spice/enums.h>
        int main(void)
        {
            printf("%zu %zu %zu %zu %zu %zu %zu %zu\n", sizeof(SpiceCoreInterface), sizeof(SpiceKbdInterface), sizeof(SpiceTabletInterface), sizeof(SpiceCharDeviceInterface),
                   sizeof(QXLInterface), sizeof(QXLDevInitInfo), sizeof(QXLDevMemSlot), sizeof(QXLDevSurfaceCreate));
            printf("%zu %zu %zu %zu %zu %zu %zu %zu %zu\n", sizeof(QXLDrawable), sizeof(QXLImage), sizeof(QXLCursorCmd), sizeof(QXLCursor), sizeof(QXLCommandExt), sizeof(QXLReleaseInfoExt),
                   sizeof(SpiceCharDeviceInstance), sizeof(VDAgentMonitorsConfig), sizeof(VDAgentMonConfig));
            printf("%zu %zu %zu %zu %zu %zu\n", offsetof(QXLDrawable, bbox), offsetof(QXLDrawable, surfaces_dest), offsetof(QXLDrawable, u.copy.src_bitmap), offsetof(QXLDrawable, u.copy.src_area),
                   offsetof(QXLDrawable, u.copy.rop_descriptor), offsetof(QXLDrawable, surface_id));
            printf("%zu %zu %zu %zu\n", offsetof(QXLImage, bitmap.format), offsetof(QXLImage, bitmap.x), offsetof(QXLImage, bitmap.stride), offsetof(QXLImage, bitmap.data));
            printf("%zu %zu %zu %zu\n", offsetof(QXLCursorCmd, u.set.position), offsetof(QXLCursorCmd, u.set.visible), offsetof(QXLCursorCmd, u.set.shape), offsetof(QXLCursor, chunk));
            printf("%zu %zu %zu\n", offsetof(QXLInterface, get_command), offsetof(QXLInterface, client_monitors_config), offsetof(QXLDevSurfaceCreate, mem));
            return 0;
        }
        """;

    [Fact]
    public void Structures_are_as_the_librarys_compiler_lays_them_out()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("sizes.c"), Program);
        (int status, string output) = Shell.Run("gcc", "-w", "-I/usr/include/spice-server", "-I/usr/include/spice-1", "-o", folder.File("sizes"), folder.File("sizes.c"));
        Assert.True(status == 0, output);
        (_, string sizes) = Shell.Run(folder.File("sizes"));

        Assert.Equal(Ours(), sizes);
    }

    private static string Ours()
    {
        QXLDrawable drawable = default;
        QXLImage image = default;
        QXLCursorCmd command = default;
        QXLCursor cursor = default;
        QXLInterface table = default;
        QXLDevSurfaceCreate surface = default;
        return Line(sizeof(SpiceCoreInterface), sizeof(SpiceKbdInterface), sizeof(SpiceTabletInterface), sizeof(SpiceCharDeviceInterface), sizeof(QXLInterface), sizeof(QXLDevInitInfo), sizeof(QXLDevMemSlot), sizeof(QXLDevSurfaceCreate))
            + Line(sizeof(QXLDrawable), sizeof(QXLImage), sizeof(QXLCursorCmd), sizeof(QXLCursor), sizeof(QXLCommandExt), sizeof(QXLReleaseInfoExt), sizeof(SpiceCharDeviceInstance), sizeof(VDAgentMonitorsConfig), sizeof(VDAgentMonConfig))
            + Line(At(&drawable, &drawable.Box), At(&drawable, &drawable.SurfacesDest0), At(&drawable, &drawable.SourceBitmap), At(&drawable, &drawable.SourceArea), At(&drawable, &drawable.RopDescriptor), At(&drawable, &drawable.SurfaceId))
            + Line(At(&image, &image.BitmapFormat), At(&image, &image.BitmapX), At(&image, &image.BitmapStride), At(&image, &image.BitmapData))
            + Line(At(&command, &command.X), At(&command, &command.IsVisible), At(&command, &command.Shape), At(&cursor, &cursor.ChunkSize))
            + Line(At(&table, &table.GetCommand), At(&table, &table.ClientMonitorsConfig), At(&surface, &surface.Mem));
    }

    private static int At(void* start, void* field) => (int)((byte*)field - (byte*)start);

    private static string Line(params int[] numbers) => string.Join(' ', numbers) + "\n";
}
