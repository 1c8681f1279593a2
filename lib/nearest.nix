# Finds the name that a mistyped one was probably meant to be.
let
  inherit (builtins)
    elemAt
    filter
    foldl'
    genList
    length
    stringLength
    substring
    ;

  characters = text: genList (index: substring index 1 text) (stringLength text);

  minimum = foldl' (least: number: if number < least then number else least);

  # Levenshtein distance, one row of its table after the other.
  distance =
    from: to:
    let
      target = characters to;
      firstRow = genList (index: index) (length target + 1);
      nextRow =
        row: character:
        foldl' (
          built: index:
          built
          ++ [
            (minimum (elemAt built index + 1) [
              (elemAt row (index + 1) + 1)
              (elemAt row index + (if elemAt target index == character then 0 else 1))
            ])
          ]
        ) [ (elemAt row 0 + 1) ] (genList (index: index) (length target));
    in
    elemAt (foldl' nextRow firstRow (characters from)) (length target);

  isPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
in
/**
  The member of the list `known` that is nearest to `name`, or null when none is near enough to be meant: a third of
  `name` may be wrong, or it may be an abbreviation.
*/
name: known:
let
  ranked = map (candidate: {
    inherit candidate;
    distance = if isPrefix name candidate then 1 else distance name candidate;
  }) known;
  near = filter (entry: entry.distance <= (stringLength name + 2) / 3) ranked;
  best = foldl' (
    found: entry: if found == null || entry.distance < found.distance then entry else found
  ) null near;
in
if best == null then null else best.candidate
