# Everything that a script can use, with machines that go on from where another derivation has saved them.
{ guests, vmTest }: import ../conformance/test.nix { inherit guests vmTest; } { restored = true; }
