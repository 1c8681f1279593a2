# Everything that a script can use, with machines that boot.
{ guests, vmTest }: import ./test.nix { inherit guests vmTest; } { restored = false; }
