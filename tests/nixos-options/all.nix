# The tables, with what they need.
{
  tools,
  library ? import ../../lib {
    tools = {
      inherit (tools)
        system
        runner
        agent
        qemu
        e2fsprogs
        tesseract
        ;
    };
  },
}:
let
  given.pkgsOf =
    release:
    import ../nixpkgs-stub {
      inherit (tools) system;
      inherit release tools;
      overlays = [
        library.overlay
        (_final: _prev: { inherit (library) vmTest vmTestSuite; })
      ];
    };
in
{
  mapped = import ./mapped.nix given;
  boots = import ./boots.nix given;
  refused = import ./refused.nix given;

  # The options that the newest release has, as the documentation names them.
  declared =
    let
      pkgs = given.pkgsOf "26.05";
      test = pkgs.testers.runNixOSTest {
        name = "declared";
        nodes.machine = { };
        testScript = "";
      };
      inherit (test.nodes.machine) virtualisation;
      namesOf = options: hidden: builtins.attrNames (removeAttrs options hidden);
    in
    namesOf test.config [
      "_module"
      "assertions"
      "result"
      "testScriptString"
      "vmtest"
      "warnings"
      "withoutTestScriptReferences"
    ]
    ++ namesOf virtualisation [
      "qemu"
    ]
    ++ map (name: "qemu.${name}") (namesOf virtualisation.qemu [ ]);
}
