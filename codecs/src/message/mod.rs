//! The common tongue: what terminals say, what we tell them, and the words both are made of.

mod bearer;
mod card;
mod id;
mod order;
mod position;
mod precedence;
mod receipt;
mod signal;
mod utc;

pub use bearer::Bearer;
pub use card::{CardInfo, CardState};
pub use id::{Addressee, LinkId, MessageId, ParseMessageIdError, Peer, StationId, TerminalId, half_width};
pub use order::{Order, OrderKind};
pub use position::{Datum, Position};
pub use precedence::Precedence;
pub use receipt::{Answer, Outcome, Rung};
pub use signal::{Content, Heard, NativeId, Part, Signal};
pub use utc::Utc;
