//! The plug is pulled at every step once: the world is forked there, the engine dropped, the disk kept, a new engine
//! built from it, and the laws looked at for some minutes, for a sample to the end of every life.

use std::time::Duration;
use yizhan_simulators::drill;
use yizhan_simulators::scenario::Scenario;
use yizhan_simulators::world::World;

/// Long enough for a restart, a whole slot and what was due after it.
const HORIZON: Duration = Duration::from_secs(85);
const BACK_AFTER: Duration = Duration::from_secs(2);

fn expect_no_violation(world: &World, scenario: &Scenario, seed: u64, crashed_at: (u64, Duration)) {
    let found: Vec<String> = world.laws.violations().iter().map(ToString::to_string).collect();
    let (step, at) = crashed_at;
    assert!(found.is_empty(), "{} seed {seed}: crash after step {step} ({at:?}): {found:#?}", scenario.name);
}

/// Forks and crashes after every step in which the engine was told something and whose number is `lane` modulo `lanes`.
fn crash_in_forks(scenario: &Scenario, seed: u64, until: Duration, (lane, lanes): (u64, u64), sample: u64) -> u64 {
    let mut world = scenario.world(seed).unwrap();
    world.stop_log();
    let (mut told, mut forks) = (0, 0);
    while world.step(until) {
        if world.station().inputs() == told || world.station().engine().is_none() {
            continue;
        }
        told = world.station().inputs();
        if told % lanes != lane {
            continue;
        }
        forks += 1;
        let here = (world.steps(), world.now());
        let fork = drill::fork_and_crash(&world, BACK_AFTER, HORIZON);
        expect_no_violation(&fork, scenario, seed, here);
        if forks % sample == 0 {
            let mut fork = fork;
            drill::finish(scenario, &mut fork);
            expect_no_violation(&fork, scenario, seed, here);
        }
    }
    forks
}

/// The same in two lanes on two threads; how many forks there were.
fn crash_everywhere(name: &str, seed: u64, minutes: u64, skip: u64, sample: u64) -> u64 {
    let scenario = Scenario::built_in(name).unwrap();
    let until = Duration::from_secs(minutes * 60).min(scenario.duration());
    std::thread::scope(|threads| {
        let lane = |lane| {
            let scenario = &scenario;
            threads.spawn(move || crash_in_forks(scenario, seed, until, (lane * skip, 2 * skip), sample))
        };
        let lanes = [lane(0), lane(1)];
        lanes.into_iter().map(|lane| lane.join().expect("a lane found a broken law, see above")).sum()
    })
}

#[test]
fn a_county_survives_the_plug_being_pulled_at_every_step() {
    let forks = crash_everywhere("county-2h", 1, 120, 1, 400);
    assert!(forks > 3_000, "{forks} forks");
}

#[test]
fn radio_and_beidou_survive_the_plug_being_pulled_at_every_step() {
    let forks = crash_everywhere("radio-and-beidou", 1, 60, 1, 400);
    assert!(forks > 1_500, "{forks} forks");
}

#[test]
fn a_day_of_every_terminal_survives_the_plug_being_pulled_anywhere() {
    let forks = crash_everywhere("every-terminal", 1, 1_440, 67, 200);
    assert!(forks > 1_000, "{forks} forks");
}

#[test]
#[ignore = "long: every step of a night of floods and a second seed of each, for `--long`"]
fn every_scenario_survives_the_plug_being_pulled_at_every_step_of_more_seeds() {
    for (name, minutes) in [("flood-night", 180), ("county-2h", 120), ("radio-and-beidou", 60)] {
        for seed in 2..=3 {
            assert!(crash_everywhere(name, seed, minutes, 1, 100) > 1_000);
        }
    }
}

#[test]
fn one_run_with_a_crash_every_few_seconds_keeps_the_laws() {
    for (name, every) in [("county-2h", 37), ("radio-and-beidou", 61), ("flood-night", 149), ("every-terminal", 2_003)]
    {
        let scenario = Scenario::built_in(name).unwrap();
        let mut world = scenario.world(5).unwrap();
        let mut told = 0;
        while world.step(scenario.duration()) {
            let inputs = world.station().inputs();
            if inputs >= told + every && world.station().engine().is_some() {
                told = inputs;
                let here = (world.steps(), world.now());
                world.crash(inputs.is_multiple_of(2), Some(BACK_AFTER));
                expect_no_violation(&world, &scenario, 5, here);
            }
        }
        assert!(world.station().boots() > 20, "{} starts", world.station().boots());
        drill::finish(&scenario, &mut world);
        expect_no_violation(&world, &scenario, 5, (world.steps(), world.now()));
    }
}
