//! Keyboard, screen, windows, network, monitor, QMP and shells.

use crate::fake::{printed, run};

#[test]
fn keys() {
    let script = r#"
server.start()
server.send_key("ctrl-alt-f2")
server.send_key("A", 0.5)
server.send_key("\n", delay=None, log=False)
server.send_chars("aB 7!\n", 0)
server.send_chars("'\"\\")
server.send_chars("é\tx")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn keys_of_a_subclass() {
    let script = r#"
class Typing(Machine):
    def send_key(self, key, delay=0, log=True):
        print(repr(key), delay, log)
Typing().send_chars("a?", 3)
"#;
    assert_eq!(printed(script), "'a' 3 False\n'?' 3 False");
}

#[test]
fn screens() {
    let script = r#"
server.start()
print(server.get_screen_text(), server.get_screen_text_variants())
server.wait_for_text("[Ww]elcome")
server.wait_for_text("nowhere", timeout=2)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn a_screen_that_is_read_too_slowly_is_read_again() {
    let script = r#"
server.start()
server.send_monitor_command("slow 2")
server.wait_for_text("[Ww]elcome")
server.send_monitor_command("slow 9")
server.wait_for_text("nowhere", timeout=100)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn pictures_in_a_folder_of_the_runner() {
    let run = run("server.start()\nserver.screenshot('sub/x.png')");
    let path = std::env::current_dir().expect("a folder").join("sub/x.png");
    let call = format!("<server: screenshot {}>", path.display());
    assert!(run.log.contains(&call), "{}", run.log);
}

#[test]
fn pictures_for_scripts() {
    let script = r#"
server.start()
with server._managed_screenshot() as path:
    print(path.read_bytes().split(b"\n", 3))
print(path.exists(), path.parent.exists())
server.crash()
try:
    with server._managed_screenshot() as path:
        print("never")
except Exception as e:
    print(type(e).__name__, e)
"#;
    insta::assert_snapshot!(printed(script));
}

#[test]
fn a_wrong_pattern_is_said_before_anything_is_waited_for() {
    let script = r#"
import re
for wait in (server.wait_for_text, server.wait_for_console_text, server.wait_for_window, lambda p: server.wait_until_tty_matches(1, p)):
    try:
        wait("(")
    except re.error as e:
        print(e)
print(server.booted)
"#;
    assert_eq!(printed(script).lines().last(), Some("False"));
}

#[test]
fn windows() {
    let script = r#"
print(server.get_window_names())
server.wait_for_x(timeout=60)
server.wait_for_window("editor")
server.wait_for_window("browser", 1)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn networks() {
    let script = r#"
server.start()
server.block()
server.unblock()
server.forward_port()
server.forward_port(8443, guest_port="443")
server.forward_port(1 << 17)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn monitors() {
    let script = r#"
server.start()
print(repr(server.send_monitor_command("info mice")), repr(server.wait_for_monitor_prompt()))
server.crash()
server.send_monitor_command("info mice")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn qmp() {
    let script = r#"
try:
    server.wait_for_qmp_event(lambda e: True)
except RuntimeError as e:
    print(e)
server.start()
qmp = server.qmp_client
print(qmp.send("query-status"), qmp.send("announce", {"a": [1, None]}), qmp is server.qmp_client)
print(server.wait_for_qmp_event(lambda e: e["event"] == "SHUTDOWN", timeout=5))
qmp.send("announce")
print(qmp.wait_for_event(timeout=1), list(qmp.events()), list(qmp.events(timeout=10)))
try:
    qmp.wait_for_event(timeout=1)
except TimeoutError as e:
    print(e)
try:
    qmp.send("nonsense", args={})
except RuntimeError as e:
    print(type(e).__name__, e, e.class_name, e.description)
import time; time.sleep(1)
qmp.send("announce")
print(list(qmp.events()))
server.wait_for_qmp_event(lambda e: False, 3)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn shells() {
    let script = r#"
server.connect()
shell = server.shell
print(shell is server.shell, shell.send(b"echo hi\n"), shell.recv(4), shell.recv(4096))
shell.settimeout(0.001)
try:
    shell.recv()
except TimeoutError as e:
    print(e)
shell.sendall(bytearray(b"exit\n"))
print(shell.recv(1))
shell.close()
shell.settimeout(None)
shell.sendall(b"again\n")
print(shell.recv())
server.reboot()
print(server.shell is shell)
server.shell.send("text")
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn a_shell_is_connected_to_a_socket() {
    let script = r#"
import os, socket, tempfile, threading
for kind in ("unix-connect", "UNIX-LISTEN"):
    path = tempfile.mkdtemp(dir="/tmp") + "/s"
    listener = socket.socket(socket.AF_UNIX)
    if kind == "unix-connect":
        listener.bind(path)
        listener.listen()
    def other_side():
        if kind == "unix-connect":
            connection, _ = listener.accept()
        else:
            while True:
                try:
                    listener.connect(path)
                    break
                except OSError:
                    pass
            connection = listener
        connection.sendall(b"over\n")
        print(connection.recv(100))
        connection.sendall(b"exit\n")
    thread = threading.Thread(target=other_side)
    thread.start()
    server.shell_interact(f"{kind}:{path},retry=3")
    thread.join()
try:
    server.shell_interact("unix:/no/such/socket")
except OSError as e:
    print(e)
server.shell_interact("exec:sh")
"#;
    let run = run(script);
    let shown: Vec<&str> = run
        .log
        .lines()
        .filter_map(|line| line.strip_prefix("out: "))
        .collect();
    assert_eq!(shown[..2], [r"b'OVER\n'"; 2]);
    assert!(shown[2].starts_with("cannot connect to unix-connect:/no/such/socket: "));
    let failure = run.result.expect_err("the address is wrong");
    assert!(
        failure
            .message
            .contains("cannot understand the address `exec:sh`"),
        "{failure}"
    );
}

#[test]
fn there_is_no_terminal() {
    let script = r#"
for interact in (server.shell_interact, server.console_interact, server.ssh_backdoor_command):
    try:
        interact()
    except RuntimeError as e:
        print(e)
"#;
    // A developer may run the tests at a terminal, where this is different.
    if !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        insta::assert_snapshot!(printed(script));
    }
}
