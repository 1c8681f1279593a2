"""The driver of NixOS VM tests, by the names under which scripts import its parts."""
