# Units as files.
{
  lib,
  pkgs,
  utils,
}:
let
  inherit (lib)
    concatMapStrings
    concatStrings
    mapAttrsToList
    optional
    optionalString
    ;

  show =
    value:
    if value == true then
      "true"
    else if value == false then
      "false"
    else
      toString value;

  setting =
    key: value:
    if value == null then
      ""
    else if lib.isList value then
      concatMapStrings (one: "${key}=${show one}\n") value
    else
      "${key}=${show value}\n";

  section =
    name: settings:
    let
      lines = concatStrings (mapAttrsToList setting settings);
    in
    optionalString (lines != "") "[${name}]\n${lines}\n";

  unit =
    sections: one:
    {
      inherit (one)
        enable
        overrideStrategy
        wantedBy
        requiredBy
        upheldBy
        aliases
        ;
      text =
        section "Unit" (
          one.unitConfig
          // lib.optionalAttrs (one.restartTriggers != [ ]) {
            X-Restart-Triggers = builtins.hashString "sha256" (
              builtins.unsafeDiscardStringContext (toString one.restartTriggers)
            );
          }
        )
        + sections
        # An empty file would be a unit that is masked.
        + optionalString (one.unitConfig == { } && one.restartTriggers == [ ] && sections == "") "[Unit]\n";
    };

  script =
    name: kind: text:
    "${
      pkgs.writeTextFile {
        name = "unit-script-${lib.replaceStrings [ "@" "\\" ] [ "-" "-" ] name}-${kind}";
        text = "#!${pkgs.runtimeShell}\nset -e\n${text}\n";
        executable = true;
        destination = "/bin/${lib.replaceStrings [ "@" "\\" ] [ "-" "-" ] name}-${kind}";
      }
    }/bin/${lib.replaceStrings [ "@" "\\" ] [ "-" "-" ] name}-${kind}";

  # Scripts of a service, with the settings that they are for.
  scriptsOf =
    name: one:
    let
      made = key: kind: text: arguments: {
        inherit key arguments text;
        file = script name kind text;
      };
    in
    lib.filter (one: one.text != "") [
      (made "ExecStart" "start" one.script one.scriptArgs)
      (made "ExecStartPre" "pre-start" one.preStart "")
      (made "ExecStartPost" "post-start" one.postStart "")
      (made "ExecReload" "reload" one.reload "")
      (made "ExecStop" "pre-stop" one.preStop "")
      (made "ExecStopPost" "post-stop" one.postStop "")
    ];

  # A configuration's own settings come after them.
  scripts =
    name: one:
    lib.listToAttrs (
      map (
        { key, file, arguments, ... }:
        lib.nameValuePair key (file + optionalString (arguments != "") " ${arguments}")
      ) (scriptsOf name one)
    );

  both =
    made: given:
    made
    // lib.mapAttrs (
      key: value: if made ? ${key} then lib.toList made.${key} ++ lib.toList value else value
    ) given;

  environment =
    scope: one:
    let
      path = lib.makeBinPath (one.path ++ optional (scope == "system" || one.path != [ ]) pkgs.userland);
      variables = lib.optionalAttrs (path != "") { PATH = path; } // one.environment;
    in
    concatStrings (
      mapAttrsToList (
        name: value: optionalString (value != null) "Environment=${builtins.toJSON "${name}=${toString value}"}\n"
      ) variables
    );

  # By the names of the options.
  byKind = {
    targets = _scope: _name: unit "";
    services =
      scope: name: one:
      unit (
        "[Service]\n"
        + environment scope one
        + optionalString (!one.restartIfChanged) "X-RestartIfChanged=false\n"
        + concatStrings (mapAttrsToList setting (both (scripts name one) one.serviceConfig))
        + "\n"
      ) one;
    sockets =
      _scope: _name: one:
      unit (
        "[Socket]\n"
        + concatStrings (mapAttrsToList setting one.socketConfig)
        + setting "ListenStream" one.listenStreams
        + setting "ListenDatagram" one.listenDatagrams
        + "\n"
      ) one;
    timers = _scope: _name: one: unit (section "Timer" one.timerConfig) one;
    paths = _scope: _name: one: unit (section "Path" one.pathConfig) one;
    slices = _scope: _name: one: unit (section "Slice" one.sliceConfig) one;
  };

  mount = kind: one: {
    name = "${utils.escapeSystemdPath one.where}.${kind}";
    value = unit (
      if kind == "mount" then
        section "Mount" (
          {
            What = one.what;
            Where = one.where;
          }
          // lib.optionalAttrs (one.type != "") { Type = one.type; }
          // lib.optionalAttrs (one.options != "") { Options = one.options; }
          // one.mountConfig
        )
      else
        section "Automount" ({ Where = one.where; } // one.automountConfig)
    ) one;
  };
in
{
  inherit setting;

  # Files that a service's units refer to.
  scriptFiles = name: one: map (one: one.file) (scriptsOf name one);

  # Texts of all units of a scope, by their whole names.
  texts =
    from: scope:
    lib.concatMapAttrs (
      plural: render:
      lib.mapAttrs' (
        name: unit: lib.nameValuePair "${name}.${lib.removeSuffix "s" plural}" (render scope name unit)
      ) (from.${plural} or { })
    ) byKind
    // lib.listToAttrs (
      map (mount "mount") (from.mounts or [ ]) ++ map (mount "automount") (from.automounts or [ ])
    );

  # A file of settings: by section and name.
  settings = lib.concatMapAttrsStringSep "" section;

  # A folder of units: those of systemd, of packages, and the configuration's own, which add to the former where both have one.
  # It is made by one derivation, since each takes a while to start.
  units =
    {
      name,
      units,
      packages,
      upstream,
      folder,
      systemd,
      defaultUnit ? "",
      ctrlAltDelUnit ? "",
    }:
    let
      list = mapAttrsToList (name: one: one // { inherit name; }) units;
      links =
        attribute: suffix:
        concatMapStrings (
          one: concatMapStrings (other: "link ${lib.escapeShellArg "../${one.name}"} ${lib.escapeShellArg "${other}.${suffix}/${one.name}"}\n") one.${attribute}
        ) (lib.filter (one: one.enable) list);
    in
    pkgs.runCommand name {
      __structuredAttrs = true;
      texts = lib.mapAttrs (_name: one: one.text) (
        lib.filterAttrs (_name: one: one.enable && one.text != null) units
      );
      dropins = map (one: one.name) (lib.filter (one: one.overrideStrategy == "asDropin") list);
      masked = map (one: one.name) (lib.filter (one: !one.enable) list);
      upstream = if upstream == null then [ ] else upstream;
      all = upstream == null;
      packages = map toString packages;
      inherit folder;
      source = "${systemd}/example/${folder}";
      preferLocalBuild = true;
    } ''
      mkdir -p $out
      link() {
        mkdir -p "$(dirname "$out/$2")"
        ln -sfn "$1" "$out/$2"
      }
      if [ -n "''${all-}" ]; then
        cp -r "$source/." $out/
        chmod -R u+w $out
      else
        for unit in "''${upstream[@]}"; do
          [ -e "$source/$unit" ] || { echo "systemd has no $unit" >&2; exit 1; }
          cp -dR "$source/$unit" "$out/$unit"
        done
        # What wants what, as far as it is there.
        for wants in "$source"/*.wants; do
          for link in "$wants"/*; do
            unit=''${link##*/}
            [ -e "$out/$unit" ] || [ -e "$out/''${unit%@*}@.''${unit##*.}" ] || continue
            link "../$unit" "''${wants##*/}/$unit"
          done
        done
      fi
      for package in "''${packages[@]}"; do
        for place in "$package/etc/systemd/$folder" "$package/lib/systemd/$folder"; do
          [ ! -d "$place" ] || cp -rsn --no-preserve=mode "$place/." $out/
        done
      done
      chmod -R u+w $out
      for unit in "''${!texts[@]}"; do
        target=$out/$unit
        [[ " ''${dropins[*]-} " != *" $unit "* && ! -e $target ]] || target=$out/$unit.d/overrides.conf
        mkdir -p "''${target%/*}"
        printf %s "''${texts[$unit]}" > "$target"
      done
      for unit in "''${masked[@]}"; do ln -sfn /dev/null "$out/$unit"; done
      ${links "wantedBy" "wants"}
      ${links "requiredBy" "requires"}
      ${links "upheldBy" "upholds"}
      ${concatMapStrings (
        one: concatMapStrings (alias: "link ${lib.escapeShellArg one.name} ${lib.escapeShellArg alias}\n") one.aliases
      ) list}
      ${optionalString (defaultUnit != "") "ln -sfn ${defaultUnit} $out/default.target"}
      ${optionalString (ctrlAltDelUnit != "") "ln -sfn ${ctrlAltDelUnit} $out/ctrl-alt-del.target"}
    '';
}
