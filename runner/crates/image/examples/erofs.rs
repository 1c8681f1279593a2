//! Makes an EROFS image of layers and tells how long it took: `erofs IMAGE LAYER…`, where a layer is a tar archive
//! or a directory; a directory in the Nix store goes to its own path.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use vmtest_image::erofs;
use vmtest_image::tree::{Layer, Tree};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let image = arguments.next().ok_or("usage: erofs IMAGE LAYER…")?;
    let layers: Vec<Layer> = arguments
        .map(|path| match path {
            path if path.starts_with("/nix/store") => Layer::StorePaths(vec![path]),
            path if path.is_dir() => Layer::Tree(path),
            path => Layer::Archive(path),
        })
        .collect();
    let start = Instant::now();
    let tree = Tree::from_layers(&layers)?;
    let merged = start.elapsed();
    let info = erofs::write(&tree, erofs::Label::new("example"), &image)?;
    let total = start.elapsed();
    let megabytes = info.bytes as f64 / 1e6;
    writeln!(
        std::io::stdout(),
        "{} objects, {megabytes:.1} MB: merged in {merged:.3?}, all in {total:.3?}, {:.0} MB/s",
        info.inodes,
        megabytes / total.as_secs_f64(),
    )?;
    Ok(())
}
