# systemd in stage 1: its units and files. It mounts the root below /sysroot, has the toplevel found and prepared there, and goes
# on as the systemd of stage 2.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (pkgs) userland;
  since = lib.versionAtLeast lib.trivial.release;
  render = import ./render.nix { inherit lib pkgs utils; };
  unitOptions = import ./unit-options.nix { inherit lib; };
  cfg = config.boot.initrd.systemd;

  switch = default: description: mkOption {
    type = types.bool;
    inherit default description;
  };

  content =
    { name, config, ... }:
    {
      options = {
        enable = switch true "Whether it is there.";
        dlopen = mkOption {
          type = types.raw;
          default = { };
          description = "Libraries that it loads by name; the stub does not look.";
        };
        target = mkOption {
          type = types.path;
          default = name;
          description = "Where it is.";
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "What is in it.";
        };
        source = mkOption {
          type = types.path;
          description = "The file or folder that it is a link to.";
        };
      };
      config.source = lib.mkIf (config.text != null) (
        pkgs.writeText "initrd${lib.replaceStrings [ "/" ] [ "-" ] name}" config.text
      );
    };

  storePath.options = {
    enable = switch true "Whether it is there.";
    dlopen = mkOption {
      type = types.raw;
      default = { };
      description = "Libraries that it loads by name; the stub does not look.";
    };
    source = mkOption {
      type = types.path;
      description = "The file or folder.";
    };
  };

  bin = pkgs.runCommand "initrd-bin" {
    __structuredAttrs = true;
    programs =
      lib.genAttrs (
        import ../stage-1/programs.nix
        ++ [
          "fsck"
          "journalctl"
          "sulogin"
          "systemctl"
          "systemd-cat"
          "systemd-escape"
          "systemd-run"
          "systemd-tmpfiles"
          "udevadm"
        ]
      ) (name: "${userland}/bin/${name}")
      // lib.mapAttrs (_name: toString) cfg.extraBin;
    preferLocalBuild = true;
  } ''
    mkdir -p $out/bin
    for name in "''${!programs[@]}"; do ln -s "''${programs[$name]}" "$out/bin/$name"; done
    for package in ${toString cfg.initrdBin}; do
      for program in "$package"/{bin,sbin}/*; do
        [ ! -e "$program" ] || ln -sf "$program" $out/bin/
      done
    done
  '';

  units = render.units {
    name = "initrd-units";
    inherit (cfg) units packages;
    upstream = lib.subtractLists cfg.suppressedUnits (
      import ./upstream-initrd-units.nix ++ cfg.additionalUpstreamUnits
    );
    folder = "system";
    systemd = cfg.package;
  };

  # systemd of the toolbox finds its own parts below /run, and mounts nothing over it when it is mounted already.
  init = pkgs.writeScript "stage-1-init" ''
    #!${userland}/bin/bash
    export PATH=${userland}/bin
    mkdir -p /run /sysroot /tmp /var
    mount -n -t tmpfs -o ${lib.concatStringsSep "," config.boot.specialFileSystems."/run".options} tmpfs /run
    ln -s ${userland}/bin /run/bin
    ln -s ${userland}/bin /run/sbin
    ln -s ${userland}/lib /run/lib
    ln -s /lib/modules /run/modules
    exec ${cfg.package}/lib/systemd/systemd "$@"
  '';

  variables = lib.concatStringsSep " " (
    lib.mapAttrsToList (name: value: "${name}=${lib.escapeShellArg (toString value)}") (
      lib.filterAttrs (_name: value: value != null) cfg.managerEnvironment
    )
  );
  manager = {
    DefaultEnvironment = "PATH=/bin:/sbin";
    ManagerEnvironment = variables;
  };

  # The kernel has no 9p: these are empty folders.
  missing = lib.filter (
    one: utils.fsNeededForBoot one && one.fsType == "9p"
  ) config.system.build.fileSystems;

  scriptsOnly = [
    "preFailCommands"
    "preDeviceCommands"
    "preLVMCommands"
    "postDeviceCommands"
    "postResumeCommands"
    "postMountCommands"
    "extraUtilsCommands"
  ];
in
{
  options.boot.initrd.systemd =
    unitOptions.kinds
    // {
      inherit (unitOptions) mounts automounts;
      enable = switch (since "26.05") "Whether systemd runs in the initrd.";
      package = mkOption {
        type = types.package;
        default = config.systemd.package;
        defaultText = "that of the system";
        description = "systemd.";
      };
      packages = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Packages with units.";
      };
      units = unitOptions.textUnits;
      additionalUpstreamUnits = unitOptions.names "Further units of systemd.";
      suppressedUnits = unitOptions.names "Units of systemd that are left out.";
      managerEnvironment = mkOption {
        type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.package ]));
        default = { };
        description = "Variables of systemd.";
      };
      contents = mkOption {
        type = types.attrsOf (types.submodule content);
        default = { };
        description = "Files in the initrd by path.";
      };
      storePaths = mkOption {
        type = types.listOf (
          types.coercedTo types.path (source: { inherit source; }) (types.submodule storePath)
        );
        default = [ ];
        description = "Store paths in it, with the libraries of programs, but not with all that they refer to.";
      };
      extraBin = mkOption {
        type = types.attrsOf types.path;
        default = { };
        description = "Programs in /bin by name.";
      };
      initrdBin = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Packages whose programs are in /bin.";
      };
      emergencyAccess = mkOption {
        type = types.oneOf [ types.bool (types.nullOr types.str) ];
        default = false;
        description = "Whether it gives a shell when it fails, and for which (hashed) password.";
      };
      root = mkOption {
        type = types.nullOr (types.enum [ "fstab" "gpt-auto" ]);
        default = "fstab";
        description = "How it finds the root; the stub's knows fstab only.";
      };
      repart.enable = switch false "Whether it makes partitions.";
    }
    // (
      if since "25.11" then
        {
          settings = mkOption {
            type = unitOptions.settings;
            default = { };
            description = "Settings of its systemd.";
          };
        }
      else
        {
          extraConfig = mkOption {
            type = types.lines;
            default = "";
            description = "Settings of its systemd.";
          };
        }
    );

  config = lib.mkIf (config.boot.initrd.enable && cfg.enable) {
    assertions = map (name: {
      assertion = config.boot.initrd.${name} == "";
      message = "systemd stage 1 does not support `boot.initrd.${name}`.";
    }) scriptsOnly;

    boot.kernelParams = lib.optional (cfg.root != null) "root=${cfg.root}";

    boot.initrd.systemd = {
      units = render.texts cfg "initrd";

      managerEnvironment.PATH = lib.mkDefault "/bin:/sbin";

      contents = {
        "/init".source = init;
        "/bin".source = "${bin}/bin";
        "/sbin".source = "${bin}/bin";
        "/etc/systemd/system".source = units;
        "/etc/systemd/system.conf".text =
          if since "25.11" then
            render.settings (cfg.settings // { Manager = manager // cfg.settings.Manager or { }; })
          else
            render.settings { Manager = manager; } + cfg.extraConfig;
        "/etc/initrd-release".source = config.environment.etc.os-release.source;
        "/etc/os-release".source = config.environment.etc.os-release.source;
        "/etc/hostname".text = "${config.networking.hostName}\n";
        "/etc/passwd".text = "root:x:0:0:System administrator:/root:/bin/bash\n";
        "/etc/shadow".text = "root:${
          if cfg.emergencyAccess == true then
            ""
          else if lib.isString cfg.emergencyAccess then
            cfg.emergencyAccess
          else
            "*"
        }:::::::\n";
        "/etc/group".text = lib.concatStrings (
          lib.mapAttrsToList (name: group: "${name}:x:${toString group.gid}:\n") (
            lib.filterAttrs (_name: group: group.gid != null) config.users.groups
          )
        );
        "/etc/modules-load.d/nixos.conf".text = lib.concatMapStrings (
          name: "${name}\n"
        ) config.boot.initrd.kernelModules;
        "/etc/sysctl.d/nixos.conf".text = "kernel.modprobe = ${userland}/bin/modprobe\n";
      };

      storePaths =
        map (name: "${cfg.package}/lib/systemd/${name}") [
          "system-generators"
          "systemd"
          "systemd-executor"
          "systemd-fsck"
          "systemd-journald"
          "systemd-makefs"
          "systemd-modules-load"
          "systemd-shutdown"
          "systemd-sulogin-shell"
          "systemd-sysctl"
          "systemd-sysroot-fstab-check"
        ]
        # By name, from /run/bin.
        ++ map (name: "${userland}/bin/${name}") [
          "systemctl"
          "systemd-tty-ask-password-agent"
        ]
        ++ lib.concatLists (
          lib.mapAttrsToList render.scriptFiles (
            lib.filterAttrs (_name: service: service.enable) cfg.services
          )
        );

      targets.initrd.aliases = [ "default.target" ];

      # What activation leaves there goes on into stage 2.
      mounts = [
        {
          what = "/run";
          where = "/sysroot/run";
          options = "rbind";
          requiredBy = [ "initrd-fs.target" ];
          before = [ "initrd-fs.target" ];
          unitConfig.DefaultDependencies = false;
        }
      ];

      services = {
        initrd-find-nixos-closure = {
          description = "Find NixOS closure";
          requiredBy = [ "initrd.target" ];
          before = [
            "initrd.target"
            "shutdown.target"
          ];
          conflicts = [ "shutdown.target" ];
          unitConfig = {
            DefaultDependencies = false;
            RequiresMountsFor = "/sysroot/nix/store";
          };
          serviceConfig = {
            Type = "oneshot";
            RemainAfterExit = true;
          };
          script = ''
            init=
            for word in $(< /proc/cmdline); do
              case $word in init=*) init=''${word#init=} ;; esac
            done
            if [ -z "$init" ]; then
              echo "there is no init= on the kernel's command line" >&2
              exit 1
            fi
            # It may be a link that is right in the root only. A root without the program has none of NixOS.
            real=$(chroot /sysroot ${userland}/bin/realpath "$init") || real=$init
            ln -s "''${real%/*}" /nixos-closure
            if [ -x "/sysroot''${real%/*}/prepare-root" ]; then
              init=
            else
              echo "$init is none of NixOS"
            fi
            echo "NEW_INIT=$init" > /etc/switch-root.conf
          '';
        };

        initrd-nixos-activation = {
          description = "NixOS Activation";
          requiredBy = [ "initrd-switch-root.service" ];
          after = [ "initrd-switch-root.target" ];
          before = [ "initrd-switch-root.service" ];
          unitConfig = {
            AssertPathExists = "/etc/initrd-release";
            DefaultDependencies = false;
            RequiresMountsFor = "/sysroot/run";
          };
          serviceConfig = {
            Type = "oneshot";
            EnvironmentFile = "-/etc/switch-root.conf";
          };
          script = ''
            [ -z "''${NEW_INIT-}" ] || exit 0
            ${lib.concatMapStrings (one: ''
              mkdir -p ${lib.escapeShellArg "/sysroot${one.mountPoint}"}
            '') missing}
            # In stage 2 it is a link to all modules.
            rm -f /run/modules
            export IN_NIXOS_SYSTEMD_STAGE1=true
            exec chroot /sysroot "$(readlink /nixos-closure)/prepare-root"
          '';
        };

        # With an empty name systemd goes on as itself, and does not forget what it knows.
        initrd-switch-root.serviceConfig = {
          EnvironmentFile = "-/etc/switch-root.conf";
          ExecStart = [
            ""
            "systemctl --no-block switch-root /sysroot \"\${NEW_INIT}\""
          ];
        };

        panic-on-fail = {
          wantedBy = [ "emergency.target" ];
          unitConfig = {
            ConditionKernelCommandLine = [
              "|boot.panic_on_fail"
              "|stage1panic"
            ];
            DefaultDependencies = false;
          };
          serviceConfig.Type = "oneshot";
          script = "echo c > /proc/sysrq-trigger";
        };
      };
    };
  };
}
