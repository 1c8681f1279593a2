//! How a handle looks at the screen.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use vmtest_script::backend::MachineErrorKind as Failure;

use super::handle::Handle;
use crate::ocr::{OcrError, Screen};

/// How long one look at a screen may take with all of its variants, on a host that is not busy with emulation.
const READING_TIME: Duration = Duration::from_secs(60);

impl Handle {
    /// Writes a picture of the screen, as PNG.
    ///
    /// # Errors
    /// When QEMU does not run or refuses.
    pub async fn screenshot(&self, path: &Path) -> Result<(), Failure> {
        self.dump_screen(path, "png").await
    }

    /// Takes a picture of the screen to read.
    ///
    /// # Errors
    /// When the test has no program to read it with, or there is no picture.
    pub async fn screen(&self) -> Result<Screen, Failure> {
        let Some(tesseract) = &self.setup.tesseract else {
            return Err(Failure::Refused {
                reason: "screens can be read in tests with `enableOCR = true` only".to_owned(),
            });
        };
        let number = self.record.pictures.fetch_add(1, Ordering::Relaxed);
        let path = self.setup.state_dir.join(format!("screen{number}.ppm"));
        let dumped = self.dump_screen(&path, "ppm").await;
        let picture = tokio::fs::read(&path).await;
        // There may be none.
        let _ = tokio::fs::remove_file(&path).await;
        dumped?;
        let picture = picture.map_err(|error| Failure::Refused {
            reason: format!("no picture of the screen: {error}"),
        })?;
        let time = READING_TIME * self.setup.accelerator.patience();
        Screen::new(&picture, tesseract, time).map_err(|error| unread(&error))
    }

    async fn dump_screen(&self, path: &Path, format: &str) -> Result<(), Failure> {
        let arguments = json!({ "filename": path, "format": format });
        match self.execute("screendump", arguments).await {
            Err(Failure::Qmp { description, .. }) => Err(Failure::Refused {
                reason: format!("no screenshot: {description}"),
            }),
            result => result.map(drop),
        }
    }
}

/// The machine is well.
pub(crate) fn unread(error: &OcrError) -> Failure {
    match error {
        // Another look may be quicker.
        OcrError::TooSlow(after) => Failure::TimedOut {
            what: "the text on the screen".to_owned(),
            after: *after,
        },
        _ => Failure::Refused {
            reason: error.to_string(),
        },
    }
}
