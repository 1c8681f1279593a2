# Text that nixpkgs writes into its start script, where a shell reads it.
{
  /**
    Whether the text is words that no shell changes.
  */
  isPlain = text: builtins.match "[A-Za-z0-9 @%+=:,./_-]*" text != null;

  /**
    Whether the text is one word that a shell takes for a path, and does not change.
  */
  isPlainPath = text: builtins.match "[^$`\"'*?\\ ]*" text != null;

  /**
    The words of plain text.
  */
  of = text: builtins.filter (word: builtins.isString word && word != "") (builtins.split " +" text);

  /**
    The shared folders that the start script has of its own.
  */
  ownFolders = [
    "nix-store"
    "xchg"
    "shared"
    "certs"
  ];
}
