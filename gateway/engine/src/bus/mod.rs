//! The bus: the journal's records, the state folded from them, and the gate that holds effects until they are synced.
//!
//! **Invariants**
//! - [`State`] changes only in [`State::apply`], live and in recovery alike; it reads no clock, config or policy.
//! - Canonical: the same records give the same bytes and the same hash on every machine.
//! - Bounded by what is open and by `Policy::remember`: closed messages leave by a `Forgotten` record.

mod apply;
mod apply_stations;
mod experience;
mod gate;
pub mod journal;
mod message;
mod state;
mod stations;

pub use apply::ApplyError;
pub use experience::{Experience, Score, Told};
pub(crate) use gate::{Gate, Gated};
pub(crate) use message::id_to_u64;
pub use message::{Delivery, Message, OpenAttempt, PartState, Voucher};
pub use state::{CardFact, CardKey, Contact, OriginKey, Partial, Snapshot, State};
pub use stations::{AirPlan, Gathered, NetState, Owed};
