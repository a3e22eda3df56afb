//! Something between the station and its world that should not be there.
//!
//! Mutants are made of these: the production code has no switch for any of them, and the laws must catch each.

use crate::disk::Disk;
use std::fmt;
use yizhan_engine::config::EngineConfig;
use yizhan_engine::io::{Input, Output, StoredRecord};
use yizhan_engine::time::Now;

/// Changes what passes between the engine and the world. Every method does nothing by itself.
pub trait Tamper: TamperClone + fmt::Debug + Send {
    /// The config that the station starts with.
    fn config(&self, _: &mut EngineConfig) {}
    /// The disk before anything happens.
    fn disk(&self, _: &mut Disk) {}
    /// What the daemon's clocks say.
    fn clock(&self, now: Now) -> Now {
        now
    }
    /// What recovery reads.
    fn recovery(&mut self, _: &mut Vec<StoredRecord>) {}
    /// Whether recovery may use a snapshot.
    fn allows_snapshot(&self) -> bool {
        true
    }
    /// What the engine is told; `false` = it is not told at all.
    fn input(&mut self, _: &mut Input) -> bool {
        true
    }
    /// What the engine wants done; what is given back is done.
    fn output(&mut self, output: Output) -> Vec<Output> {
        vec![output]
    }
}

/// Lets boxed tampers be cloned with their world.
pub trait TamperClone {
    fn clone_box(&self) -> Box<dyn Tamper>;
}

impl<T: Tamper + Clone + 'static> TamperClone for T {
    fn clone_box(&self) -> Box<dyn Tamper> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Tamper> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}
