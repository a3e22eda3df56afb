//! The bus: records and the state folded from them.

pub mod journal;
