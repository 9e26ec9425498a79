namespace MimNative.Bindings;

/// <summary>native/core/abi_layout.inc: every public struct with its fields, for the library's side of the handshake.</summary>
internal static class LayoutTable
{
    public static string Write(Contract contract)
    {
        var code = new CodeText();
        code.Line("// Generated from native/include/mim by bindings/Generator; do not edit.");
        foreach (var item in contract.Structs)
            code.List($"MIM_STRUCT({item.Name}, ",
                item.Fields.Select(field => $"MIM_FIELD({item.Name}, {field.Name})"), ")");
        return code.ToString();
    }
}
