//! Pictures of screens, in the page as far as they are not large.

use std::fs;
use std::path::{Component, Path};

use super::html::{Html, link, seconds};
use super::section;
use crate::model::{Report, Screenshot};

/// Bytes of pictures in the page, all together; the others are links.
const ROOM: usize = 6 << 20;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn render(html: &mut Html, report: &Report, folder: &Path) {
    if report.screenshots.is_empty() {
        return;
    }
    section(html, "screens", "Screens");
    html.raw("<div class=\"pictures\">");
    let mut room = ROOM;
    for picture in &report.screenshots {
        let Screenshot {
            machine,
            time,
            file,
        } = picture;
        html.raw("<figure>");
        html.open_with("a", &[("href", &link(file))]);
        match read(&folder.join(file), file, room) {
            Some(bytes) => {
                room -= bytes.len();
                let source = format!("data:image/png;base64,{}", base64(&bytes));
                html.open_with(
                    "img",
                    &[("src", &source), ("alt", &file), ("loading", &"lazy")],
                );
            }
            None => drop(html.text(file)),
        }
        html.raw("</a>");
        html.element(
            "figcaption",
            "",
            format_args!("{machine}, {}: {file}", seconds(*time)),
        );
        html.raw("</figure>");
    }
    html.raw("</div></section>");
}

/// A picture beside the page, if it is one and there is room for it.
fn read(path: &Path, file: &str, room: usize) -> Option<Vec<u8>> {
    let mut parts = Path::new(file).components();
    let is_beside = parts.all(|part| matches!(part, Component::Normal(_)));
    let size = usize::try_from(path.metadata().ok()?.len()).ok()?;
    let fits = size <= room;
    let bytes = (is_beside && fits).then(|| fs::read(path).ok()).flatten()?;
    bytes.starts_with(b"\x89PNG\r\n").then_some(bytes)
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) & 63;
            let is_padding = digit > chunk.len();
            text.push(if is_padding {
                '='
            } else {
                char::from(ALPHABET[index as usize])
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4648, section 10.
    #[test]
    fn base64_of_the_standard() {
        let table = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, expected) in table {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn only_pictures_beside_the_page_are_shown() {
        let folder = tempfile::tempdir().expect("folder");
        let picture = b"\x89PNG\r\n\x1a\nrest";
        fs::write(folder.path().join("screen.png"), picture).expect("file");
        fs::write(folder.path().join("text.png"), "no picture").expect("file");
        let read = |file: &str, room| read(&folder.path().join(file), file, room);
        assert_eq!(read("screen.png", 100).as_deref(), Some(&picture[..]));
        assert_eq!(read("screen.png", 5), None);
        assert_eq!(read("text.png", 100), None);
        assert_eq!(read("../screen.png", 100), None);
        let absolute = folder.path().join("screen.png");
        assert_eq!(read(absolute.to_str().expect("text"), 100), None);
    }
}
