//! What takes the space in a directory: one line per argument, in bytes, largest first.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

/// The bytes in a file, or in all files below a directory; links are not followed.
fn size(path: &Path) -> io::Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut total = 0;
    for entry in fs::read_dir(path)? {
        total += size(&entry?.path())?;
    }
    Ok(total)
}

fn main() -> ExitCode {
    let mut paths: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    if paths.iter().any(|path| path.as_os_str() == "--version") {
        println!("treesize {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    if paths.is_empty() {
        paths.push(PathBuf::from("."));
    }
    let workers: Vec<_> = paths
        .into_iter()
        .map(|path| thread::spawn(move || (size(&path), path)))
        .collect();
    let mut failed = false;
    let mut sizes = Vec::new();
    for worker in workers {
        match worker.join().expect("size never panics") {
            (Ok(bytes), path) => sizes.push((bytes, path)),
            (Err(error), path) => {
                eprintln!("treesize: {}: {error}", path.display());
                failed = true;
            }
        }
    }
    sizes.sort_by(|a, b| b.cmp(a));
    for (bytes, path) in sizes {
        println!("{bytes:>9} {}", path.display());
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
