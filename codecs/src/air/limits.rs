//! How much fits, and how much is kept: numbers that sender and receiver must agree on, or that bound what a stranger can
//! make us hold.

/// Longest frame that is looked at, bytes: the best grade of a Beidou card (1,749), rounded up.
pub const FRAME_MAX: usize = 1_750;
