//! Text on a machine's screen, read by the program `tesseract`.
//!
//! The picture is prepared in several ways, of which one suits what is on the screen; each is prepared and read only when
//! somebody asks for it. Pictures and text go through pipes.

mod picture;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use image::{GrayImage, ImageError};
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

pub use picture::Variant;

/// Why a screen cannot be read.
#[derive(Debug, Error)]
pub enum OcrError {
    /// The picture is of no known form.
    #[error("the picture of the screen cannot be read: {0}")]
    Picture(#[from] ImageError),
    /// The program could not be run.
    #[error("cannot run {program}: {error}")]
    Program {
        /// The program.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// The program failed.
    #[error("{program} failed ({status}): {said}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// What it said.
        said: String,
    },
    /// All of the time is used up.
    #[error("the screen was not read within {} seconds", .0.as_secs())]
    TooSlow(Duration),
}

/// A picture of a screen, ready to be read.
#[derive(Debug, Clone)]
pub struct Screen {
    picture: Arc<GrayImage>,
    tesseract: PathBuf,
    time: Duration,
    deadline: Instant,
}

impl Screen {
    /// Decodes a picture in one of the netpbm formats. `time` is what all of its variants may take together.
    ///
    /// # Errors
    /// [`OcrError::Picture`].
    pub fn new(picture: &[u8], tesseract: &Path, time: Duration) -> Result<Self, OcrError> {
        Ok(Self {
            picture: Arc::new(picture::decode(picture)?),
            tesseract: tesseract.to_owned(),
            time,
            deadline: Instant::now() + time,
        })
    }

    /// The text that one variant of the picture shows; it may be empty.
    ///
    /// # Errors
    /// When the program fails or the time is over.
    pub async fn text(&self, variant: Variant) -> Result<String, OcrError> {
        timeout_at(self.deadline, self.read(variant))
            .await
            .unwrap_or(Err(OcrError::TooSlow(self.time)))
    }

    async fn read(&self, variant: Variant) -> Result<String, OcrError> {
        let picture = Arc::clone(&self.picture);
        let prepared = spawn_blocking(move || picture::encode(&variant.prepare(&picture)));
        let program = || self.tesseract.display().to_string();
        let cannot_run = |error| OcrError::Program {
            program: program(),
            error,
        };
        let prepared = prepared.await.map_err(|error| cannot_run(error.into()))?;
        let output = self.run(variant, &prepared).await.map_err(cannot_run)?;
        if !output.status.success() {
            return Err(OcrError::Failed {
                program: program(),
                status: output.status.to_string(),
                said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn run(&self, variant: Variant, picture: &[u8]) -> io::Result<Output> {
        let mut child = Command::new(&self.tesseract)
            .args(["stdin", "stdout", "--psm", variant.segmentation()])
            .args(["-c", "debug_file=/dev/null"])
            // Its threads only wait for each other: one alone is faster.
            .env("OMP_THREAD_LIMIT", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdin = child.stdin.take();
        let write = async move {
            if let Some(mut stdin) = stdin {
                // A program that does not want it says why itself.
                let _ = stdin.write_all(picture).await;
            }
        };
        let ((), output) = tokio::join!(write, child.wait_with_output());
        output
    }
}

#[cfg(test)]
mod tests;
