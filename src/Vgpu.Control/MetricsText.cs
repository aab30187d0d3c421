using System.Globalization;
using System.Text;
using Vgpu.Bus;

namespace Vgpu.Control;

/// <summary>
/// The bus's numbers in Prometheus's text format 0.0.4. Every family and every instance is there always, with zeros where
/// nothing runs; but for GPU time and throttling, which are of those that render alone. Prometheus takes a counter that
/// has become smaller for one that began anew, as processor time does with each worker.
/// </summary>
internal sealed class MetricsText
{
    internal const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    private MetricsText()
    {
    }

    internal static string Of(IReadOnlyList<ParentView> parents, IReadOnlyList<InstanceView> instances)
    {
        var metrics = new MetricsText();
        metrics.AddInstances(instances);
        metrics.AddParents(parents);
        return metrics._text.ToString();
    }

    private void AddInstances(IReadOnlyList<InstanceView> instances)
    {
        Family("vgpu_info", "gauge", "1 for each instance; client is the VMM's process, empty where none is attached.");
        foreach (InstanceView instance in instances)
        {
            InstanceDefinition definition = instance.Definition;
            Sample("vgpu_info", 1, [
                ("uuid", definition.Uuid.ToString()), ("name", definition.Name), ("type", definition.Type), ("parent", definition.Parent),
                ("client", instance.Worker?.ClientPid?.ToString(CultureInfo.InvariantCulture) ?? string.Empty),
            ]);
        }

        Each("vgpu_running", "gauge", "1 where the instance runs.", instance => instance.State == InstanceState.Running ? 1 : 0);
        Each("vgpu_memory_used_bytes", "gauge", "Video memory that the guest uses.", instance => instance.Worker?.MemoryUsed ?? 0);
        Each("vgpu_memory_limit_bytes", "gauge", "Video memory that the guest may use.", instance => instance.MemoryLimit);
        Each("vgpu_requests_total", "counter", "vfio-user messages of all clients since the instance was started.", instance => (ulong)(instance.Worker?.Requests ?? 0));
        Each("vgpu_successions_total", "counter", "Workers that took over from another since the instance was started.", instance => (ulong)(instance.Worker?.Successions ?? 0));
        Each("vgpu_worker_cpu_seconds_total", "counter", "Processor time of the worker that serves now.", instance => (instance.Worker?.CpuNanoseconds ?? 0) / 1e9m);
        Each("vgpu_frames_total", "counter", "Frames that the guest has shown since the instance was started, of all heads together.", instance => instance.Worker?.Frames ?? 0);
        Each("vgpu_viewed_bytes_total", "counter", "Bytes of pixels that were copied for viewers since the instance was started.", instance => instance.Worker?.ViewedBytes ?? 0);

        Rendered("vgpu_gpu_seconds_total", "Time of the parent's GPU that the vGPU has had since the instance was started, from submission to fence.", worker => worker.GpuNanoseconds);
        Rendered("vgpu_gpu_throttled_seconds_total", "Time for which the vGPU had work for the GPU while others had the turn.", worker => worker.ThrottledNanoseconds);

        void Rendered(string name, string help, Func<WorkerStatus, ulong?> value)
        {
            Family(name, "counter", help);
            foreach (InstanceView instance in instances)
            {
                if (instance.Worker is { } worker && value(worker) is { } nanoseconds)
                {
                    Sample(name, nanoseconds / 1e9m, [("uuid", instance.Definition.Uuid.ToString())]);
                }
            }
        }

        void Each(string name, string kind, string help, Func<InstanceView, decimal> value)
        {
            Family(name, kind, help);
            foreach (InstanceView instance in instances)
            {
                Sample(name, value(instance), [("uuid", instance.Definition.Uuid.ToString())]);
            }
        }
    }

    private void AddParents(IReadOnlyList<ParentView> parents)
    {
        Budget("vgpu_parent_budget_used", "What of a budget of the parent is given away; bytes for memory, else a count.", budget => budget.Used);
        Budget("vgpu_parent_budget_total", "What the parent has in all; bytes for memory, else a count.", budget => budget.Total);
        Family("vgpu_available_instances", "gauge", "How many more of the type could be made now.");
        foreach (ParentView parent in parents)
        {
            foreach (TypeView type in parent.Types)
            {
                Sample("vgpu_available_instances", (ulong)type.AvailableInstances, [("parent", parent.Name), ("type", type.Name)]);
            }
        }

        void Budget(string name, string help, Func<BudgetView, ulong> value)
        {
            Family(name, "gauge", help);
            foreach (ParentView parent in parents)
            {
                foreach ((string budget, BudgetView view) in parent.Budgets)
                {
                    Sample(name, value(view), [("parent", parent.Name), ("budget", budget)]);
                }
            }
        }
    }

    private void Family(string name, string kind, string help) =>
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {kind}\n");

    private void Sample(string name, decimal value, ReadOnlySpan<(string Name, string Value)> labels)
    {
        _ = _text.Append(name).Append('{');
        for (int i = 0; i < labels.Length; i++)
        {
            _ = _text.Append(i == 0 ? string.Empty : ",").Append(labels[i].Name).Append("=\"").Append(Escape(labels[i].Value)).Append('"');
        }

        _ = _text.Append(CultureInfo.InvariantCulture, $"}} {value}\n");
    }

    private static string Escape(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
