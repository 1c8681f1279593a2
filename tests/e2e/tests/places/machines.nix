# Machines with a mistake each: where it stands is part of the error.
let
  file = builtins.toFile "file" "";
  machine = {
    kernel = {
      image = file;
      modules = file;
    };
    closure = [ file ];
  };
in
{
  misspelt.server = machine // {
    memroy = 1;
  };

  mistyped.server = machine // {
    memory = null;
  };

  in-a-list.server = machine // {
    vlans = [
      1
      "2"
    ];
  };
}
