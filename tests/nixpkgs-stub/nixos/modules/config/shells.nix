# The environment of people and of their shells.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib)
    mkOption
    optionalString
    types
    ;
  cfg = config.environment;

  code = description: mkOption {
    type = types.lines;
    default = "";
    inherit description;
  };

  variables = description: mkOption {
    type = types.attrsOf (
      types.oneOf [
        (types.listOf (types.oneOf [ types.int types.str types.path ]))
        types.int
        types.str
        types.path
      ]
    );
    default = { };
    apply = lib.mapAttrs (
      _name: value: if lib.isList value then lib.concatMapStringsSep ":" toString value else toString value
    );
    inherit description;
  };

  setEnvironment = pkgs.writeText "set-environment" ''
    # Sourced by login shells and by whatever needs the environment of one.
    export __NIXOS_SET_ENVIRONMENT_DONE=1
    ${lib.concatStrings (
      lib.mapAttrsToList (name: value: "export ${name}=${builtins.toJSON value}\n") (
        cfg.variables // cfg.sessionVariables
      )
    )}
    export PATH="${lib.concatMapStringsSep ":" (profile: "${profile}/bin") cfg.profiles}"
    export TERMINFO_DIRS="/run/current-system/sw/share/terminfo"
    ${cfg.extraInit}
  '';

  aliases = lib.concatStrings (
    lib.mapAttrsToList (name: value: "alias ${name}=${lib.escapeShellArg value}\n") (
      lib.filterAttrs (_name: value: value != null) cfg.shellAliases
    )
  );
in
{
  options = {
    environment = {
      variables = variables "Variables of all shells.";
      sessionVariables = variables "Variables of all sessions.";
      profiles = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Folders whose `bin` is in the path.";
      };
      shellAliases = mkOption {
        type = types.attrsOf (types.nullOr (types.either types.str types.path));
        default = { };
        description = "Aliases of interactive shells.";
      };
      shellInit = code "For all shells.";
      loginShellInit = code "For login shells.";
      interactiveShellInit = code "For interactive shells.";
      extraInit = code "For the environment.";
      shells = mkOption {
        type = types.listOf (types.either types.shellPackage types.path);
        default = [ ];
        description = "Shells that a user may have.";
      };
      binsh = mkOption {
        type = types.path;
        default = "${pkgs.bash}/bin/sh";
        defaultText = "bash";
        description = "What /bin/sh is.";
      };
      usrbinenv = mkOption {
        type = types.nullOr types.path;
        default = "${pkgs.coreutils}/bin/env";
        defaultText = "that of coreutils";
        description = "What /usr/bin/env is.";
      };
    };
    programs.bash = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether there is a bash to work in.";
      };
      interactiveShellInit = code "For interactive shells.";
      loginShellInit = code "For login shells.";
      promptInit = code "What sets the prompt.";
    };
  };

  config = {
    system.build = {
      inherit setEnvironment;
    };

    environment = {
      profiles = lib.mkMerge [
        (lib.mkOrder 900 [
          "/run/wrappers"
        ])
        (lib.mkAfter [
          "$HOME/.nix-profile"
          "/etc/profiles/per-user/$USER"
          "/nix/var/nix/profiles/default"
          "/run/current-system/sw"
        ])
      ];
      variables = {
        EDITOR = lib.mkDefault "vi";
        PAGER = lib.mkDefault "less";
        LANG = lib.mkDefault config.i18n.defaultLocale;
      };
      shells = [
        "/run/current-system/sw/bin/bash"
        "/run/current-system/sw/bin/sh"
        "/bin/sh"
      ];
      etc = {
        shells.text = lib.concatMapStrings (shell: "${shell}\n") cfg.shells;
        terminfo.source = "${config.system.path}/share/terminfo";
        profile.text = ''
          # For login shells.
          if [ -n "$__ETC_PROFILE_SOURCED" ]; then return; fi
          __ETC_PROFILE_SOURCED=1
          export __ETC_PROFILE_DONE=1
          [ -n "$__NIXOS_SET_ENVIRONMENT_DONE" ] || . ${setEnvironment}
          ${cfg.shellInit}
          ${cfg.loginShellInit}
          ${config.programs.bash.loginShellInit}
          [ -z "''${PS1-}" ] || . /etc/bashrc
        '';
        bashrc.text = ''
          # For interactive shells.
          [ -n "$__NIXOS_SET_ENVIRONMENT_DONE" ] || . ${setEnvironment}
          ${optionalString config.programs.bash.enable ''
            ${aliases}
            ${cfg.interactiveShellInit}
            ${config.programs.bash.interactiveShellInit}
            ${config.programs.bash.promptInit}
          ''}
        '';
        "bash.bashrc".text = ". /etc/bashrc\n";
      };
    };
  };
}
