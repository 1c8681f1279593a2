# A node's own Nix: it knows what is in the node's store, and can add to it and build.
{ pkgs }:
pkgs.testers.runNixOSTest {
  name = "nixos-nix";

  defaults =
    { pkgs, ... }:
    {
      nix.enable = true;
      virtualisation = {
        memorySize = 768;
        writableStore = true;
        additionalPaths = [ pkgs.hello ];
      };
    };

  nodes = {
    plain = { };
    scripted.vmtest.boot = "script";
  };

  testScript =
    { nodes, ... }:
    ''
      systems = {
          plain: "${nodes.plain.system.build.toplevel}",
          scripted: "${nodes.scripted.system.build.toplevel}",
      }
      BUILT = """
        derivation {
          name = "built-here";
          system = "x86_64-linux";
          builder = "/bin/sh";
          args = [ "-c" "[ -x ''${builtins.storePath "${pkgs.hello}"}/bin/hello ] && echo ${pkgs.hello} > $out" ];
        }
      """

      for machine, system in systems.items():
          machine.wait_for_unit("multi-user.target")

          with subtest(f"{machine.name}: Nix knows the closure of the system"):
              known = machine.succeed("nix-store --query --requisites /run/current-system").split()
              t.assertIn(system, known)
              t.assertIn("${pkgs.userland}", known)
              t.assertEqual(machine.succeed("nix-store --query --references /run/current-system | grep -c -- -etc$").strip(), "1")
              machine.succeed(f"nix-store --check-validity {system} ${pkgs.hello}")
              machine.fail("nix-store --check-validity /nix/store/00000000000000000000000000000000-nothing")

          with subtest(f"{machine.name}: hashes and sizes are those of what is there"):
              machine.succeed(f"nix-store --verify-path {system} $(readlink -f {system}/etc) ${pkgs.hello}")
              machine.succeed("nix-store --verify")

          with subtest(f"{machine.name}: there is nothing else in the store"):
              there = set(machine.succeed("ls -d /nix/store/*-*").split())
              valid = set(machine.succeed("nix-store --dump-db | grep '^/nix/store/'").split())
              # The start script's registration is not in itself.
              unknown = [path for path in there - valid if not path.endswith("-closure-info")]
              t.assertEqual((unknown, valid - there), ([], set()))

          with subtest(f"{machine.name}: a path is added"):
              machine.succeed("echo by-guest > /tmp/added")
              added = machine.succeed("nix-store --add /tmp/added").strip()
              t.assertRegex(added, "^/nix/store/[a-z0-9]{32}-added$")
              machine.succeed(f"nix-store --check-validity {added} && grep -x by-guest {added}")

          with subtest(f"{machine.name}: a derivation is built, in a sandbox, without a network"):
              machine.succeed(f"cat > /tmp/built.nix <<'END'\n{BUILT}\nEND")
              built = machine.succeed("nix-build --no-out-link /tmp/built.nix").strip()
              t.assertEqual(machine.succeed(f"cat {built}").strip(), "${pkgs.hello}")
              t.assertEqual(machine.succeed(f"nix-store --query --references {built}").strip(), "${pkgs.hello}")
              machine.succeed(f"nix-store --verify-path {built}")
    '';
}
