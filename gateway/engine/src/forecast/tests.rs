use super::*;

const SLOT: Duration = Duration::from_secs(60);

fn basis(wanted: u8, slots: u64) -> Basis {
    let first_free = Duration::from_secs(30);
    let weight = slots * 1_000;
    let ahead = Ahead { weight, round: 0, urgent: 0, deep: false, cards: 2, slot: SLOT, first_free };
    let (precedence, life) = (Precedence::Priority, Duration::from_secs(14_400));
    let (waits, in_flight, silent) = (Duration::ZERO, false, false);
    Basis { precedence, wanted, out: 0, loss: 200, ahead, waits, life, in_flight, silent }
}

fn window(basis: &Basis, experience: &Calibration) -> Window {
    match forecast(basis, experience) {
        Forecast::Window(window) => window,
        Forecast::Unknown { .. } => panic!("nothing is unknown here"),
    }
}

#[test]
fn a_single_frame_on_an_idle_link_arrives_with_the_next_slot_or_its_repair() {
    let window = window(&basis(1, 0), &Calibration::default());
    // The first card is free in 30 s, a slot of the pool is 30 s, the frame's way 2 s.
    assert_eq!(window.early, Duration::from_secs(30 + 30 + 2));
    // At a loss of 20 % the ninth of ten takes a second send, one slot later.
    assert_eq!(window.late, window.early + SLOT);
    assert_eq!((window.parts, window.slots_ahead, window.cost), (1, 0, 1_250));
}

#[test]
fn what_stands_before_it_is_shared_by_the_cards() {
    let window = window(&basis(1, 10), &Calibration::default());
    assert_eq!(window.early, Duration::from_secs(30 + 10 * 30 + 30 + 2));
}

#[test]
fn urgent_traffic_that_takes_a_third_of_the_slots_makes_the_queue_longer_by_half() {
    let mut basis = basis(1, 12);
    basis.ahead.urgent = 333;
    let window = window(&basis, &Calibration::default());
    assert_eq!(window.early.as_secs(), 30 + 390 * 1_000 / 667 + 2);
}

#[test]
fn repair_waits_for_its_senders_turn_where_that_is_longer_than_a_slot() {
    let mut basis = basis(1, 12);
    basis.ahead.round = 12_000;
    let window = window(&basis, &Calibration::default());
    assert_eq!(window.late - window.early, SLOT * 6);
}

#[test]
fn nothing_is_told_to_arrive_after_its_life() {
    let mut basis = basis(1, 100);
    basis.life = Duration::from_secs(600);
    let window = window(&basis, &Calibration::default());
    assert_eq!((window.early, window.late), (basis.life, basis.life));
}

#[test]
fn without_evidence_nothing_is_promised() {
    let mut silent = basis(3, 7);
    silent.silent = true;
    assert_eq!(forecast(&silent, &Calibration::default()), Forecast::Unknown { parts: 3, slots_ahead: 7 });
    let mut no_card = basis(3, 7);
    no_card.ahead.cards = 0;
    assert!(matches!(forecast(&no_card, &Calibration::default()), Forecast::Unknown { .. }));
}

#[test]
fn a_link_is_silent_after_three_unanswered_sends_and_the_time_an_answer_takes() {
    let mut link = Evidence::default();
    let at = |seconds: u64| Instant(seconds * 1_000_000);
    for seconds in [0, 60, 120] {
        link.sent(at(seconds));
        assert!(!link.is_silent(at(seconds), SLOT));
    }
    assert!(!link.is_silent(at(180), SLOT) && link.is_silent(at(181), SLOT));
    link.heard();
    assert!(!link.is_silent(at(999), SLOT));
}

#[test]
fn a_row_in_flight_is_there_in_half_of_the_cases_and_a_silent_one_is_reckoned_missing() {
    let mut sent = basis(1, 0);
    sent.out = 2;
    sent.in_flight = true;
    assert_eq!(window(&sent, &Calibration::default()).late, FLIGHT);
    sent.in_flight = false;
    assert!(window(&sent, &Calibration::default()).late > SLOT);
}

#[test]
fn experience_widens_what_was_too_short_and_narrows_what_was_too_long() {
    let mut experience = Calibration::default();
    let told = window(&basis(1, 10), &experience);
    for _ in 0..200 {
        experience.learn(&told, told.late * 2);
    }
    let wider = window(&basis(1, 10), &experience);
    assert!(wider.late > told.late * 9 / 5 && wider.late < told.late * 7 / 3, "{wider:?}");
    for _ in 0..2_000 {
        experience.learn(&told, told.late / 2);
    }
    let narrower = window(&basis(1, 10), &experience);
    assert!(narrower.late < told.late * 3 / 5 && narrower.late >= narrower.early, "{narrower:?}");
}

#[test]
fn nine_of_ten_outcomes_end_up_inside_whatever_the_reckoning_was_worth() {
    let mut experience = Calibration::default();
    let (mut inside, mut lot) = (0, 7_u32);
    for round in 0..6_000 {
        let told = window(&basis(1, 10), &experience);
        // Outcomes spread evenly over 0..40 slots: nothing like the reckoning.
        lot = lot.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let took = SLOT * (lot >> 16) / (u32::from(u16::MAX) / 40);
        inside += u32::from(round >= 1_000 && took <= told.late);
        experience.learn(&told, took);
    }
    assert!((4_400..=4_600).contains(&inside), "{inside} of 5000");
}

#[test]
fn a_forecast_survives_being_stored_with_its_reckoning() {
    let told = forecast(&basis(2, 3), &Calibration::default());
    let stored = serde_json::to_string(&told).unwrap();
    assert_eq!(serde_json::from_str::<Forecast>(&stored).unwrap(), told);
}
