//! The order in which people put names that have numbers in them.

use std::cmp::Ordering;

use pyo3::prelude::*;

/// The digits that a text begins with, without leading zeros, and what comes after them.
fn number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}

/// Numbers by their value, however long they are; everything else letter by letter.
fn natural(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else {
            return a.len().cmp(&b.len());
        };
        let ordering = if x.is_ascii_digit() && y.is_ascii_digit() {
            let ((m, rest_a), (n, rest_b)) = (number(a), number(b));
            (a, b) = (rest_a, rest_b);
            m.len().cmp(&n.len()).then_with(|| m.cmp(n))
        } else {
            (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
            x.to_lowercase().cmp(y.to_lowercase())
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
}

/// -1, 0 or 1: whether a name comes before another one, beside it, or after it.
#[pyfunction]
fn compare(a: &str, b: &str) -> i8 {
    natural(a, b) as i8
}

/// The places of the names, first to last; names that are equal stay as they are.
#[pyfunction]
fn order(py: Python<'_>, names: Vec<String>) -> Vec<usize> {
    py.detach(|| {
        let mut places: Vec<usize> = (0..names.len()).collect();
        places.sort_by(|&i, &j| natural(&names[i], &names[j]));
        places
    })
}

#[pymodule]
fn _order(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(compare, module)?)?;
    module.add_function(wrap_pyfunction!(order, module)?)
}
