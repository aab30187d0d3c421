using System.Runtime.InteropServices;
using Vgpu.Host.Codecs.Interop;
using Vgpu.Testing;

namespace Vgpu.Host.Codecs.Tests;

/// <summary>Our structs against the libraries' headers, by a program that gcc builds of them.</summary>
public sealed class LayoutTests
{
    [Fact]
    public void X264s_structs_are_its_headers() =>
        AssertLayouts("#include <x264.h>", typeof(X264.x264_param_t), typeof(X264.x264_picture_t), typeof(X264.x264_nal_t));

    [Fact]
    public void Openh264s_structs_are_its_headers() => AssertLayouts(
        "#include <wels/codec_api.h>",
        typeof(OpenH264.SSpatialLayerConfig),
        typeof(OpenH264.SEncParamExt),
        typeof(OpenH264.SSourcePicture),
        typeof(OpenH264.SLayerBSInfo),
        typeof(OpenH264.SFrameBSInfo));

    private static void AssertLayouts(string include, params Type[] types)
    {
        using var folder = new TemporaryFolder();
        var ours = new List<string>();
        var program = new List<string> { "#include <stdio.h>", "#include <stddef.h>", "#include <stdint.h>", "#include <stdbool.h>", include, "int main(void) {" };
        foreach (Type type in types)
        {
            ours.Add($"{type.Name} {type.StructLayoutAttribute!.Size}");
            program.Add($"printf(\"{type.Name} %zu\\n\", sizeof({type.Name}));");
            foreach (System.Reflection.FieldInfo field in type.GetFields(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic))
            {
                string name = NativeName(type, field.Name);
                ours.Add($"{type.Name}.{name} {Marshal.OffsetOf(type, field.Name)}");
                program.Add($"printf(\"{type.Name}.{name} %zu\\n\", offsetof({type.Name}, {name}));");
            }
        }

        program.Add("return 0; }");
        File.WriteAllLines(folder.File("layout.c"), program);
        Assert.Equal((0, string.Empty), Shell.Run("gcc", "-o", folder.File("layout"), folder.File("layout.c")));
        (int status, string theirs) = Shell.Run(folder.File("layout"));
        Assert.Equal((0, string.Join('\n', ours) + "\n"), (status, theirs));
    }

    // Fields of C's inner structs and of arrays, of which we name the elements.
    private static string NativeName(Type type, string field) => field switch
    {
        "FirstSpatialLayer" => "sSpatialLayers",
        "FirstLayer" => "sLayerInfo",
        "Y" or "U" or "V" => $"{(type == typeof(X264.x264_picture_t) ? "img.plane" : "pData")}[{"YUV".IndexOf(field[0], StringComparison.Ordinal)}]",
        _ when field.StartsWith("vui_", StringComparison.Ordinal) => "vui." + field[4..],
        _ when field.StartsWith("rc_", StringComparison.Ordinal) => "rc." + field[3..],
        _ when field.StartsWith("img_", StringComparison.Ordinal) => "img." + field[4..],
        _ => field,
    };
}
