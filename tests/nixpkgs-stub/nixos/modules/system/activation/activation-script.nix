# What is done whenever the system becomes the current one: at boot, and when somebody switches to it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  snippet = types.coercedTo types.str (text: { inherit text; }) (
    types.submodule {
      options = {
        text = mkOption {
          type = types.lines;
          description = "The snippet.";
        };
        deps = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Snippets that run before it.";
        };
        supportsDryActivation = mkOption {
          type = types.bool;
          default = false;
          description = "Whether it runs when nothing is to be done.";
        };
      };
    }
  );

  snippets = config.system.activationScripts;

  # Names in an order in which each comes after what it depends on.
  ordered =
    let
      visit =
        done: name:
        if lib.elem name done then
          done
        else
          lib.foldl' visit done (
            snippets.${name} or (throw "the activation script `${name}' does not exist, but others depend on it")
          ).deps
          ++ [ name ];
    in
    lib.unique (lib.foldl' visit [ ] (lib.attrNames snippets));

  script = pkgs.writeShellScript "activate" ''
    # Makes the system beside this script the current one.
    systemConfig=''${0%/*}
    systemConfig=$(${pkgs.coreutils}/bin/readlink -f "$systemConfig")
    export PATH=${lib.makeBinPath [ pkgs.userland ]}
    status=0
    trap 'status=1; echo "activation: line $LINENO failed" >&2' ERR
    umask 022
    ${lib.concatMapStrings (name: ''

      # ${name}
      ${snippets.${name}.text}
    '') ordered}
    ln -sfn "$systemConfig" /run/current-system
    exit $status
  '';
in
{
  options.system = {
    activationScripts = mkOption {
      type = types.attrsOf snippet;
      default = { };
      description = "Shell snippets by name.";
    };
    userActivationScripts = mkOption {
      type = types.attrsOf types.unspecified;
      default = { };
      description = "The same for each user; the stub runs none.";
    };
    activatable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether there is an activation script at all.";
    };
  };

  config = {
    system.build.activationScript = script;

    system.activationScripts = {
      stdio.text = "exec < /dev/null";
      binsh = {
        deps = [ "stdio" ];
        text = ''
          mkdir -p -m 755 /bin
          ln -sfn ${config.environment.binsh} /bin/sh
        '';
      };
      usrbinenv = {
        deps = [ "stdio" ];
        text =
          if config.environment.usrbinenv == null then
            "rm -f /usr/bin/env"
          else
            ''
              mkdir -p -m 755 /usr /usr/bin
              ln -sfn ${config.environment.usrbinenv} /usr/bin/env
            '';
      };
      # The programs of the toolbox know each other by these paths; on a real NixOS they know each other by their store paths.
      userland = {
        deps = [ "stdio" ];
        text = ''
          ln -sfn ${pkgs.userland}/bin /run/bin
          ln -sfn ${pkgs.userland}/bin /run/sbin
          ln -sfn ${pkgs.userland}/lib /run/lib
          [ -L /run/modules ] || ln -sfn /run/booted-system/kernel-modules/lib/modules /run/modules
        '';
      };
      var = {
        deps = [ "users" ];
        text = ''
          mkdir -p -m 755 /var /var/log /var/lib /var/cache /var/db /var/lib/nixos
          mkdir -p -m 1777 /var/tmp
          [ -d /var/empty ] || mkdir -p -m 555 /var/empty
          [ -L /var/run ] || ln -sfn /run /var/run
        '';
      };
      specialfs = {
        deps = [ ];
        text = "";
      };
      modprobe = {
        deps = [ "userland" ];
        text = "echo ${pkgs.kmod}/bin/modprobe > /proc/sys/kernel/modprobe || true";
      };
      hostname = lib.mkIf (config.networking.hostName != "") {
        deps = [ "etc" ];
        text = "hostname ${lib.escapeShellArg config.networking.hostName}";
      };
    };
  };
}
