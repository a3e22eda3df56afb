//! What stations say to each other. The layout is `docs/air-format.md`; [`plain`] holds what the engine needs before there
//! is any content.

pub mod plain;

pub use plain::{Traffic, VERSION, split_short_id};
