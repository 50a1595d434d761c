//! Edit distances between names, many at once.

use std::thread;

use pyo3::prelude::*;

/// Insertions, deletions, substitutions and swaps of neighbours that turn one name into another
/// (the optimal string alignment distance), in characters.
fn edits(from: &[char], to: &[char]) -> usize {
    let width = to.len() + 1;
    let mut before = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1; width];
        for (j, b) in to.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

fn characters(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// The number of edits between two names.
#[pyfunction]
fn distance(a: &str, b: &str) -> usize {
    edits(&characters(a), &characters(b))
}

/// The number of edits between a name and each candidate, on all processors.
#[pyfunction]
fn distances(py: Python<'_>, name: &str, candidates: Vec<String>) -> Vec<usize> {
    let name = characters(name);
    let processors = thread::available_parallelism().map_or(1, |n| n.get());
    let share = candidates.len().div_ceil(processors).max(1);
    py.detach(|| {
        thread::scope(|scope| {
            let workers: Vec<_> = candidates
                .chunks(share)
                .map(|part| {
                    let name = &name;
                    scope.spawn(move || {
                        part.iter().map(|c| edits(name, &characters(c))).collect::<Vec<_>>()
                    })
                })
                .collect();
            workers.into_iter().flat_map(|w| w.join().expect("edits never panics")).collect()
        })
    })
}

#[pymodule]
fn _distance(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(distance, module)?)?;
    module.add_function(wrap_pyfunction!(distances, module)?)
}
