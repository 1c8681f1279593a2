# Who may do what.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  switch = default: mkOption {
    type = types.bool;
    inherit default;
    description = "Whether it is on.";
  };
  modules = "${pkgs.linux-pam}/lib/security";

  # Names of programs that ask PAM, and whether a session of theirs is one of logind's.
  service =
    { name, config, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "Name of the service.";
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "Its file.";
        };
        allowNullPassword = switch false;
        rootOK = switch false;
        startSession = switch false;
        unixAuth = switch true;
        setEnvironment = switch true;
        enable = switch true;
      };
      config.text = lib.mkDefault ''
        account required ${modules}/pam_unix.so
        ${lib.optionalString config.rootOK "auth sufficient ${modules}/pam_rootok.so"}
        auth sufficient ${modules}/pam_unix.so ${lib.optionalString config.allowNullPassword "nullok"} likeauth try_first_pass
        auth required ${modules}/pam_deny.so
        password sufficient ${modules}/pam_unix.so nullok sha512
        ${lib.optionalString config.setEnvironment "session required ${modules}/pam_env.so conffile=/etc/pam/environment readenv=0"}
        session required ${modules}/pam_unix.so
        ${lib.optionalString config.startSession "session optional ${modules}/pam_systemd.so"}
      '';
    };
in
{
  options.security = {
    pam.services = mkOption {
      type = types.attrsOf (types.submodule service);
      default = { };
      description = "Programs that ask PAM.";
    };
    sudo = {
      enable = switch false;
      wheelNeedsPassword = switch true;
      extraRules = mkOption {
        type = types.listOf types.raw;
        default = [ ];
        description = "Further rules; the stub has no sudo.";
      };
    };
    polkit.enable = switch false;
    rtkit.enable = switch false;
    apparmor.enable = switch false;
    audit.enable = switch false;
    lockKernelModules = switch false;
    protectKernelImage = switch false;
    pki = {
      installCACerts = switch true;
      certificates = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Certificates that are trusted.";
      };
      certificateFiles = mkOption {
        type = types.listOf types.path;
        default = [ ];
        description = "Files of such certificates.";
      };
    };
    wrappers = mkOption {
      type = types.attrsOf types.attrs;
      default = { };
      description = "Programs with another user's rights; the stub makes none.";
    };
    wrapperDir = mkOption {
      type = types.path;
      internal = true;
      default = "/run/wrappers/bin";
      description = "Where they are.";
    };
  };

  config = {
    security.pam.services = {
      login = {
        allowNullPassword = true;
        startSession = true;
      };
      su.rootOK = true;
      su-l = {
        rootOK = true;
        startSession = true;
      };
      runuser.rootOK = true;
      runuser-l.rootOK = true;
      chpasswd.rootOK = true;
      useradd.rootOK = true;
      usermod.rootOK = true;
      userdel.rootOK = true;
      groupadd.rootOK = true;
      passwd = { };
      other = {
        text = ''
          auth required ${modules}/pam_deny.so
          account required ${modules}/pam_deny.so
          password required ${modules}/pam_deny.so
          session required ${modules}/pam_deny.so
        '';
      };
      systemd-user = {
        text = ''
          account required ${modules}/pam_unix.so
          session required ${modules}/pam_unix.so
          session optional ${modules}/pam_systemd.so
        '';
      };
    };
    environment.etc =
      lib.mapAttrs' (
        name: one:
        lib.nameValuePair "pam.d/${name}" {
          inherit (one) enable text;
        }
      ) config.security.pam.services
      // {
        "pam/environment".text = "";
      };
  };
}
