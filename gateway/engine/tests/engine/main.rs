//! The engine from outside: inputs in, outputs out, with a disk that a test can stop and a clock that it moves.

mod admitted;
mod asked;
mod bystander;
mod clear;
mod counts;
mod forecast;
mod heard;
mod pair;
mod places;
mod recovered;
mod refused;
mod relayed;
mod reports;
mod sent;
mod station;
mod stations;
mod two_ways;
mod typed;
