# Functions of functions that describe a whole by its parts.
let
  fix =
    f:
    let
      result = f result;
    in
    result;

  extends =
    overlay: f: final:
    let
      previous = f final;
    in
    previous // overlay final previous;

  composeExtensions =
    first: second: final: previous:
    let
      one = first final previous;
    in
    one // second final (previous // one);

  composeManyExtensions = builtins.foldl' composeExtensions (_final: _previous: { });

  # A set, a function of the previous set, or an overlay. `previous` tells the last two apart: `final` must not be looked at.
  toExtension =
    value:
    if !builtins.isFunction value then
      _final: _previous: value
    else
      final: previous:
      let
        applied = value previous;
      in
      if builtins.isFunction applied then value final previous else applied;

  makeExtensible =
    f:
    fix (
      self:
      f self
      // {
        extend = overlay: makeExtensible (extends overlay f);
      }
    );
in
{
  inherit
    fix
    extends
    composeExtensions
    composeManyExtensions
    toExtension
    makeExtensible
    ;
}
