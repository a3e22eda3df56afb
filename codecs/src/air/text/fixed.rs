//! Whole-number arithmetic of the logistic scale. Every step is an integer operation, so that both ends agree bit for
//! bit whatever processor they run on.
//!
//! A probability is a number of 65,536ths in `1..=65_535`. On the logistic scale it is `ln(p / (1 - p))` in 256ths,
//! within ±[`STRETCH_MAX`].

use std::sync::LazyLock;

/// The probability that stands for certainty, and is never reached.
pub const ONE: i32 = 1 << 16;

/// `256 * ln(65_535)`, rounded up: the logistic scale ends here.
pub const STRETCH_MAX: i32 = 2_840;

/// `e^(1/256)` in 2^44ths.
const STEP: u128 = 17_661_039_913_813;
const SCALE: u32 = 44;

struct Tables {
    /// `squash(d)` for `d` in `0..=STRETCH_MAX`.
    squash: Vec<i32>,
    /// `256 * ln(x)` for `x` in `0..4096`; the value at 0 is that at 1.
    ln: Vec<i32>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

impl Tables {
    fn new() -> Self {
        let one = 1_u128 << SCALE;
        // `power` is e^(d/256) in 2^44ths; it stays below 2^61 for every d of the scale.
        let mut power = one;
        let mut squash = Vec::new();
        let mut ln = vec![0];
        for d in 0..=STRETCH_MAX {
            let p = (power << 16) / (power + one);
            squash.push(i32::try_from(p).unwrap_or(ONE - 1).clamp(1, ONE - 1));
            while ln.len() < 4_096 && (ln.len() as u128) << SCALE <= power {
                ln.push(d);
            }
            power = (power * STEP) >> SCALE;
        }
        Self { squash, ln }
    }
}

/// The probability at a place of the logistic scale.
pub fn squash(d: i32) -> i32 {
    let table = &TABLES.squash;
    let at = |d: i32| usize::try_from(d.min(STRETCH_MAX)).ok().and_then(|d| table.get(d)).copied().unwrap_or(ONE - 1);
    if d >= 0 { at(d) } else { ONE - at(d.saturating_neg()) }
}

/// The place of a probability on the logistic scale: the inverse of [`squash`].
#[cfg(any(test, feature = "training"))]
pub fn stretch(p: i32) -> i32 {
    let (p, sign) = if p * 2 >= ONE { (p, 1) } else { (ONE - p, -1) };
    let place = TABLES.squash.partition_point(|q| *q <= p);
    sign * i32::try_from(place.saturating_sub(1)).unwrap_or(STRETCH_MAX)
}

/// `256 * ln(x)`; 0 for 0.
pub fn ln(x: u32) -> i32 {
    let shift = (u32::BITS - x.leading_zeros()).saturating_sub(12);
    let small = usize::try_from(x >> shift).ok().and_then(|x| TABLES.ln.get(x)).copied().unwrap_or(0);
    // 256 * ln(2) in 256ths is 45,426.
    small + i32::try_from((shift * 45_426) >> 8).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_symmetric_and_its_inverse_is_exact_where_it_is_fine() {
        assert_eq!(squash(0), ONE / 2);
        assert_eq!((squash(256), squash(-256)), (47_910, ONE - 47_910), "e / (1 + e)");
        for d in -STRETCH_MAX..=STRETCH_MAX {
            assert_eq!(squash(d) + squash(-d), ONE);
            assert!(stretch(squash(d)).abs_diff(d) <= 1 || d.abs() > 1_200, "{d}");
        }
        assert_eq!((stretch(1), stretch(ONE - 1)), (-STRETCH_MAX, STRETCH_MAX));
    }

    #[test]
    fn the_logarithm_is_right_to_one_percent() {
        assert_eq!((ln(0), ln(1), ln(2), ln(1_000)), (0, 0, 178, 1_769));
        let big = ln(1_000_000);
        assert!((3_535..=3_538).contains(&big), "{big}");
    }
}
