namespace MimNative.Bindings;

/// <summary>The C# file about the contract as a whole: struct layouts and names of functions.</summary>
internal static class AbiFile
{
    public static string Write(Contract contract)
    {
        var code = new CodeText();
        BindingFile.Preamble(code, "native/include/mim");
        code.Line("[assembly: System.Runtime.CompilerServices.DisableRuntimeMarshalling]").Line()
            .Line("namespace MimNative.Interop;").Line();

        code.Open("internal static unsafe partial class Mim")
            .Line("/// <summary>Every exported function, in the order of the headers.</summary>")
            .Line("public static string[] FunctionNames() =>").Line("[");
        foreach (var function in contract.Functions)
            code.Line($"    \"{function.Name}\",");
        code.Line("];").Close().Line();

        code.Open("internal static unsafe partial class AbiLayout")
            .Line("/// <summary>The layouts of all public structs as this runtime has them, in the order of the headers.</summary>")
            .Line("public static AbiStruct[] Structs() =>").Line("[");
        foreach (var item in contract.Structs)
            code.Line($"    Of_{item.Name}(),");
        code.Line("];");
        foreach (var item in contract.Structs)
            WriteLayout(code.Line(), item);
        return code.Close().ToString();
    }

    private static void WriteLayout(CodeText code, Struct item)
    {
        code.Open($"private static AbiStruct Of_{item.Name}()")
            .Line($"{item.Name} value = default;").Line("var start = (byte*)&value;")
            .Line($"return new AbiStruct(\"{item.Name}\", sizeof({item.Name}),")
            .List("    [", item.Fields.Select(field => $"\"{field.Name}\""), "],")
            .List("    [", item.Fields.Select(field =>
                $"(byte*){(field.Length == 0 ? "&" : "")}value.{field.Name} - start"), "]);")
            .Close();
    }
}
