//! Any n distinct rows give the n source rows back: a systematic Cauchy code over GF(2^8).
//!
//! Row i < n is source row i itself. Row i of n..=63 is the sum over j of `1 / (x_i + y_j)` times source row j, with
//! x_i = i and y_j = 128 + j. Every square part of a Cauchy matrix can be inverted, so no set of rows is unlucky.

use super::field::{add_multiple, inverse, scale};
use std::collections::BTreeMap;
use thiserror::Error;

/// Most source rows of a message.
pub const SOURCES_MAX: u8 = 32;
/// The highest index of a row.
pub const INDEX_MAX: u8 = 63;
/// y_0; y_j is so much more.
const FIRST_Y: u8 = 128;

/// Why rows cannot be made or undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ErasureError {
    #[error("{found} source rows, 1 to {SOURCES_MAX} expected")]
    Sources { found: usize },
    #[error("row {found}, at most {INDEX_MAX}")]
    Index { found: u8 },
    #[error("a row of {found} bytes, {expected} expected")]
    Size { expected: usize, found: usize },
    #[error("{found} rows, {expected} needed")]
    Rows { expected: usize, found: usize },
}

/// What source row `column` is multiplied by in row `index` of a message of `n` source rows.
///
/// # Errors
/// [`ErasureError`] outside `n` 1..=32, `index` 0..=63, `column` 0..n.
pub fn coefficient(n: u8, index: u8, column: u8) -> Result<u8, ErasureError> {
    if n == 0 || n > SOURCES_MAX || column >= n {
        return Err(ErasureError::Sources { found: n.max(column).into() });
    }
    if index > INDEX_MAX {
        return Err(ErasureError::Index { found: index });
    }
    if index < n {
        return Ok(u8::from(index == column));
    }
    // x is below 64 and y is 128 or more, so that their sum is never zero.
    inverse(index ^ FIRST_Y.saturating_add(column)).ok_or(ErasureError::Index { found: index })
}

/// Row `index`, 0..=63, of these source rows, which are all of one length.
///
/// # Errors
/// [`ErasureError`] for no or more than 32 source rows, for rows of different lengths, and for an index above 63.
pub fn encode_row(sources: &[&[u8]], index: u8) -> Result<Vec<u8>, ErasureError> {
    let n = count(sources.len())?;
    let size = sources.first().map_or(0, |row| row.len());
    let mut row = vec![0; size];
    for (column, source) in (0..n).zip(sources) {
        if source.len() != size {
            return Err(ErasureError::Size { expected: size, found: source.len() });
        }
        add_multiple(&mut row, coefficient(n, index, column)?, source);
    }
    Ok(row)
}

fn count(rows: usize) -> Result<u8, ErasureError> {
    u8::try_from(rows).ok().filter(|n| (1..=SOURCES_MAX).contains(n)).ok_or(ErasureError::Sources { found: rows })
}

/// The `n` source rows one after another, from any `n` rows by their index; more than `n` do no harm.
///
/// # Errors
/// [`ErasureError`] for too few rows, rows that are not all of `size` bytes, an index above 63, `n` outside 1..=32.
pub fn decode(n: u8, size: usize, rows: &BTreeMap<u8, Vec<u8>>) -> Result<Vec<u8>, ErasureError> {
    count(n.into())?;
    if let Some(found) = rows.keys().copied().find(|index| *index > INDEX_MAX) {
        return Err(ErasureError::Index { found });
    }
    if let Some(row) = rows.values().find(|row| row.len() != size) {
        return Err(ErasureError::Size { expected: size, found: row.len() });
    }
    if rows.len() < n.into() {
        return Err(ErasureError::Rows { expected: n.into(), found: rows.len() });
    }
    let missing: Vec<u8> = (0..n).filter(|index| !rows.contains_key(index)).collect();
    let mut solved = solve(equations(n, rows, &missing)?).into_iter();
    let mut object = Vec::with_capacity(size.saturating_mul(n.into()));
    for index in 0..n {
        match rows.get(&index) {
            Some(row) => object.extend_from_slice(row),
            None => object.extend(solved.next().unwrap_or_default()),
        }
    }
    Ok(object)
}

/// What one repair row says of the missing source rows.
struct Equation {
    /// One factor a missing row.
    factors: Vec<u8>,
    sum: Vec<u8>,
}

/// As many equations as rows are missing, with what is known of the others taken out.
fn equations(n: u8, rows: &BTreeMap<u8, Vec<u8>>, missing: &[u8]) -> Result<Vec<Equation>, ErasureError> {
    let mut equations = Vec::with_capacity(missing.len());
    for (index, row) in rows.range(n..).take(missing.len()) {
        let mut sum = row.clone();
        for (column, known) in rows.range(..n) {
            add_multiple(&mut sum, coefficient(n, *index, *column)?, known);
        }
        let factors = missing.iter().map(|column| coefficient(n, *index, *column)).collect::<Result<_, _>>()?;
        equations.push(Equation { factors, sum });
    }
    Ok(equations)
}

/// Gauss and Jordan: the unknown rows in order.
fn solve(mut open: Vec<Equation>) -> Vec<Vec<u8>> {
    let mut solved: Vec<Equation> = Vec::with_capacity(open.len());
    for column in 0..open.len() {
        let factor = |equation: &Equation| equation.factors.get(column).copied().unwrap_or(0);
        // There always is one: every square part of the matrix can be inverted.
        let Some(at) = open.iter().position(|equation| factor(equation) != 0) else { return Vec::new() };
        let mut pivot = open.swap_remove(at);
        let by = inverse(factor(&pivot)).unwrap_or(1);
        scale(&mut pivot.factors, by);
        scale(&mut pivot.sum, by);
        for other in open.iter_mut().chain(&mut solved) {
            let by = factor(other);
            add_multiple(&mut other.factors, by, &pivot.factors);
            add_multiple(&mut other.sum, by, &pivot.sum);
        }
        solved.push(pivot);
    }
    solved.into_iter().map(|equation| equation.sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::field::multiply;
    use crate::air::golden::{self, number, text, unhex};
    use proptest::prelude::*;
    use proptest::sample::subsequence;
    use serde_json::{Value, json};

    fn byte(case: &Value, key: &str) -> u8 {
        u8::try_from(number(case, key)).unwrap()
    }

    #[test]
    fn the_golden_rows_are_made_so() {
        golden::hold(include_str!("vectors/erasure.jsonl"), |case| {
            let object = unhex(text(case, "hex"));
            let n = usize::from(byte(case, "n"));
            let sources: Vec<&[u8]> = object.chunks(object.len() / n).collect();
            let row = encode_row(&sources, byte(case, "index")).map_err(|error| error.to_string())?;
            Ok(json!({ "row": hex::encode(row) }))
        });
    }

    #[test]
    fn a_coefficient_is_the_inverse_of_the_sum_of_its_coordinates() {
        for n in 1..=SOURCES_MAX {
            for index in n..=INDEX_MAX {
                for column in 0..n {
                    let factor = coefficient(n, index, column).unwrap();
                    assert_eq!(multiply(factor, index ^ (128 + column)), 1);
                }
            }
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert_eq!(coefficient(0, 0, 0), Err(ErasureError::Sources { found: 0 }));
        assert_eq!(coefficient(33, 0, 0), Err(ErasureError::Sources { found: 33 }));
        assert_eq!(coefficient(4, 64, 0), Err(ErasureError::Index { found: 64 }));
        assert_eq!(encode_row(&[], 0), Err(ErasureError::Sources { found: 0 }));
        assert_eq!(encode_row(&[&[1], &[1, 2]], 0), Err(ErasureError::Size { expected: 1, found: 2 }));
        let rows = BTreeMap::from([(0, vec![1]), (64, vec![1])]);
        assert_eq!(decode(2, 1, &rows), Err(ErasureError::Index { found: 64 }));
        let rows = BTreeMap::from([(0, vec![1]), (5, vec![1, 2])]);
        assert_eq!(decode(2, 1, &rows), Err(ErasureError::Size { expected: 1, found: 2 }));
        assert_eq!(decode(3, 1, &BTreeMap::from([(9, vec![1])])), Err(ErasureError::Rows { expected: 3, found: 1 }));
    }

    fn any_message() -> impl Strategy<Value = (u8, usize, Vec<u8>, Vec<u8>)> {
        (1..=SOURCES_MAX, 1_usize..12).prop_flat_map(|(n, size)| {
            let object = prop::collection::vec(any::<u8>(), usize::from(n) * size);
            let kept = subsequence((0..=INDEX_MAX).collect::<Vec<u8>>(), usize::from(n));
            (Just(n), Just(size), object, kept)
        })
    }

    proptest! {
        #[test]
        fn any_n_distinct_rows_give_the_message_back((n, size, object, kept) in any_message()) {
            let sources: Vec<&[u8]> = object.chunks(size).collect();
            let rows = kept.iter().map(|index| (*index, encode_row(&sources, *index).unwrap())).collect();
            prop_assert_eq!(decode(n, size, &rows).unwrap(), object);
        }

        #[test]
        fn repair_rows_alone_are_enough((n, size, object, _) in any_message()) {
            let sources: Vec<&[u8]> = object.chunks(size).collect();
            let rows = (n..n + n.min(INDEX_MAX + 1 - n)).map(|i| (i, encode_row(&sources, i).unwrap())).collect();
            prop_assert_eq!(decode(n, size, &rows).unwrap(), object);
        }
    }
}
