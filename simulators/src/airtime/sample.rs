//! Figures out of many runs: means, shares and quantiles, in fixed order, printed by the tables.

/// Values of one kind, one a run.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    values: Vec<u64>,
    sum: u64,
}

impl Sample {
    pub fn put(&mut self, value: u64) {
        self.values.push(value);
        self.sum = self.sum.saturating_add(value);
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// 0 when there is nothing.
    #[must_use]
    pub fn mean(&self) -> f64 {
        share(self.sum, self.values.len() as u64)
    }

    /// The smallest value that is not below `permille` of 1000 values; 0 when there is nothing.
    #[must_use]
    pub fn quantile(&self, permille: u64) -> u64 {
        let rank = (self.values.len() as u64).saturating_mul(permille).div_ceil(1_000).max(1);
        let mut sorted = self.values.clone();
        sorted.sort_unstable();
        let index = usize::try_from(rank - 1).unwrap_or(usize::MAX);
        sorted.get(index).or(sorted.last()).copied().unwrap_or(0)
    }

    /// Adds what another has.
    pub fn take(&mut self, other: &Self) {
        self.values.extend(&other.values);
        self.sum = self.sum.saturating_add(other.sum);
    }
}

/// `part` of `whole`; 0 of nothing.
#[must_use]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let mut sample = Sample::default();
        assert_eq!((sample.quantile(999), sample.mean()), (0, 0.0));
        for value in (1..=1_000).rev() {
            sample.put(value);
        }
        assert_eq!([1, 500, 999, 1_000].map(|permille| sample.quantile(permille)), [1, 500, 999, 1_000]);
        assert!((sample.mean() - 500.5).abs() < 1e-9);
    }
}
