//! Hytera HDAP: registration, position and text, against ok-dmrlib.

use crate::frames::RadioFrames;
use crate::peer::{Peer, altered};

const COUNT: usize = 100_000;
const SEED: u64 = 20_261_123;

#[test]
fn we_read_the_frames_of_ok_dmrlib_as_it_means_them() {
    Peer::hdap().compare(SEED, COUNT).is_full_agreement(COUNT);
}

/// Would catch a sum over other bytes, an odd frame padded wrongly, numbers in the wrong order.
#[test]
fn we_read_the_cable_frames_of_ok_dmrlib_as_it_means_them() {
    Peer::hdap().compare_protocol("hytera-hrnp", SEED, COUNT).is_full_agreement(COUNT);
}

/// Would catch options that are cut wrongly and type bits that are taken for others.
#[test]
fn we_read_the_repeater_datagrams_of_ok_dmrlib_as_it_means_them() {
    Peer::hdap().compare_protocol("hytera-hstrp", SEED, COUNT).is_full_agreement(COUNT);
}

#[test]
fn ok_dmrlib_reads_our_frames_as_we_mean_them() {
    let cases = RadioFrames::new(SEED).take(COUNT).collect::<Vec<_>>();
    Peer::hdap().check(&cases).is_full_agreement(COUNT);
}

#[test]
fn one_altered_field_of_our_frames_is_seen() {
    let mut cases = RadioFrames::new(SEED).take(200).collect::<Vec<_>>();
    cases[100] = altered(&cases[100]);
    let verdict = Peer::hdap().check(&cases);
    assert_eq!((verdict.agreed, verdict.differed, verdict.good), (199, 1, false), "{}", verdict.shown);
}

#[test]
fn one_altered_field_of_ok_dmrlib_is_seen() {
    let peer = Peer::hdap();
    let mut cases = peer.generate(SEED, 200);
    let at = cases.iter().position(|case| case["expect"] == "decode").expect("most are valid");
    cases[at] = altered(&cases[at]);
    let verdict = peer.compare_cases(&cases);
    let others = cases.len() - 1;
    assert_eq!((verdict.agreed, verdict.differed, verdict.good), (others, 1, false), "{}", verdict.shown);
}
