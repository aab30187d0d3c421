namespace Vgpu.Gpus.Shares;

/// <summary>How a vGPU shares its parent's GPU with the others; names and numbers are NVML's (NVML_VGPU_SCHEDULER_POLICY_*).</summary>
public enum SharePolicy : byte
{
    /// <summary>Nothing is promised. Where all vGPUs of the parent are so, nobody takes turns and the host's driver decides.</summary>
    BestEffort = 1,

    /// <summary>As much as each other that wants to run; what one leaves goes to those that do.</summary>
    EqualShare = 2,

    /// <summary>So many sixteenths of the GPU's time as its weight, never more, whatever the others do.</summary>
    FixedShare = 3,
}
