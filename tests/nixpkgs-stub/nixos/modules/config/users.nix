# Users and groups. Numbers that nobody sets are given out here, in the order of names.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib)
    mkDefault
    mkIf
    mkOption
    types
    ;
  cfg = config.users;

  nullOr = type: description: mkOption {
    type = types.nullOr type;
    default = null;
    inherit description;
  };
  switch = default: description: mkOption {
    type = types.bool;
    inherit default description;
  };

  user =
    { name, config, ... }:
    {
      options = {
        enable = switch true "Whether there is such a user.";
        name = mkOption {
          type = types.passwdEntry types.str;
          default = name;
          description = "The user's name.";
        };
        description = mkOption {
          type = types.passwdEntry types.str;
          default = "";
          description = "Who it is.";
        };
        uid = nullOr types.int "The user's number.";
        isNormalUser = switch false "Whether it is a person.";
        isSystemUser = switch false "Whether it is no person.";
        group = mkOption {
          type = types.str;
          default = "";
          description = "The user's first group.";
        };
        extraGroups = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Further groups.";
        };
        home = mkOption {
          type = types.passwdEntry types.path;
          default = "/var/empty";
          description = "The user's folder.";
        };
        homeMode = mkOption {
          type = types.str;
          default = "700";
          description = "Mode of the folder.";
        };
        createHome = switch false "Whether the folder is made.";
        linger = switch false "Whether the user's services run without a session.";
        shell = mkOption {
          type = types.nullOr (types.either types.shellPackage (types.passwdEntry types.path));
          default = "/run/current-system/sw/bin/nologin";
          apply = shell: if lib.isDerivation shell then "/run/current-system/sw${shell.shellPath}" else shell;
          description = "The user's shell.";
        };
        useDefaultShell = switch false "Whether the shell is `users.defaultUserShell`.";
        password = nullOr types.str "Password in plain text.";
        initialPassword = nullOr types.str "Password in plain text when the user is made.";
        hashedPassword = nullOr (types.passwdEntry types.str) "Password, hashed.";
        initialHashedPassword = nullOr (types.passwdEntry types.str) "Password when the user is made, hashed.";
        hashedPasswordFile = nullOr types.str "File with the password, hashed.";
        packages = mkOption {
          type = types.listOf types.package;
          default = [ ];
          description = "Packages of this user.";
        };
        openssh.authorizedKeys = {
          keys = mkOption {
            type = types.listOf types.str;
            default = [ ];
            description = "Keys that may log in.";
          };
          keyFiles = mkOption {
            type = types.listOf types.path;
            default = [ ];
            description = "Files of such keys.";
          };
        };
      };

      config = lib.mkMerge [
        (mkIf config.isNormalUser {
          group = mkDefault "users";
          createHome = mkDefault true;
          home = mkDefault "/home/${config.name}";
          useDefaultShell = mkDefault true;
        })
        (mkIf config.useDefaultShell { shell = mkDefault cfg.defaultUserShell; })
      ];
    };

  group =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.passwdEntry types.str;
          default = name;
          description = "The group's name.";
        };
        gid = nullOr types.int "The group's number.";
        members = mkOption {
          type = types.listOf (types.passwdEntry types.str);
          default = [ ];
          description = "Users in the group, beside those who say so themselves.";
        };
      };
    };

  enabled = lib.filter (one: one.enable) (lib.attrValues cfg.users);
  groups = lib.attrValues cfg.groups;

  # Entries by name with the numbers that are missing, counted from `first` in steps of `step`.
  number =
    attribute: first: step: entries:
    let
      taken = lib.filter (value: value != null) (map (entry: entry.${attribute}) entries);
      free =
        value: if lib.elem value taken then free (value + step) else value;
    in
    (lib.foldl'
      (
        { next, numbers }:
        entry:
        if entry.${attribute} != null then
          {
            inherit next;
            numbers = numbers // {
              ${entry.name} = entry.${attribute};
            };
          }
        else
          let
            value = free next;
          in
          {
            next = value + step;
            numbers = numbers // {
              ${entry.name} = value;
            };
          }
      )
      {
        next = first;
        numbers = { };
      }
      entries
    ).numbers;

  normal = lib.filter (one: one.isNormalUser) enabled;
  uids = number "uid" 999 (-1) (lib.filter (one: !one.isNormalUser) enabled) // number "uid" 1000 1 normal;
  gids = number "gid" 999 (-1) groups;

  members =
    entry:
    lib.unique (
      entry.members
      ++ map (one: one.name) (lib.filter (one: lib.elem entry.name one.extraGroups) enabled)
    );

  line = lib.concatMapStringsSep ":" toString;
  passwd = lib.concatMapStrings (
    one:
    line [
      one.name
      "x"
      uids.${one.name}
      gids.${one.group}
      one.description
      one.home
      (if one.shell == null then "" else one.shell)
    ]
    + "\n"
  ) enabled;
  groupFile = lib.concatMapStrings (
    entry:
    line [
      entry.name
      "x"
      gids.${entry.name}
      (lib.concatStringsSep "," (members entry))
    ]
    + "\n"
  ) groups;

  first = lib.findFirst (value: value != null) null;
  plain = one: first [ one.password one.initialPassword ];
  hashed = one: first [ one.hashedPassword one.initialHashedPassword ];

  shadowLine =
    one:
    let
      name = lib.escapeShellArg one.name;
    in
    if one.hashedPasswordFile != null then
      "shadow ${name} \"$(cat ${lib.escapeShellArg one.hashedPasswordFile})\""
    else if hashed one != null then
      "shadow ${name} ${lib.escapeShellArg (hashed one)}"
    else if plain one != null then
      "plain ${name} ${lib.escapeShellArg (plain one)}"
    else
      "shadow ${name} '!'";

  updateUsers = ''
    # What was there before counts no longer, except for passwords if users may change them.
    umask 022
    shadow() {
      local old
      ${lib.optionalString cfg.mutableUsers ''
        if old=$(grep -s "^$1:" /etc/shadow); then
          echo "$old" >> /etc/.shadow
          return
        fi
      ''}
      echo "$1:$2:1::::::" >> /etc/.shadow
    }
    passwords=
    plain() {
      ${lib.optionalString cfg.mutableUsers ''
        if grep -qs "^$1:" /etc/shadow; then
          shadow "$1" '!'
          return
        fi
      ''}
      shadow "$1" '!'
      passwords+="$1:$2"$'\n'
    }
    rm -f /etc/.shadow
    (umask 077; : > /etc/.shadow)
    ${lib.concatMapStringsSep "\n" shadowLine enabled}
    cat > /etc/.passwd <<'PASSWD'
    ${passwd}PASSWD
    cat > /etc/.group <<'GROUP'
    ${groupFile}GROUP
    mv /etc/.passwd /etc/passwd
    mv /etc/.group /etc/group
    mv /etc/.shadow /etc/shadow
    [ -z "$passwords" ] || printf %s "$passwords" | chpasswd --crypt-method SHA512
    ${lib.concatMapStrings (
      one:
      lib.optionalString one.createHome ''
        [ -d ${lib.escapeShellArg one.home} ] || install -d -m ${one.homeMode} -o ${toString uids.${one.name}} -g ${toString gids.${one.group}} ${lib.escapeShellArg one.home}
      ''
      + lib.optionalString one.linger ''
        mkdir -p /var/lib/systemd/linger && touch /var/lib/systemd/linger/${lib.escapeShellArg one.name}
      ''
    ) enabled}
  '';
in
{
  imports = [
    (lib.mkAliasOptionModule [ "users" "extraUsers" ] [ "users" "users" ])
    (lib.mkAliasOptionModule [ "users" "extraGroups" ] [ "users" "groups" ])
  ];

  options.users = {
    mutableUsers = switch true "Whether users and passwords can be changed on the machine.";
    users = mkOption {
      type = types.attrsOf (types.submodule user);
      default = { };
      description = "The users.";
    };
    groups = mkOption {
      type = types.attrsOf (types.submodule group);
      default = { };
      description = "The groups.";
    };
    defaultUserShell = mkOption {
      type = types.either types.shellPackage types.path;
      default = pkgs.bashInteractive;
      defaultText = "bash";
      description = "The shell of persons.";
    };
    allowNoPasswordLogin = switch false "Whether a machine that nobody can log in to is right.";
    motd = nullOr types.lines "What whoever logs in reads.";
  };

  config = {
    users.users = {
      root = {
        uid = 0;
        description = "System administrator";
        home = "/root";
        homeMode = "700";
        shell = mkDefault cfg.defaultUserShell;
        group = "root";
      };
      nobody = {
        uid = 65534;
        isSystemUser = true;
        description = "Unprivileged account (don't use!)";
        group = "nogroup";
      };
    };
    users.groups =
      lib.mapAttrs (_name: gid: { inherit gid; }) {
        root = 0;
        wheel = 1;
        kmem = 2;
        # Where the systemd of the toolbox expects it.
        tty = 5;
        messagebus = 4;
        disk = 6;
        audio = 17;
        video = 26;
        dialout = 27;
        lp = 20;
        cdrom = 24;
        tape = 25;
        utmp = 29;
        adm = 55;
        systemd-journal = 62;
        users = 100;
        input = 174;
        kvm = 302;
        render = 303;
        sgx = 304;
        shadow = 318;
        nixbld = 30000;
        nogroup = 65534;
      };

    system.activationScripts.users = {
      text = updateUsers;
      deps = [ ];
    };

    environment.etc."default/useradd".text = ''
      GROUP=100
      HOME=/home
      SHELL=/run/current-system/sw/bin/bash
    '';

    environment.etc.login-defs = {
      target = "login.defs";
      text = ''
        DEFAULT_HOME yes
        SYS_UID_MIN 400
        SYS_UID_MAX 999
        UID_MIN 1000
        UID_MAX 29999
        SYS_GID_MIN 400
        SYS_GID_MAX 999
        GID_MIN 1000
        GID_MAX 29999
        UMASK 077
        ENV_PATH PATH=/run/wrappers/bin:/run/current-system/sw/bin
        ENV_SUPATH PATH=/run/wrappers/bin:/run/current-system/sw/bin
        ENCRYPT_METHOD SHA512
        MOTD_FILE
      '';
    };

    assertions = map (one: {
      assertion = one.group != "" && (one.uid != null && one.uid < 1 || one.isNormalUser != one.isSystemUser);
      message = "Exactly one of users.users.${one.name}.isSystemUser and users.users.${one.name}.isNormalUser must be set, and users.users.${one.name}.group as well.";
    }) enabled;
  };
}
