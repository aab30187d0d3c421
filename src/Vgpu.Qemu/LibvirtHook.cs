using System.Xml.Linq;

namespace Vgpu.Qemu;

/// <summary>
/// What libvirt's hook for QEMU does for domains with vGPUs (libvirt's hooks.html): at <c>start begin</c> it starts or makes
/// them, at <c>release end</c> it stops those that it started, and it refuses what would lose their state.
/// </summary>
/// <remarks>
/// <c>start</c> and not <c>prepare</c>: only then does libvirt say whose process QEMU will be. libvirt calls <c>release</c> after
/// a crash of QEMU, after a start that failed in any way and for domains that ended while its daemon was away, but not where
/// that daemon is ended in between: the domain's next start then mends it.
/// </remarks>
/// <param name="vgpus">The vGPUs of this machine.</param>
/// <param name="folder">Where it is written down what domains have, a folder of its own below /run.</param>
public sealed class LibvirtHook(ILibvirtVgpus vgpus, string folder)
{
    private readonly LibvirtClaims _claims = new(folder);

    /// <summary>Does what one call of the hook is for. An operation that it has no part in is nothing.</summary>
    /// <param name="guest">The hook's first argument, the domain's name.</param>
    /// <param name="operation">The hook's second.</param>
    /// <param name="domainXml">The hook's standard input.</param>
    /// <exception cref="IOException">Its message is the line for the operator.</exception>
    public void Run(string guest, string operation, TextReader domainXml)
    {
        if (operation is not ("start" or "release" or "migrate" or "restore"))
        {
            return;
        }

        XElement domain = LibvirtXml.Read(domainXml);
        if (operation == "release")
        {
            Release(UuidOf(domain));
            return;
        }

        IReadOnlyList<LibvirtVgpu> wanted = LibvirtVgpu.ReadAll(domain);
        if (wanted.Count == 0)
        {
            return;
        }

        switch (operation)
        {
            case "migrate":
                throw new LibvirtDomainException($"the domain '{guest}' has a vGPU, whose state QEMU can't move; unplug it and take it out of the domain's metadata first, or shut the domain down and start it here");
            case "restore":
                throw new LibvirtDomainException($"the state that was saved of the domain '{guest}' has nothing of its vGPU, and its guest would hang; start it afresh, after 'virsh managedsave-remove {guest}' where it was saved so");
            default:
                Start(guest, domain, wanted);
                break;
        }
    }

    private static Guid UuidOf(XElement domain) =>
        Guid.TryParse((string?)domain.Element("uuid"), out Guid uuid) ? uuid : throw new LibvirtDomainException("the domain's XML has no uuid; this is what libvirt runs as a hook");

    // libvirt's own labels are numbers behind '+'; an operator's may be names.
    private static string? QemuOwner(XElement domain) =>
        domain.Elements("seclabel").FirstOrDefault(label => (string?)label.Attribute("model") == "dac")?.Element("label")?.Value.Replace("+", string.Empty, StringComparison.Ordinal) is { Length: > 0 } label
            ? label
            : null;

    private void Start(string guest, XElement domain, IReadOnlyList<LibvirtVgpu> wanted)
    {
        Guid uuid = UuidOf(domain);
        if (!LibvirtMemory.IsShared(domain))
        {
            throw new LibvirtDomainException($"the domain's memory is not shared, so that its vGPU would show nothing; mend it with: {MergeAnew(guest, wanted[0])}");
        }

        // What a libvirtd that was ended has left: the domain does not run now.
        Release(uuid);
        string?[] sockets = [.. LibvirtXml.Devices(domain).Select(device => LibvirtXml.VfioUserSocket(device.Device))];
        try
        {
            foreach (LibvirtVgpu vgpu in wanted)
            {
                HookedVgpu started = StartOne(vgpu, uuid, QemuOwner(domain));
                if (!sockets.Contains(started.SocketPath))
                {
                    throw new LibvirtDomainException($"the vGPU '{vgpu.Name}' listens at {started.SocketPath}, where no device of the domain looks for it; mend it with: {MergeAnew(guest, vgpu)}");
                }
            }
        }
        catch
        {
            ReleaseQuietly(uuid);
            throw;
        }
    }

    private static string MergeAnew(string guest, LibvirtVgpu vgpu) =>
        $"virsh dumpxml --inactive {guest} | vgpu libvirt-xml {vgpu.Name} --domain - | virsh define /dev/stdin";

    private HookedVgpu StartOne(LibvirtVgpu vgpu, Guid domain, string? owner)
    {
        string key = vgpu.Uuid?.ToString("D") ?? vgpu.Name;
        HookedVgpu? found = vgpus.Find(key);
        var claim = new LibvirtClaims.Claim(vgpu.Name, domain, key, found is not { Runs: true });
        if (_claims.Take(claim) is LibvirtClaims.Claim other && other != claim)
        {
            if (other.Domain != domain && found is { Runs: true })
            {
                throw new LibvirtDomainException($"the vGPU '{vgpu.Name}' is that of the domain {other.Domain:D}; give this one another, or if that domain has ended run: vgpu stop {vgpu.Name}");
            }

            _claims.Replace(claim);
        }

        if (found is null)
        {
            return vgpu.Type is null
                ? throw new LibvirtDomainException($"no vGPU '{vgpu.Name}' is defined, and the domain does not say of what type to make one; define it with 'vgpu create'")
                : vgpus.Make(vgpu, owner);
        }

        if (!found.Runs)
        {
            return vgpus.Start(key, owner);
        }

        if (found.ClientPid is int pid)
        {
            throw new LibvirtDomainException($"the vGPU '{vgpu.Name}' is in use by process {pid}; give this domain another, or end that one");
        }

        // Root may open any socket, and names are compared by nobody.
        return owner is null || owner == found.Owner || owner.StartsWith("0:", StringComparison.Ordinal) || !char.IsAsciiDigit(owner[0])
            ? found
            : throw new LibvirtDomainException($"the vGPU '{vgpu.Name}' runs and is not {owner}'s, as whom QEMU will run; run: vgpu stop {vgpu.Name}");
    }

    private void Release(Guid domain)
    {
        IOException? first = null;
        foreach (LibvirtClaims.Claim claim in _claims.Of(domain))
        {
            try
            {
                if (claim.IsStarted)
                {
                    vgpus.Stop(claim.Key);
                }

                _claims.GiveBack(claim);
            }
            catch (IOException e)
            {
                first ??= e;
            }
        }

        if (first is not null)
        {
            throw first;
        }
    }

    private void ReleaseQuietly(Guid domain)
    {
        try
        {
            Release(domain);
        }
        catch (IOException)
        {
            // What made the start fail is the line to show; libvirt calls release once more.
        }
    }
}
