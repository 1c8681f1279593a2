{ pkgs, ... }:
{
  name = "of-a-path";
  nodes.machine.environment.systemPackages = [ pkgs.hello ];
  testScript = "";
}
