# Addresses: machines are numbered alphabetically from 1, and everything follows from a machine's number and its VLANs.
let
  inherit (builtins)
    attrNames
    concatMap
    elemAt
    genList
    head
    length
    listToAttrs
    split
    substring
    ;

  # Two hexadecimal digits.
  hexByte =
    number:
    let
      digit = value: substring value 1 "0123456789abcdef";
    in
    digit (number / 16) + digit (number - number / 16 * 16);

  ipv4 = vlan: number: "192.168.${toString vlan}.${toString number}";
  ipv6 = vlan: number: "2001:db8:${toString vlan}::${toString number}";

  interface = number: index: vlan: {
    name = "eth${toString (index + 1)}";
    inherit vlan;
    mac = "52:54:00:12:${hexByte vlan}:${hexByte number}";
    addresses = [
      "${ipv4 vlan number}/24"
      "${ipv6 vlan number}/64"
    ];
  };
in
/**
  From the machine specs by name to the part `network` of each machine's manifest. A machine's name stands for its address
  on the first of its interfaces. A spec that comes with `interfaces` has numbered them itself.
*/
specs:
let
  names = attrNames specs;
  numbers = listToAttrs (
    genList (index: {
      name = elemAt names index;
      value = index + 1;
    }) (length names)
  );
  hosts = concatMap (
    name:
    let
      found = interfaces name;
    in
    map (address: {
      address = head (split "/" address);
      names = [ name ];
    }) (if found == [ ] then [ ] else (head found).addresses)
  ) names;

  interfaces =
    name:
    let
      spec = specs.${name};
    in
    if spec.interfaces or null != null then
      spec.interfaces
    else
      genList (index: interface numbers.${name} index (elemAt spec.vlans index)) (length spec.vlans);
in
builtins.mapAttrs (name: spec: {
  setup = spec.networkSetup;
  user = spec.userNetwork;
  hostName = name;
  interfaces = interfaces name;
  inherit hosts;
}) specs
