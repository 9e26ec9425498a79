using NUnit.Framework;

namespace MimNative.Tests.Cli;

/// <summary>How long OpenMP's idle threads spin before they sleep, as OpenMP itself tells when it is loaded.</summary>
[Platform("Linux")]
public sealed class WaitPolicyTests
{
    [TestCase(null, null, "10000")]
    [TestCase("OMP_WAIT_POLICY", "active", "30000000000")]
    [TestCase("GOMP_SPINCOUNT", "5", "5")]
    public void Threads_sleep_soon_unless_the_environment_says_otherwise(string? variable, string? value, string spins)
    {
        List<(string Name, string? Value)> environment =
            [("OMP_DISPLAY_ENV", "verbose"), ("OMP_WAIT_POLICY", null), ("GOMP_SPINCOUNT", null), ("KMP_BLOCKTIME", null)];
        if (variable is not null)
        {
            environment.Add((variable, value));
        }
        var result = CommandProcess.RunIn([.. environment], "doctor");
        Assert.That(result.Errors, Does.Contain($"GOMP_SPINCOUNT = '{spins}'"));
    }
}
