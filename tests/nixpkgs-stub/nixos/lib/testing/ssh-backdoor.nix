# Machines that are reached by SSH over vsock, since 25.05. The stub declares it; no guest of its has an SSH server.
{
  config,
  lib,
  ...
}:
let
  inherit (lib) mkIf mkOption types;
  since = lib.versionAtLeast lib.trivial.release;
  hasOffset = !since "26.05";
  offset = config.sshBackdoor.vsockOffset;
in
{
  imports = lib.optional (!hasOffset) (
    lib.mkRemovedOptionModule [
      "sshBackdoor"
      "vsockOffset"
    ] "Machines of the driver no longer share the numbers of vsock with the host."
  );

  options.sshBackdoor = {
    enable = mkOption {
      type = types.bool;
      default = if since "25.11" then config.enableDebugHook else false;
      defaultText = "config.enableDebugHook";
      description = "Whether root can log in without a password, over vsock.";
    };
  }
  // lib.optionalAttrs hasOffset {
    vsockOffset = mkOption {
      type = types.ints.between 2 4294967296;
      default = 2;
      description = "What is added to a machine's number for its number on vsock.";
    };
  };

  config = {
    defaults = mkIf config.sshBackdoor.enable (
      { config, ... }:
      {
        services.openssh = {
          enable = true;
          settings = {
            PermitRootLogin = "yes";
            PermitEmptyPasswords = "yes";
          };
        };
        virtualisation = lib.optionalAttrs hasOffset {
          qemu.options = [
            "-device vhost-vsock-pci,guest-cid=${toString (config.virtualisation.test.nodeNumber + offset)}"
          ];
        };
      }
    );
  }
  // lib.optionalAttrs hasOffset {
    extraDriverArgs = mkIf config.sshBackdoor.enable [ "--dump-vsocks=${toString offset}" ];
  };
}
