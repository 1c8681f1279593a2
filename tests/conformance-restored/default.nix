# Everything that a script can use, with machines that go on from where another derivation has saved them.
arguments: import ../conformance/test.nix arguments { restored = true; }
