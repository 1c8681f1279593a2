//! The serial console and the virtual terminals.

use crate::fake::{printed, run};

#[test]
fn console_text_is_found_and_taken() {
    let script = r#"
import re
server.start()
server.wait_for_console_text("boots")
server.send_console("alpha one\nbeta two\ngamma\n")
server.wait_for_console_text("alpha.*two")          # lines are put together
server.wait_for_console_text("^gamma$")             # or not
server.send_console("one\ntwo\n")
server.wait_for_console_text("one\ntwo")
server.send_console("hel[    1.234567] usb 1-1: new\nlo world\n")
server.wait_for_console_text("hello world")         # split by a kernel message
server.send_console("@3 Late Text\n")
server.wait_for_console_text(re.compile("late text", re.I), timeout=5)
server.send_console("login: ")
server.wait_for_console_text("login: $")            # a line without an end
print(repr(server.get_console_log()))
print(server.full_console_log[-2:], server.last_lines.empty())
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn what_one_wait_has_taken_is_gone() {
    let script = r#"
server.start()
server.send_console("a b c\nd\n")
server.wait_for_console_text("a")
for text in ("b", "boots"):
    try:
        server.wait_for_console_text(text, timeout=1)
    except AssertionError as e:
        print(e, e.__notes__)
server.wait_for_console_text("d", timeout=0)
server.crash()
server.start()
print(server.get_console_log())
server.wait_for_console_text("boots", timeout=1)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn a_console_that_is_silent_for_good() {
    let script = "server.start()\nserver.send_console('last words')\nserver.crash()\nserver.wait_for_console_text('words')\nserver.wait_for_console_text('more')";
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn much_text_with_many_kernel_messages() {
    let script = r#"
server.start()
lines = [f"[{i:5}.000000] message {i}" for i in range(5000)]
server.send_console("\n".join(lines) + "\nfoo[ 5000.000000] in between\nbar\n")
server.wait_for_console_text("message 4999")
server.wait_for_console_text("foobar")
print("found")
"#;
    assert_eq!(printed(script), "found");
}

#[test]
fn terminals() {
    let script = r#"
print(server.get_tty_text(1))
server.wait_until_tty_matches("1", "login:")
server.wait_until_tty_matches(2, "Wel", timeout=1)
server.dump_tty_contents(1)
server.wait_until_tty_matches("1", r"pass\w+:", 1)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn a_console_that_is_never_silent_does_not_keep_a_wait_from_its_end() {
    let script = r#"
import time
def noise():
    server.send_console("noise\n")
    time.sleep(1)
server.start()
server.callbacks.append(noise)
server.wait_for_console_text("never", timeout=3)
"#;
    insta::assert_snapshot!(run(script).text());
}

#[test]
fn blanks_at_the_ends_of_lines_may_be_left_out() {
    let script = r#"
server.start()
server.send_console("passphrase: \nfoo \t\nbar\nx \nhel  [    1.234567] usb 1-1: new\nlo  \nnext\n")
for text in ("passphrase:$", "foobar", "x $", "^hel  lo$"):
    server.wait_for_console_text(text, timeout=0)
print(list(server.last_lines.queue))
"#;
    assert_eq!(printed(script), "['next']");
}

#[test]
fn a_match_takes_no_more_lines_than_it_needs() {
    let script = r#"
server.start()
server.send_console("begin 1\nend\nbetween\nbegin 2\n[    1.234567] usb 1-1: new\nend\nrest\n")
for pattern in ("begin.*end", r"begin[^§]*\nend"):
    server.wait_for_console_text(pattern, timeout=0)
    print(list(server.last_lines.queue))
"#;
    assert_eq!(
        printed(script),
        "['between', 'begin 2', '[    1.234567] usb 1-1: new', 'end', 'rest']\n['rest']"
    );
}

#[test]
fn lines_can_be_taken_one_by_one() {
    let script = r#"
import queue
server.start()
lines = server.last_lines
print(lines is server.last_lines, lines.get(), lines.empty(), lines.qsize())
server.send_console("one \ntwo\nthree")
print(lines.qsize(), lines.get_nowait(), lines.queue)
server.wait_for_console_text("two")
print(lines.empty())  # the last line has no end
for get in (lines.get_nowait, lambda: lines.get(timeout=2)):
    try:
        get()
    except queue.Empty as e:
        print(type(e).__name__)
server.send_console("@3  and four\n")
print(lines.get())
server.send_console("no end")
server.crash()
print(lines.get())
try:
    lines.get()
except queue.Empty:
    print("nothing can come any more")
server.start()
print(server.last_lines is lines, server.last_lines.get())
"#;
    insta::assert_snapshot!(run(script).text());
}
