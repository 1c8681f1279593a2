//! Readers that do what a test wants.

use tempfile::TempDir;

use super::*;

const PICTURE: &[u8] = b"P6\n2 1\n255\n\x00\x00\x00\xff\xff\xff";

const TIME: Duration = Duration::from_secs(20);

/// A program of the shell's language that stands for tesseract.
fn screen(program: &str, time: Duration) -> (TempDir, Screen) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("tesseract");
    // Not by this process: one that it forks meanwhile would hold the file open, and it could not be run.
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" > "$0"; chmod +x "$0""#;
    let mut shell = std::process::Command::new("/bin/sh");
    let written = shell.args(["-c", write]).arg(&path).arg(program).status();
    assert!(written.expect("a shell").success());
    let screen = Screen::new(PICTURE, &path, time).expect("a picture");
    (folder, screen)
}

#[tokio::test]
async fn each_variant_is_prepared_and_read() {
    let program =
        r#"read magic; read size; cat > /dev/null; echo "$magic $size $* $OMP_THREAD_LIMIT""#;
    let (_folder, screen) = screen(program, TIME);
    let expected = [
        "P5 8 4 stdin stdout --psm 11 -c debug_file=/dev/null 1\n",
        "P5 8 4 stdin stdout --psm 6 -c debug_file=/dev/null 1\n",
        "P5 8 4 stdin stdout --psm 11 -c debug_file=/dev/null 1\n",
        "P5 2 1 stdin stdout --psm 11 -c debug_file=/dev/null 1\n",
    ];
    for (variant, text) in Variant::ALL.into_iter().zip(expected) {
        assert_eq!(screen.text(variant).await.expect("read"), text);
    }
}

#[tokio::test]
async fn a_program_that_fails_is_quoted() {
    let (_folder, screen) = screen("echo 'no language data' >&2; exit 1", TIME);
    let error = screen.text(Variant::Raw).await.expect_err("fails");
    let text = error.to_string();
    assert!(
        text.ends_with("/tesseract failed (exit status: 1): no language data"),
        "{text}"
    );
}

#[tokio::test]
async fn a_program_that_is_not_there() {
    let screen = Screen::new(PICTURE, Path::new("/no/tesseract"), TIME).expect("a picture");
    let error = screen.text(Variant::Raw).await.expect_err("fails");
    assert!(
        error.to_string().starts_with("cannot run /no/tesseract: "),
        "{error}"
    );
}

/// One budget for all variants.
#[tokio::test]
async fn a_program_that_hangs_uses_up_the_time() {
    let (_folder, screen) = screen("exec sleep 1000", Duration::from_millis(50));
    for variant in [Variant::Words, Variant::Raw] {
        let error = screen.text(variant).await.expect_err("hangs");
        assert!(matches!(error, OcrError::TooSlow(_)), "{error}");
    }
}

#[test]
fn what_is_no_picture() {
    let error = Screen::new(b"<svg/>", Path::new("/t"), TIME).expect_err("no picture");
    assert!(error.to_string().starts_with("the picture of the screen"));
}
