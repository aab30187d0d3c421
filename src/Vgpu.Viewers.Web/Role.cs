namespace Vgpu.Viewers.Web;

/// <summary>What somebody may do.</summary>
internal enum Role
{
    View,

    /// <summary>Look, type, and ask for another size.</summary>
    Full,
}
