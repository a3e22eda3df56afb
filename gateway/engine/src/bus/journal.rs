//! The journal's records as prost knows them. `generated.rs` is made from `bus.proto` by a test and committed, so that
//! a build needs neither protoc nor a code generator.

#![expect(clippy::large_enum_variant, reason = "generated; records are short-lived and never kept in bulk")]

include!("generated.rs");

pub use prost::Message as Encode;
