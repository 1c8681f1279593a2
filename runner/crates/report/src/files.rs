//! The folder of a report: `report.json`, `junit.xml`, `index.html`, and beside them what the machines said.

use std::fs;
use std::io;
use std::path::Path;

use crate::log::Logs;
use crate::model::Report;
use crate::{junit, page};

/// The result for programs.
pub const JSON: &str = "report.json";

/// The result for programs that know tests by their cases.
pub const JUNIT: &str = "junit.xml";

/// The result for people.
pub const PAGE: &str = "index.html";

/// Where Hydra looks for what a build wants to show.
pub const HYDRA_PRODUCTS: &str = "nix-support/hydra-build-products";

/// Writes the report into its folder, in which the logs and pictures lie that it names.
///
/// # Errors
/// When something cannot be written.
pub fn write(report: &Report, logs: &Logs, folder: &Path) -> io::Result<()> {
    let mut json = serde_json::to_string_pretty(report)?;
    json.push('\n');
    fs::write(folder.join(JSON), json)?;
    let junit = junit::render(report, logs).map_err(io::Error::other)?;
    fs::write(folder.join(JUNIT), junit)?;
    fs::write(folder.join(PAGE), page::render(report, logs, folder))?;
    let products = folder.join(HYDRA_PRODUCTS);
    if let Some(parent) = products.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(products, hydra_products(folder))
}

/// Lines of a type, a subtype and a path, as Hydra reads them.
fn hydra_products(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "report vmtest {folder} {PAGE}\nfile junit {folder}/{JUNIT}\nfile json {folder}/{JSON}\n"
    )
}

/// Reads a report, from its file or the folder that has it.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn read(path: &Path) -> io::Result<Report> {
    let file = if path.is_dir() {
        path.join(JSON)
    } else {
        path.to_owned()
    };
    let text = fs::read_to_string(&file)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| io::Error::other(format!("{}: not a report: {error}", file.display())))
}
