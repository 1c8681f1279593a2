# The library of one release. Parts refer to each other through the whole, so that `lib.extend` reaches them.
{ release }:
let
  fixedPoints = import ./fixed-points.nix;
in
fixedPoints.makeExtensible (
  lib:
  let
    part = file: import file { inherit lib; };
    # Their names are names of the whole, so they must not be looked up in it.
    trivial = part ./trivial.nix // {
      inherit release;
      version = "${release}pre-stub";
      versionSuffix = "pre-stub";
      codeName = "Stub";
    };
    attrsets = part ./attrsets.nix;
    lists = part ./lists.nix;
    strings = part ./strings.nix;
    derivations = part ./derivations.nix;
    meta = part ./meta.nix;
    versions = part ./versions.nix;
    options = part ./options.nix;
    modules = part ./modules.nix;
  in
  fixedPoints
  // trivial
  // attrsets
  // lists
  // strings
  // derivations
  // meta
  // versions
  // options
  // {
    inherit (modules)
      defaultOverridePriority
      evalModules
      fixMergeModules
      mkAfter
      mkAliasAndWrapDefinitions
      mkAliasDefinitions
      mkAliasOptionModule
      mkAssert
      mkBefore
      mkChangedOptionModule
      mkDefault
      mkForce
      mkIf
      mkImageMediaOverride
      mkMerge
      mkOptionDefault
      mkOrder
      mkOverride
      mkRemovedOptionModule
      mkRenamedOptionModule
      mkVMOverride
      setDefaultModuleLocation
      ;
    inherit
      attrsets
      derivations
      fixedPoints
      lists
      meta
      modules
      options
      strings
      trivial
      versions
      ;
    types = part ./types.nix;
    systems = part ./systems.nix;
    inherit (lib.systems) platforms;
    maintainers = { };
    teams = { };
    licenses = import ./licenses.nix;
  }
)
