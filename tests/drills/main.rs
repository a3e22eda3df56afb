//! Drills in virtual time: scenarios from seeds, crashes everywhere, and mutants that the laws must catch.

mod crash_anywhere;
mod mutants;
mod scenarios;
mod tampers;
