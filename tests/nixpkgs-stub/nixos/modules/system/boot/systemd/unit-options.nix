# Options of units.
{ lib }:
let
  inherit (lib)
    mkOption
    types
    ;

  # A setting of a unit's section: a list is the setting several times.
  setting = types.nullOr (
    types.oneOf [
      types.bool
      types.int
      types.float
      types.str
      types.path
      types.package
      (types.listOf (types.oneOf [ types.bool types.int types.str types.path types.package ]))
    ]
  );
  section = description: mkOption {
    type = types.attrsOf setting;
    default = { };
    inherit description;
  };
  names = description: mkOption {
    type = types.listOf types.str;
    default = [ ];
    inherit description;
  };
  code = description: mkOption {
    type = types.lines;
    default = "";
    inherit description;
  };
  switch = default: description: mkOption {
    type = types.bool;
    inherit default description;
  };
  text = description: mkOption {
    type = types.nullOr types.str;
    default = null;
    inherit description;
  };

  dependencies = {
    after = "After";
    before = "Before";
    bindsTo = "BindsTo";
    conflicts = "Conflicts";
    onFailure = "OnFailure";
    onSuccess = "OnSuccess";
    partOf = "PartOf";
    requires = "Requires";
    requisite = "Requisite";
    upholds = "Upholds";
    wants = "Wants";
  };

  common = [
    (
      { config, ... }:
      {
        options = lib.mapAttrs (_name: key: names "${key}=") dependencies // {
          enable = switch true "Whether it is there; otherwise it is masked.";
          name = text "Its whole name, where it differs.";
          description = mkOption {
            type = types.singleLineStr;
            default = "";
            description = "What it is.";
          };
          documentation = names "Where one reads more.";
          wantedBy = names "Units that want it.";
          requiredBy = names "Units that require it.";
          upheldBy = names "Units that hold it up.";
          aliases = names "Other names of it.";
          overrideStrategy = mkOption {
            type = types.enum [
              "asDropinIfExists"
              "asDropin"
            ];
            default = "asDropinIfExists";
            description = "Whether it adds to a unit of a package.";
          };
          unitConfig = section "Its section [Unit].";
          restartTriggers = mkOption {
            type = types.listOf types.unspecified;
            default = [ ];
            description = "What makes it another unit when it changes.";
          };
          reloadTriggers = mkOption {
            type = types.listOf types.unspecified;
            default = [ ];
            description = "The same, where it need not be restarted.";
          };
          startLimitBurst = mkOption {
            type = types.nullOr types.int;
            default = null;
            description = "How often it may be started in a time.";
          };
          startLimitIntervalSec = mkOption {
            type = types.nullOr types.int;
            default = null;
            description = "That time.";
          };
        };
        config.unitConfig =
          lib.filterAttrs (_key: value: value != [ ]) (
            lib.mapAttrs' (
              name: key: lib.nameValuePair key (lib.optional (config.${name} != [ ]) (toString config.${name}))
            ) dependencies
          )
          // lib.optionalAttrs (config.description != "") { Description = config.description; }
          // lib.optionalAttrs (config.documentation != [ ]) { Documentation = toString config.documentation; }
          // lib.optionalAttrs (config.startLimitBurst != null) { StartLimitBurst = toString config.startLimitBurst; }
          // lib.optionalAttrs (config.startLimitIntervalSec != null) {
            StartLimitIntervalSec = toString config.startLimitIntervalSec;
          };
      }
    )
  ];

  service =
    { config, ... }:
    {
      options = {
        environment = mkOption {
          type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.package ]));
          default = { };
          description = "Variables of its processes.";
        };
        path = mkOption {
          type = types.listOf (types.oneOf [ types.package types.str ]);
          default = [ ];
          description = "Packages in the path of its processes.";
        };
        serviceConfig = section "Its section [Service].";
        script = code "What it runs, as a shell script.";
        scriptArgs = mkOption {
          type = types.str;
          default = "";
          description = "Arguments of the script.";
        };
        preStart = code "What it runs before.";
        postStart = code "What it runs when it has started.";
        reload = code "What it runs to read its settings again.";
        preStop = code "What it runs to stop.";
        postStop = code "What it runs when it has stopped.";
        restartIfChanged = switch true "Whether it is restarted when it has changed.";
        reloadIfChanged = switch false "Whether it is reloaded then.";
        stopIfChanged = switch true "Whether it is stopped before the switch.";
        notSocketActivated = switch false "Whether its socket does not start it.";
        enableStrictShellChecks = switch false "Whether its scripts are checked.";
        startAt = mkOption {
          type = types.either types.str (types.listOf types.str);
          default = [ ];
          apply = lib.toList;
          description = "When a timer starts it.";
        };
      };
    };

  socket.options = {
    listenStreams = names "ListenStream=";
    listenDatagrams = names "ListenDatagram=";
    socketConfig = section "Its section [Socket].";
  };

  timer.options.timerConfig = section "Its section [Timer].";
  path.options.pathConfig = section "Its section [Path].";
  slice.options.sliceConfig = section "Its section [Slice].";

  mount.options = {
    what = mkOption {
      type = types.str;
      default = "";
      description = "What is mounted.";
    };
    where = mkOption {
      type = types.str;
      description = "Where.";
    };
    type = mkOption {
      type = types.str;
      default = "";
      description = "Of which type.";
    };
    options = mkOption {
      type = types.commas;
      default = "";
      description = "How.";
    };
    mountConfig = section "Its section [Mount].";
    automountConfig = section "Its section [Automount].";
  };

  unitsOf = kind: type: description: mkOption {
    type = types.attrsOf (types.submodule (common ++ type));
    default = { };
    description = "${description} by name, without `.${kind}`.";
  };
  mountsOf = description: mkOption {
    type = types.listOf (types.submodule (common ++ [ mount ]));
    default = [ ];
    inherit description;
  };

  textUnit = types.submodule {
    options = {
      enable = switch true "Whether it is there; otherwise it is masked.";
      text = text "The unit.";
      overrideStrategy = mkOption {
        type = types.enum [
          "asDropinIfExists"
          "asDropin"
        ];
        default = "asDropinIfExists";
        description = "Whether it adds to a unit of a package.";
      };
      wantedBy = names "Units that want it.";
      requiredBy = names "Units that require it.";
      upheldBy = names "Units that hold it up.";
      aliases = names "Other names of it.";
    };
  };
in
{
  inherit names;

  # Options of every folder of units.
  kinds = {
    targets = unitsOf "target" [ ] "Targets";
    services = unitsOf "service" [ service ] "Services";
    sockets = unitsOf "socket" [ socket ] "Sockets";
    timers = unitsOf "timer" [ timer ] "Timers";
    paths = unitsOf "path" [ path ] "Paths";
    slices = unitsOf "slice" [ slice ] "Slices";
  };
  mounts = mountsOf "Mounts.";
  automounts = mountsOf "Mounts on demand.";
  textUnits = mkOption {
    type = types.attrsOf textUnit;
    default = { };
    description = "Units of any kind, by their whole name.";
  };

  # Of settings by section and name.
  settings = types.attrsOf (
    types.attrsOf (types.oneOf [ types.bool types.int types.str (types.listOf types.str) ])
  );
}
