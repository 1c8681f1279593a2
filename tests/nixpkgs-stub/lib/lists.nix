# Functions of lists.
{ lib }:
let
  inherit (builtins)
    elem
    elemAt
    filter
    foldl'
    genList
    head
    length
    ;
in
rec {
  inherit (builtins)
    all
    any
    concatLists
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    groupBy
    head
    isList
    length
    map
    partition
    sort
    tail
    ;

  singleton = value: [ value ];
  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: values: if condition then values else [ ];
  toList = value: if builtins.isList value then value else [ value ];
  range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
  imap0 = f: values: genList (n: f n (elemAt values n)) (length values);
  imap1 = f: values: genList (n: f (n + 1) (elemAt values n)) (length values);
  forEach = values: f: map f values;
  flatten = value: if builtins.isList value then builtins.concatMap flatten value else [ value ];
  remove = value: filter (other: other != value);
  last = values: elemAt values (length values - 1);
  init = values: take (length values - 1) values;
  sublist =
    start: count: values:
    genList (n: elemAt values (start + n)) (
      lib.max 0 (lib.min count (length values - start))
    );
  take = count: sublist 0 count;
  drop = count: values: sublist count (length values) values;
  reverseList = values: genList (n: elemAt values (length values - 1 - n)) (length values);
  count = holds: values: length (filter holds values);
  findFirst =
    holds: default: values:
    let
      found = filter holds values;
    in
    if found == [ ] then default else head found;
  zipListsWith =
    f: a: b:
    genList (n: f (elemAt a n) (elemAt b n)) (lib.min (length a) (length b));
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });
  subtractLists = without: filter (value: !elem value without);
  intersectLists = with': filter (value: elem value with');
  mutuallyExclusive = a: b: intersectLists a b == [ ];
  foldr =
    f: start: values:
    foldl' (value: n: f (elemAt values (length values - 1 - n)) value) start (
      genList (n: n) (length values)
    );
  fold = foldr;
  foldl = foldl';
  unique = foldl' (found: value: if elem value found then found else found ++ [ value ]) [ ];
  # In the order of the alphabet.
  uniqueStrings = values: builtins.attrNames (builtins.groupBy (value: value) values);
  allUnique = values: length (unique values) == length values;
  sortOn = f: builtins.sort (a: b: f a < f b);
  naturalSort = builtins.sort (a: b: builtins.compareVersions a b < 0);
  compareLists =
    compare: a: b:
    if a == [ ] then
      (if b == [ ] then 0 else -1)
    else if b == [ ] then
      1
    else
      let
        order = compare (head a) (head b);
      in
      if order == 0 then compareLists compare (builtins.tail a) (builtins.tail b) else order;
}
