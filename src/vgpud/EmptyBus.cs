using Vgpu.Bus;

namespace Vgpu.Daemon;

/// <summary>A bus of a machine without a parent: nothing can be made on it.</summary>
internal sealed class EmptyBus : IBus
{
    public event Action<BusEvent>? Happened
    {
        add { }
        remove { }
    }

    public IReadOnlyList<ParentView> Parents() => [];

    public IReadOnlyList<InstanceView> Instances() => [];

    public InstanceView Find(string nameOrUuid) => throw None(nameOrUuid);

    public InstanceView Create(CreateRequest request) => throw new BusException(BusError.NotFound, $"there is no parent '{request.Parent}', as this build has none");

    public InstanceView Set(string nameOrUuid, IReadOnlyDictionary<string, string?> settings) => throw None(nameOrUuid);

    public InstanceView Start(string nameOrUuid) => throw None(nameOrUuid);

    public void Stop(string nameOrUuid) => throw None(nameOrUuid);

    public InstanceView Upgrade(string nameOrUuid) => throw None(nameOrUuid);

    public void Remove(string nameOrUuid, bool force) => throw None(nameOrUuid);

    public IReadOnlyList<BusEvent> Events(long after) => [];

    private static BusException None(string nameOrUuid) => new(BusError.NotFound, $"there is no instance '{nameOrUuid}'");
}
