using System.Net;

namespace Vgpu.Control;

/// <summary>Metrics on TCP as well, for a Prometheus that can't read Unix sockets. Every user of the machine can read a port of its own without a token.</summary>
/// <param name="Address">Beyond loopback only with a token.</param>
/// <param name="Token">What a reader must show as a bearer; nothing where null.</param>
public sealed record MetricsEndpoint(IPEndPoint Address, string? Token);
