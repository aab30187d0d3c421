using System.Runtime.InteropServices;
using System.Text;

namespace Vgpu.Testing;

/// <summary>A guest's commands as Mesa's virgl driver writes them: words, a header before each command (virgl_protocol.h).</summary>
public sealed class CommandStream
{
    public const uint VIRGL_CCMD_CREATE_OBJECT = 1;
    public const uint VIRGL_CCMD_BIND_OBJECT = 2;
    public const uint VIRGL_CCMD_SET_VIEWPORT_STATE = 4;
    public const uint VIRGL_CCMD_SET_FRAMEBUFFER_STATE = 5;
    public const uint VIRGL_CCMD_SET_VERTEX_BUFFERS = 6;
    public const uint VIRGL_CCMD_CLEAR = 7;
    public const uint VIRGL_CCMD_DRAW_VBO = 8;
    public const uint VIRGL_CCMD_RESOURCE_INLINE_WRITE = 9;
    public const uint VIRGL_CCMD_BIND_SHADER = 31;
    public const uint VIRGL_OBJECT_BLEND = 1;
    public const uint VIRGL_OBJECT_RASTERIZER = 2;
    public const uint VIRGL_OBJECT_DSA = 3;
    public const uint VIRGL_OBJECT_SHADER = 4;
    public const uint VIRGL_OBJECT_VERTEX_ELEMENTS = 5;
    public const uint VIRGL_OBJECT_SURFACE = 8;
    private const uint PIPE_CLEAR_COLOR0 = 1 << 2;
    private const uint VIRGL_FORMAT_R32G32B32A32_FLOAT = 31;
    private const uint PIPE_PRIM_TRIANGLES = 4;

    private readonly List<uint> _words = [];

    public byte[] Bytes => MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_words)).ToArray();

    public CommandStream Add(uint command, uint type, params ReadOnlySpan<uint> payload)
    {
        _words.Add(command | (type << 8) | ((uint)payload.Length << 16));
        _words.AddRange(payload);
        return this;
    }

    /// <summary>Draws into the resource's first level from now on.</summary>
    public CommandStream Target(uint surface, uint resource, uint format) =>
        Add(VIRGL_CCMD_CREATE_OBJECT, VIRGL_OBJECT_SURFACE, surface, resource, format, 0, 0)
            .Add(VIRGL_CCMD_SET_FRAMEBUFFER_STATE, 0, 1, 0, surface);

    public CommandStream Clear(float red, float green, float blue, float alpha) =>
        Add(VIRGL_CCMD_CLEAR, 0, PIPE_CLEAR_COLOR0, Word(red), Word(green), Word(blue), Word(alpha), 0, 0, 0);

    /// <summary>State and shaders to fill triangles of one colour with; numbers of objects from 100 on.</summary>
    public CommandStream Pipeline(uint width, uint height, string colour) =>
        PipelineOf(width, height, $"FRAG\nDCL OUT[0], COLOR\nIMM[0] FLT32 {{ {colour} }}\n  0: MOV OUT[0], IMM[0]\n  1: END\n");

    /// <summary>The same with a shader that goes through its loop as often as a renderer lets it, for each pixel.</summary>
    public CommandStream EndlessPipeline(uint width, uint height) => PipelineOf(
        width,
        height,
        "FRAG\nDCL OUT[0], COLOR\nDCL TEMP[0..1]\nIMM[0] FLT32 { 1.0, 0.5, 1000000000.0, 0.0 }\n"
        + "  0: MOV TEMP[0], IMM[0].wwww\n  1: BGNLOOP\n  2: SGE TEMP[1].x, TEMP[0].xxxx, IMM[0].zzzz\n  3: IF TEMP[1].xxxx\n  4: BRK\n  5: ENDIF\n"
        + "  6: ADD TEMP[0], TEMP[0], IMM[0].xxxx\n  7: ENDLOOP\n  8: MOV OUT[0], TEMP[0]\n  9: END\n");

    private CommandStream PipelineOf(uint width, uint height, string fragment)
    {
        const uint AllColours = 0xfu << 27;
        const uint DepthClipAndPixelCentres = (1u << 1) | (1u << 29);
        Add(VIRGL_CCMD_CREATE_OBJECT, VIRGL_OBJECT_BLEND, 100, 0, 0, AllColours, AllColours, AllColours, AllColours, AllColours, AllColours, AllColours, AllColours);
        Add(VIRGL_CCMD_BIND_OBJECT, VIRGL_OBJECT_BLEND, 100);
        Add(VIRGL_CCMD_CREATE_OBJECT, VIRGL_OBJECT_RASTERIZER, 101, DepthClipAndPixelCentres, Word(1), 0, 0, Word(1), 0, 0, 0);
        Add(VIRGL_CCMD_BIND_OBJECT, VIRGL_OBJECT_RASTERIZER, 101);
        Add(VIRGL_CCMD_CREATE_OBJECT, VIRGL_OBJECT_DSA, 102, 0, 0, 0, 0);
        Add(VIRGL_CCMD_BIND_OBJECT, VIRGL_OBJECT_DSA, 102);
        Add(VIRGL_CCMD_CREATE_OBJECT, VIRGL_OBJECT_VERTEX_ELEMENTS, 103, 0, 0, 0, VIRGL_FORMAT_R32G32B32A32_FLOAT);
        Add(VIRGL_CCMD_BIND_OBJECT, VIRGL_OBJECT_VERTEX_ELEMENTS, 103);
        Shader(104, 0, "VERT\nDCL IN[0]\nDCL OUT[0], POSITION\n  0: MOV OUT[0], IN[0]\n  1: END\n");
        Shader(105, 1, fragment);
        return Add(VIRGL_CCMD_SET_VIEWPORT_STATE, 0, 0, Word(width / 2f), Word(height / 2f), Word(0.5f), Word(width / 2f), Word(height / 2f), Word(0.5f));
    }

    /// <summary>A rectangle in clip coordinates, by a buffer that has room for six vertices.</summary>
    public CommandStream Fill(uint buffer, float left, float top, float right, float bottom)
    {
        const int VertexBytes = 16;
        const int Vertices = 6;
        float[] corners = [left, top, right, top, right, bottom, left, top, right, bottom, left, bottom];
        uint[] inline = new uint[11 + (Vertices * 4)];
        inline[0] = buffer;
        inline[8] = Vertices * VertexBytes;
        inline[9] = 1;
        inline[10] = 1;
        for (int i = 0; i < Vertices; i++)
        {
            inline[11 + (4 * i)] = Word(corners[2 * i]);
            inline[12 + (4 * i)] = Word(corners[(2 * i) + 1]);
            inline[14 + (4 * i)] = Word(1);
        }

        return Add(VIRGL_CCMD_RESOURCE_INLINE_WRITE, 0, inline)
            .Add(VIRGL_CCMD_SET_VERTEX_BUFFERS, 0, VertexBytes, 0, buffer)
            .Add(VIRGL_CCMD_DRAW_VBO, 0, 0, Vertices, PIPE_PRIM_TRIANGLES, 0, 1, 0, 0, 0, 0, 0, Vertices - 1, 0);
    }

    private static uint Word(float value) => BitConverter.SingleToUInt32Bits(value);

    private void Shader(uint handle, uint type, string text)
    {
        const uint MostTokens = 300;
        int bytes = Encoding.ASCII.GetByteCount(text) + 1;
        byte[] padded = new byte[(bytes + 3) / 4 * 4];
        Encoding.ASCII.GetBytes(text, padded);
        Add(VIRGL_CCMD_CREATE_OBJECT, VIRGL_OBJECT_SHADER, [handle, type, (uint)bytes, MostTokens, 0, .. MemoryMarshal.Cast<byte, uint>(padded)]);
        Add(VIRGL_CCMD_BIND_SHADER, 0, handle, type);
    }
}
