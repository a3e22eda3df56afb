//! Drills from end to end in virtual time: scenario, seed, report, laws.

use yizhan_simulators::drill;
use yizhan_simulators::scenario::{BUILT_IN, Scenario};

fn report(name: &str, seed: u64) -> drill::Report {
    drill::run(&Scenario::built_in(name).unwrap(), seed).unwrap()
}

#[test]
fn every_built_in_scenario_keeps_every_law() {
    for (name, _) in BUILT_IN {
        for seed in 1..=2 {
            let report = report(name, seed);
            assert!(report.holds(), "{report}");
            assert!(report.heard > 0 && report.sent > 0, "nothing happened: {report}");
        }
    }
}

#[test]
fn in_a_day_of_every_terminal_each_one_sends_hears_and_keeps_its_airtime() {
    let report = report("every-terminal", 3);
    assert!(report.holds(), "{report}");
    for (link, (tally, _)) in &report.links {
        assert!(tally.sent > 20 && tally.received > 20, "{link} did nothing: {tally:?}");
        assert_eq!((tally.sent_too_early, tally.too_long), (0, 0), "{link}");
    }
}

#[test]
fn the_same_seed_gives_the_same_log_and_another_seed_another() {
    let scenario = Scenario::built_in("radio-and-beidou").unwrap();
    let logs: Vec<Vec<String>> = [7, 7, 8]
        .into_iter()
        .map(|seed| {
            let mut world = scenario.world(seed).unwrap();
            world.keep_log();
            world.run_until(scenario.duration() / 3);
            world.log_lines().to_vec()
        })
        .collect();
    assert!(logs[0].len() > 500, "{} lines", logs[0].len());
    assert_eq!(logs[0], logs[1]);
    assert_ne!(logs[0], logs[2]);
}

/// Runs every seed of a range of every scenario on two threads.
fn sweep(seeds: std::ops::RangeInclusive<u64>) {
    std::thread::scope(|threads| {
        for lane in 0..2 {
            let seeds = seeds.clone().filter(move |seed| seed % 2 == lane);
            threads.spawn(move || {
                for (seed, (name, _)) in seeds.flat_map(|seed| BUILT_IN.iter().map(move |built_in| (seed, built_in))) {
                    // A whole day takes as long as all the others together.
                    if *name == "every-terminal" && !seed.is_multiple_of(6) && !(seed + 1).is_multiple_of(6) {
                        continue;
                    }
                    let report = report(name, seed);
                    assert!(report.holds(), "{report}");
                }
            });
        }
    });
}

#[test]
fn a_sweep_of_seeds_keeps_every_law() {
    sweep(100..=111);
}

#[test]
#[ignore = "long: hundreds of seeds of every scenario, for `--long`"]
fn a_long_sweep_of_seeds_keeps_every_law() {
    sweep(1_000..=1_399);
}

#[test]
fn seeds_that_once_broke_a_law_keep_it_now() {
    let known = include_str!("seeds.txt").lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    for line in known {
        let mut words = line.splitn(3, ' ');
        let (name, seed, what) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let report = report(name, seed.parse().unwrap());
        assert!(report.holds(), "{what}: {report}");
    }
}
