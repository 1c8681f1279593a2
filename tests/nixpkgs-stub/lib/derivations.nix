# Functions of derivations.
{ lib }:
{
  /**
    A derivation that stands for another one: `passthru`, `meta` and the names of outputs can be read without evaluating
    that one.
  */
  lazyDerivation =
    args@{
      derivation,
      meta ? null,
      passthru ? { },
      outputs ? [ "out" ],
    }:
    let
      checked = lib.throwIf (
        derivation.type or null != "derivation"
      ) "lazyDerivation: input must be a derivation." derivation;
    in
    {
      type = "derivation";
      inherit outputs;
      inherit (checked)
        outPath
        outputName
        drvPath
        name
        system
        ;
      meta = args.meta or checked.meta or { };
    }
    // lib.genAttrs outputs (output: checked.${output})
    // passthru;

  optionalDrvAttr = condition: value: if condition then value else null;
}
