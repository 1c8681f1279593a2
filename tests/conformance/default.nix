# Everything that a script can use, with machines that boot.
arguments: import ./test.nix arguments { restored = false; }
