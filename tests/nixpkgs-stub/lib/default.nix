# As nixpkgs' own folder of that name is: the library as it is, without arguments. Which release it plays is chosen by
# the stub's own default.nix.
import ./make.nix { release = "25.11"; }
