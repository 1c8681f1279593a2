//! Commands of the guest's shell.

use std::io::BufReader;

use brush_parser::{Parser, ParserOptions};

/// Why bash could not parse a command; nothing where it can.
pub(super) fn mistake(command: &str) -> Option<String> {
    // The one word of bash that the parser does not know.
    if command.split_whitespace().any(|word| word == "select") {
        return None;
    }
    let mut parser = Parser::new(
        BufReader::new(command.as_bytes()),
        &ParserOptions::default(),
    );
    let error = parser.parse_program().err()?;
    Some(error.to_string())
}

/// Whether the status of a command is of no interest: it is put in the background, or ends in a success.
pub(super) fn has_no_status(command: &str) -> bool {
    let command = command.trim_end();
    let is_background = command.ends_with('&') && !command.ends_with("&&");
    let ends = ["|| true", "|| :", "||true", "||:", "; true"];
    is_background || ends.iter().any(|end| command.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::{has_no_status, mistake};

    #[test]
    fn commands_of_tests_are_parsed() {
        let right = [
            "true",
            "systemctl start nginx && curl -sf http://localhost:80/ | grep -q 'hello world'",
            "for i in {1..3}; do echo $i; done",
            "cat > /tmp/x << 'EOF'\na 'quote\nEOF",
            "cat <<EOF | su - alice -c 'bash -s'\n$HOME \"\nEOF\n",
            "[[ $(stat -c %U /x) == root ]] || exit 1",
            "x=$((1 + 2)); (( x > 2 )) && echo ${x:-y} ${#x} ${x//a/b}",
            "diff <(echo a) <(echo b) >&2",
            "sleep 100 >/dev/null 2>&1 &",
            "case $x in a) echo 1;; *) echo 2;; esac",
            "f() { echo \"$@\"; }; f a b",
            "echo \"a `date` b\"",
            "test -e /run/x -a ! -e /run/y",
            "set -euo pipefail; while read -r line; do :; done < /etc/passwd",
            "",
            "# only a comment",
            "awk '{ print $1 }' /proc/loadavg",
            "! grep -q x /etc/hosts",
            "time true",
            "coproc cat",
            "echo $'a\\tb' | tr '\\t' ' '",
            "declare -A m=([a]=1 [b]=2); echo ${m[a]} ${!m[@]}",
            "select x in a b; do break; done",
            "nix-build -E '(import <nixpkgs> {}).hello'",
            "printf '%s\\n' {a,b}{1,2}",
            "if ! systemctl is-active x; then journalctl -u x; exit 1; fi",
            "curl 'http://[::1]:80/?a=b&c=d'",
            "test \"$(cat /a)\" = 'b'\ntest -z ''",
        ];
        for command in right {
            assert_eq!(mistake(command), None, "{command}");
        }
    }

    #[test]
    fn mistakes_are_seen() {
        let wrong = [
            "echo 'not closed",
            "echo \"not closed",
            "if true; then echo x",
            "for i in 1 2 3 do echo; done",
            "echo a | | cat",
            "( echo a",
            "echo a )",
            "case x in a) echo",
            "echo $(true",
            "&& true",
            "while true; do true; fi",
        ];
        for command in wrong {
            assert!(mistake(command).is_some(), "{command}");
        }
    }

    #[test]
    fn commands_without_a_status_are_known() {
        for command in ["sleep 1 &", "rm x || true", "a; b || :  ", "x ; true"] {
            assert!(has_no_status(command), "{command}");
        }
        for command in ["true", "a && b", "true &&", "echo '&'x"] {
            assert!(!has_no_status(command), "{command}");
        }
    }
}
