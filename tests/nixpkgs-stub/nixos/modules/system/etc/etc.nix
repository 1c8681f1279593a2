# Files of /etc. They are links to /etc/static, which is a link to the store; those with a mode of their own are copies.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  file =
    {
      name,
      config,
      ...
    }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the file is there.";
        };
        target = mkOption {
          type = types.str;
          default = name;
          description = "Where it is, below /etc.";
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "What is in it.";
        };
        source = mkOption {
          type = types.path;
          description = "The file that it is a link to.";
        };
        mode = mkOption {
          type = types.str;
          default = "symlink";
          description = "A mode makes it a copy; `direct-symlink` makes it a link to the store itself.";
        };
        uid = mkOption {
          type = types.int;
          default = 0;
          description = "Owner of the copy.";
        };
        gid = mkOption {
          type = types.int;
          default = 0;
          description = "Group of the copy.";
        };
        user = mkOption {
          type = types.str;
          default = "+${toString config.uid}";
          description = "Owner of the copy, by name.";
        };
        group = mkOption {
          type = types.str;
          default = "+${toString config.gid}";
          description = "Group of the copy, by name.";
        };
      };
      config.source = lib.mkIf (config.text != null) (
        pkgs.writeText "etc-${lib.replaceStrings [ "/" ] [ "-" ] name}" config.text
      );
    };

  files = lib.filter (one: one.enable) (lib.attrValues config.environment.etc);
  byMode = mode: lib.filter (one: one.mode == mode) files;
  copies = lib.filter (one: one.mode != "symlink" && one.mode != "direct-symlink") files;
  put = map (one: "${one.target}=${one.source}");

  # `etc` is what /etc/static shows. `links` is laid over /etc by one program, since a machine that is emulated takes its time
  # to start each.
  etc = pkgs.runCommand "etc" {
    files = put files;
    linked = map (one: one.target) (byMode "symlink");
    direct = put (byMode "direct-symlink");
    preferLocalBuild = true;
  } ''
    mkdir -p $out/etc $out/links
    for file in $files; do
      mkdir -p "$out/etc/$(dirname "''${file%%=*}")"
      ln -s "''${file#*=}" "$out/etc/''${file%%=*}"
    done
    for target in $linked; do
      mkdir -p "$out/links/$(dirname "$target")"
      ln -s "/etc/static/$target" "$out/links/$target"
    done
    for file in $direct; do
      mkdir -p "$out/links/$(dirname "''${file%%=*}")"
      ln -s "''${file#*=}" "$out/links/''${file%%=*}"
    done
  '';
in
{
  options.environment.etc = mkOption {
    type = types.attrsOf (types.submodule file);
    default = { };
    description = "Files of /etc by name.";
  };

  config = {
    system.build.etc = etc;
    system.activationScripts.etc = {
      deps = [ "users" ];
      text = ''
        mkdir -p /etc
        ln -sfn ${etc}/etc /etc/static
        cp -dR --no-preserve=mode,ownership --remove-destination ${etc}/links/. /etc/
        ${lib.concatMapStrings (one: ''
          install -D -m ${one.mode} -o ${lib.removePrefix "+" one.user} -g ${lib.removePrefix "+" one.group} ${one.source} ${lib.escapeShellArg "/etc/${one.target}"}
        '') copies}
        : > /etc/NIXOS
      '';
    };
  };
}
