//! Sums of products for the training of the net, each in one fixed order: every machine gets the same bits.

/// Rows that are multiplied while they are near: a slice of the longer factor that stays in the cache.
const NEAR: usize = 48;

/// `c += a · b`, where `a` has `inner` columns, `b` as many rows, and `c` and `b` have `width` columns.
pub fn add_product(c: &mut [f32], a: &[f32], b: &[f32], inner: usize, width: usize) {
    let pairs = c.chunks_exact_mut(2 * width).zip(a.chunks_exact(2 * inner));
    for (c, a) in pairs {
        let ((c, d), (a, e)) = (c.split_at_mut(width), a.split_at(inner));
        add_two_rows([c, d], [a, e], b, width);
    }
    let odd_c = c.chunks_exact_mut(2 * width).into_remainder();
    let odd_a = a.chunks_exact(2 * inner).remainder();
    if !odd_c.is_empty() {
        add_row(odd_c, odd_a, b, width);
    }
}

fn add_two_rows([c, d]: [&mut [f32]; 2], [a, e]: [&[f32]; 2], b: &[f32], width: usize) {
    let (fours_a, fours_e) = (a.chunks_exact(4), e.chunks_exact(4));
    let (rest_a, rest_e) = (fours_a.remainder(), fours_e.remainder());
    let mut rows = b.chunks_exact(width);
    for (a, e) in fours_a.zip(fours_e) {
        let (&[a0, a1, a2, a3], &[e0, e1, e2, e3]) = (a, e) else { return };
        let (Some(b0), Some(b1), Some(b2), Some(b3)) = (rows.next(), rows.next(), rows.next(), rows.next()) else {
            return;
        };
        let columns = c.iter_mut().zip(d.iter_mut()).zip(b0.iter().zip(b1)).zip(b2.iter().zip(b3));
        for (((c, d), (b0, b1)), (b2, b3)) in columns {
            *c += (a0 * b0 + a1 * b1) + (a2 * b2 + a3 * b3);
            *d += (e0 * b0 + e1 * b1) + (e2 * b2 + e3 * b3);
        }
    }
    for ((a, e), b) in rest_a.iter().zip(rest_e).zip(rows) {
        add_scaled(c, *a, b);
        add_scaled(d, *e, b);
    }
}

fn add_row(c: &mut [f32], a: &[f32], b: &[f32], width: usize) {
    for (a, b) in a.iter().zip(b.chunks_exact(width)) {
        add_scaled(c, *a, b);
    }
}

/// `c += a · b` for one number `a`.
pub fn add_scaled(c: &mut [f32], a: f32, b: &[f32]) {
    c.iter_mut().zip(b).for_each(|(c, b)| *c += a * b);
}

/// `c += aᵀ · b`: what a product's second factor is to be changed by. `a` has `inner` columns, `b` has `width`.
pub fn add_turned_product(c: &mut [f32], a: &[f32], b: &[f32], inner: usize, width: usize) {
    for (a, b) in a.chunks(NEAR * inner).zip(b.chunks(NEAR * width)) {
        let turned = turned(a, inner);
        add_product(c, &turned, b, a.len() / inner, width);
    }
}

/// Rows to columns.
pub fn turned(a: &[f32], width: usize) -> Vec<f32> {
    let rows = a.len() / width;
    let mut turned = vec![0.0; a.len()];
    for (at, row) in a.chunks_exact(width).enumerate() {
        for (place, value) in turned.iter_mut().skip(at).step_by(rows).zip(row) {
            *place = *value;
        }
    }
    turned
}

/// The product of two rows, in eight sums.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    let [s0, s1, s2, s3, s4, s5, s6, s7] = sums;
    ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
}

/// `e^x`. The library's function may differ from machine to machine; sums and products do not.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "x is within ±80, so the power fits")]
pub fn exp(x: f32) -> f32 {
    /// Adding it rounds to a whole number, and taking it away gives that number.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-80.0, 80.0);
    let power = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let x = x - power * 0.693_359_4 + power * 2.121_944_4e-4;
    let series = 1.0 + x * (1.0 + x * (0.5 + x * (0.166_666_67 + x * (0.041_666_67 + x * 0.008_333_33))));
    series * f32::from_bits(((power as i32 + 127) as u32) << 23)
}

pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

pub fn tanh(x: f32) -> f32 {
    2.0 / (1.0 + exp(-2.0 * x)) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        let numbers =
            |n: usize| -> Vec<f32> { (0..13_u8).map(|i| f32::from(i * 7 % 13) - 6.0).cycle().take(n).collect() };
        let (rows, inner, width) = (101, 6, 5);
        let (a, b) = (numbers(rows * inner), numbers(inner * width));
        let mut c = vec![1.0; rows * width];
        add_product(&mut c, &a, &b, inner, width);
        let by_hand = |row: usize, column: usize| {
            (0..inner).map(|k| a[row * inner + k] * b[k * width + column]).sum::<f32>() + 1.0
        };
        for (at, found) in c.iter().enumerate() {
            assert!((found - by_hand(at / width, at % width)).abs() < 1e-3);
        }
        let mut d = vec![0.0; inner * width];
        add_turned_product(&mut d, &a, &c, inner, width);
        let by_hand =
            |k: usize, column: usize| (0..rows).map(|r| a[r * inner + k] * c[r * width + column]).sum::<f32>();
        for (at, found) in d.iter().enumerate() {
            assert!((found - by_hand(at / width, at % width)).abs() < 1.0, "{found}");
        }
        assert!((dot(&a[..16], &a[..16]) - a[..16].iter().map(|x| x * x).sum::<f32>()).abs() < 1e-3);
    }

    #[test]
    fn curves_are_right_to_a_millionth() {
        for x in [-30.0_f32, -7.3, -1.0, -0.01, 0.0, 0.5, 2.0, 9.7, 30.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 3e-6, "{x}");
            assert!((tanh(x) - x.tanh()).abs() < 2e-6 && (sigmoid(x) - 1.0 / (1.0 + (-x).exp())).abs() < 2e-6);
        }
    }
}
