//! A drill: a scenario run from a seed to the end of every life in it, and what became of it.

mod report;

pub use report::Report;

use crate::laws::Fact;
use crate::scenario::{Scenario, ScenarioError};
use crate::world::World;
use std::time::Duration;

/// Runs a scenario from its first minute to the end of every life in it.
///
/// # Errors
/// [`ScenarioError`] when the scenario cannot be built.
pub fn run(scenario: &Scenario, seed: u64) -> Result<Report, ScenarioError> {
    let mut world = scenario.world(seed)?;
    finish(scenario, &mut world);
    Ok(Report::of(scenario, seed, &world))
}

/// Lets the power fail at this very moment in a fork of the world, and gives the fork after `horizon`.
#[must_use]
pub fn fork_and_crash(world: &World, back_after: Duration, horizon: Duration) -> World {
    let mut fork = world.clone();
    fork.stop_log();
    fork.crash(true, Some(back_after));
    fork.run_until(world.now() + horizon);
    fork
}

/// Runs a world that was begun to the end of every life in it, and lets the laws look back on it.
pub fn finish(scenario: &Scenario, world: &mut World) {
    world.run_until(scenario.end());
    world.fact(&Fact::Over);
}
