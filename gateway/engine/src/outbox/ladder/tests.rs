use super::*;

const SLOT: Duration = Duration::from_secs(60);

fn at(seconds: u64) -> Instant {
    Instant(seconds * 1_000_000)
}

/// A ladder with so many cards, all free now.
fn ladder(cards: CardNo) -> Ladder {
    let mut ladder = Ladder::new(Rules::default());
    for card in 0..cards {
        ladder.card(card, SLOT, at(0));
    }
    ladder
}

fn text(by: Sender, precedence: Precedence) -> Submission {
    Submission { by, to: 1, precedence, matter: Matter::Text, rows: 1, spare_bits: 0, loss: 50, life: None }
}

fn position(by: Sender) -> Submission {
    Submission { matter: Matter::Position, ..text(by, Precedence::Routine) }
}

fn put(ladder: &mut Ladder, now: Instant, what: Submission) -> EntryId {
    ladder.submit(now, what).expect("there is room").id
}

/// What goes out on the first free card; all cards carry alike.
fn send(ladder: &mut Ladder, now: Instant) -> Option<Choice> {
    let choice = ladder.choose(now, &|_, _| 900)?;
    ladder.sent(now, &choice);
    Some(choice)
}

/// The message whose row goes out.
fn row(ladder: &mut Ladder, now: Instant) -> Option<EntryId> {
    match send(ladder, now)?.load {
        Load::Row { id, .. } => Some(id),
        _ => None,
    }
}

#[test]
fn the_most_urgent_goes_first_and_a_card_sends_once_a_slot() {
    let mut ladder = ladder(1);
    let routine = put(&mut ladder, at(0), text(1, Precedence::Routine));
    let priority = put(&mut ladder, at(0), text(2, Precedence::Priority));
    let immediate = put(&mut ladder, at(0), text(3, Precedence::Immediate));
    assert_eq!(row(&mut ladder, at(0)), Some(immediate));
    assert_eq!(row(&mut ladder, at(59)), None);
    assert!(ladder.heard(at(30), immediate, Said::Complete));
    assert_eq!(row(&mut ladder, at(60)), Some(priority));
    ladder.heard(at(90), priority, Said::Complete);
    assert_eq!(row(&mut ladder, at(120)), Some(routine));
}

#[test]
fn flash_is_first_in_first_out_on_two_cards_at_once() {
    let mut ladder = ladder(2);
    let first = put(&mut ladder, at(0), text(9, Precedence::Flash));
    let second = put(&mut ladder, at(1), text(1, Precedence::Flash));
    let cards: Vec<CardNo> = [at(1), at(1)]
        .into_iter()
        .map(|now| {
            let choice = send(&mut ladder, now).unwrap();
            assert_eq!(choice.load, Load::Row { id: first, row: 0 });
            choice.card
        })
        .collect();
    assert_eq!(cards, [0, 1]);
    ladder.heard(at(30), first, Said::Complete);
    assert_eq!(row(&mut ladder, at(61)), Some(second));
}

#[test]
fn a_flash_does_not_go_out_twice_on_one_card_within_a_slot() {
    let mut ladder = ladder(1);
    ladder.card(0, SLOT / 4, at(0));
    ladder.card(1, SLOT, at(50));
    let flash = put(&mut ladder, at(0), text(1, Precedence::Flash));
    let routine = put(&mut ladder, at(0), text(2, Precedence::Routine));
    assert_eq!(row(&mut ladder, at(0)), Some(flash));
    assert_eq!(row(&mut ladder, at(15)), Some(flash), "a slot of its card has passed");
    ladder.heard(at(20), flash, Said::Complete);
    assert_eq!(row(&mut ladder, at(30)), Some(routine));
}

#[test]
fn the_best_free_card_carries_it() {
    let mut ladder = ladder(2);
    put(&mut ladder, at(0), text(1, Precedence::Priority));
    let choice = ladder.choose(at(0), &|card, to| if (card, to) == (1, 1) { 800 } else { 300 });
    assert_eq!(choice.unwrap().card, 1);
}

#[test]
fn the_sender_goes_first_whose_turn_is_longest_ago() {
    let mut ladder = ladder(1);
    let flood: Vec<EntryId> = (0..5).map(|_| put(&mut ladder, at(0), text(7, Precedence::Priority))).collect();
    let other = put(&mut ladder, at(1), text(8, Precedence::Priority));
    assert_eq!(row(&mut ladder, at(1)), Some(flood[0]));
    ladder.heard(at(30), flood[0], Said::Complete);
    assert_eq!(row(&mut ladder, at(61)), Some(other));
}

#[test]
fn a_lost_row_takes_its_senders_turn_and_does_not_wait_for_all_first_tries() {
    let mut ladder = ladder(1);
    let lost = put(&mut ladder, at(0), text(1, Precedence::Priority));
    assert_eq!(row(&mut ladder, at(0)), Some(lost));
    let flood: Vec<EntryId> = (0..9).map(|_| put(&mut ladder, at(1), text(2, Precedence::Priority))).collect();
    assert_eq!(row(&mut ladder, at(60)), Some(flood[0]));
    assert_eq!(row(&mut ladder, at(120)), Some(lost));
    assert_eq!(row(&mut ladder, at(180)), Some(flood[1]), "and of one sender what is certainly wanted goes first");
}

#[test]
fn repair_waits_a_slot_for_a_word_and_source_rows_do_not() {
    let mut ladder = ladder(2);
    let long = put(&mut ladder, at(0), Submission { rows: 2, ..text(1, Precedence::Priority) });
    assert_eq!(row(&mut ladder, at(0)), Some(long));
    assert_eq!(row(&mut ladder, at(0)), Some(long));
    ladder.card(2, SLOT, at(0));
    assert_eq!(row(&mut ladder, at(59)), None);
    assert_eq!(row(&mut ladder, at(60)), Some(long));
    // NEED does not wait.
    ladder.heard(at(61), long, Said::Need(1));
    assert_eq!(row(&mut ladder, at(61)), Some(long));
}

#[test]
fn positions_go_in_one_frame_when_five_other_slots_have_passed() {
    let mut ladder = ladder(1);
    for by in 1..=10 {
        put(&mut ladder, at(0), position(by));
        put(&mut ladder, at(0), text(by, Precedence::Immediate));
    }
    let mut loads = Vec::new();
    for slot in 0..6 {
        let choice = send(&mut ladder, at(slot * 60)).unwrap();
        if let Load::Row { id, .. } = choice.load {
            ladder.heard(at(slot * 60 + 30), id, Said::Complete);
        }
        loads.push(choice.load);
    }
    assert!(loads[..5].iter().all(|load| matches!(load, Load::Row { .. })));
    assert!(matches!(&loads[5], Load::Positions(ids) if ids.len() == 9), "{:?}", loads[5]);
    let left = ladder.entries().filter(|(_, entry)| entry.matter == Matter::Position).count();
    assert_eq!(left, 1, "a position is not repeated");
}

#[test]
fn the_unit_longest_unheard_is_packed_first() {
    let mut ladder = Ladder::new(Rules { bundle_max: 1, ..Rules::default() });
    ladder.card(0, SLOT, at(0));
    for (by, now) in [(3, at(60)), (1, at(120))] {
        put(&mut ladder, at(0), position(by));
        assert!(matches!(send(&mut ladder, now).unwrap().load, Load::Positions(_)));
    }
    // Unit 3 was heard of before unit 1, and unit 2 never.
    let ids: Vec<EntryId> = [3, 1, 2].map(|by| put(&mut ladder, at(300), position(by))).into();
    let order: Vec<Load> = (0..3).map(|slot| send(&mut ladder, at(300 + slot * 60)).unwrap().load).collect();
    assert_eq!(order, [ids[2], ids[0], ids[1]].map(|id| Load::Positions(vec![id])));
}

#[test]
fn a_newer_report_replaces_the_queued_older_one_of_the_same_kind() {
    let mut ladder = ladder(1);
    let report = |kind| Submission { matter: Matter::Form(kind), ..text(1, Precedence::Priority) };
    let old = put(&mut ladder, at(0), report(2));
    put(&mut ladder, at(0), report(3));
    let new = ladder.submit(at(1), report(2)).unwrap();
    assert_eq!(new.replaced, Some(old));
    assert!(ladder.entry(old).is_none());
    assert_eq!(ladder.entries().count(), 2);
    let other_unit = ladder.submit(at(2), Submission { by: 2, ..report(2) }).unwrap();
    assert_eq!(other_unit.replaced, None);
}

#[test]
fn lives_end_with_a_reason_and_a_flash_goes_on_after_its_alarm() {
    let mut ladder = ladder(1);
    let flash = put(&mut ladder, at(0), text(1, Precedence::Flash));
    let never = put(&mut ladder, at(0), text(2, Precedence::Immediate));
    row(&mut ladder, at(0));
    assert_eq!(ladder.lapse(at(899)), []);
    assert_eq!(ladder.lapse(at(900)), [Lapse::Alarm(flash)]);
    assert_eq!(ladder.entry(flash).unwrap().precedence, Precedence::Immediate);
    assert_eq!(ladder.lapse(at(3_600)), [Lapse::Expired(never)]);
    assert_eq!(ladder.lapse(at(900 + 3_600)), [Lapse::Unknown(flash)]);
    assert_eq!(ladder.entries().count(), 0);
}

#[test]
fn positions_live_ten_minutes() {
    let mut ladder = ladder(0);
    let id = put(&mut ladder, at(0), position(1));
    assert_eq!((ladder.lapse(at(599)), ladder.lapse(at(600))), (vec![], vec![Lapse::Expired(id)]));
}

#[test]
fn what_is_older_than_two_hours_goes_before_its_turn_once_in_six_slots() {
    let mut ladder = ladder(1);
    let old: Vec<EntryId> = (1..=2).map(|by| put(&mut ladder, at(0), text(by, Precedence::Priority))).collect();
    let late = 7_200;
    for by in 10..20 {
        put(&mut ladder, at(late), text(by, Precedence::Immediate));
    }
    let order: Vec<EntryId> = (0..8)
        .map(|slot| {
            let now = at(late + slot * 60);
            let id = row(&mut ladder, now).unwrap();
            ladder.heard(now, id, Said::Complete);
            id
        })
        .collect();
    let lifted: Vec<usize> = (0..8).filter(|slot| old.contains(&order[*slot])).collect();
    assert_eq!(lifted, [6], "after six other slots, and not again for six");
}

#[test]
fn one_sender_may_hold_four_tenths_of_the_queue() {
    let mut ladder = ladder(1);
    for _ in 0..16 {
        put(&mut ladder, at(0), text(1, Precedence::Priority));
    }
    let refused = ladder.submit(at(0), text(1, Precedence::Routine));
    assert_eq!(refused, Err(Refusal::Share { held: 16, queued: 16, allowed: 16, wanted: 1 }));
    put(&mut ladder, at(0), text(2, Precedence::Routine));
    put(&mut ladder, at(0), text(1, Precedence::Flash));
    put(&mut ladder, at(0), position(1));
    let huge = Submission { rows: 32, ..text(3, Precedence::Routine) };
    put(&mut ladder, at(0), huge);
    put(&mut ladder, at(0), text(1, Precedence::Routine));
}

#[test]
fn the_seventh_flash_of_one_unit_in_ten_minutes_waits_for_a_yes() {
    let mut ladder = ladder(2);
    for minute in 0..6 {
        assert!(!ladder.submit(at(minute * 60), text(1, Precedence::Flash)).unwrap().held);
    }
    let seventh = ladder.submit(at(400), text(1, Precedence::Flash)).unwrap();
    assert!(seventh.held && ladder.entry(seventh.id).unwrap().is_held());
    assert!(!ladder.submit(at(400), text(2, Precedence::Flash)).unwrap().held);
    for id in ladder.entries().map(|(id, _)| id).filter(|id| *id != seventh.id).collect::<Vec<_>>() {
        ladder.cancel(id);
    }
    assert_eq!(row(&mut ladder, at(400)), None);
    assert!(ladder.confirm(at(401), seventh.id) && !ladder.confirm(at(401), seventh.id));
    assert_eq!(row(&mut ladder, at(401)), Some(seventh.id));
    assert!(!ladder.submit(at(601), text(1, Precedence::Flash)).unwrap().held, "the first has left the window");
}

#[test]
fn receipts_ride_in_any_frame_to_their_station_that_has_room() {
    let mut ladder = ladder(2);
    ladder.owe(at(0), 1, 11, Precedence::Flash);
    ladder.owe(at(1), 1, 12, Precedence::Routine);
    ladder.owe(at(1), 2, 13, Precedence::Routine);
    ladder.owe(at(2), 1, 11, Precedence::Flash);
    assert_eq!(ladder.owed(), 3, "a receipt is owed once");
    put(&mut ladder, at(3), Submission { spare_bits: 43, ..text(1, Precedence::Priority) });
    assert_eq!(send(&mut ladder, at(3)).unwrap().rides, [(1, 11)]);
    put(&mut ladder, at(3), Submission { spare_bits: 44, to: ALL, ..text(2, Precedence::Priority) });
    assert_eq!(send(&mut ladder, at(3)).unwrap().rides, [(1, 12), (2, 13)]);
}

#[test]
fn receipts_get_a_frame_of_their_own_after_two_slots_one_step_below_what_they_answer() {
    let mut ladder = ladder(1);
    ladder.owe(at(0), 4, 1, Precedence::Immediate);
    ladder.owe(at(0), 5, 2, Precedence::Routine);
    assert_eq!(send(&mut ladder, at(119)), None);
    let immediate = put(&mut ladder, at(120), text(1, Precedence::Immediate));
    let priority = put(&mut ladder, at(120), text(1, Precedence::Priority));
    assert_eq!(row(&mut ladder, at(120)), Some(immediate));
    ladder.heard(at(130), immediate, Said::Complete);
    let choice = send(&mut ladder, at(180)).unwrap();
    assert_eq!((choice.load, choice.rides), (Load::Receipts(4), vec![(4, 1)]));
    assert_eq!(row(&mut ladder, at(240)), Some(priority));
    ladder.heard(at(250), priority, Said::Complete);
    assert_eq!(send(&mut ladder, at(300)).unwrap().load, Load::Receipts(5));
}

#[test]
fn a_word_from_a_station_calls_for_what_waits_for_it() {
    let mut ladder = ladder(1);
    let waits = put(&mut ladder, at(0), text(1, Precedence::Priority));
    for slot in [0, 1, 2, 6] {
        assert_eq!(row(&mut ladder, at(slot * 60)), Some(waits));
    }
    // The next one would be eight slots later.
    ladder.works(at(7 * 60), 2);
    assert_eq!(row(&mut ladder, at(11 * 60)), None, "another station's word says nothing");
    ladder.works(at(7 * 60), 1);
    assert_eq!(row(&mut ladder, at(9 * 60)), None, "its own receipt may be on its way");
    assert_eq!(row(&mut ladder, at(10 * 60)), Some(waits));
}

#[test]
fn a_newcomer_stands_behind_what_is_more_urgent_and_behind_one_turn_of_each_other_sender() {
    let mut ladder = ladder(2);
    for by in 1..=3 {
        put(&mut ladder, at(0), Submission { loss: 0, ..text(by, Precedence::Immediate) });
    }
    for _ in 0..10 {
        put(&mut ladder, at(0), Submission { loss: 0, ..text(4, Precedence::Priority) });
    }
    put(&mut ladder, at(0), text(5, Precedence::Routine));
    let ahead = |by, precedence| ladder.ahead(at(0), by, precedence, 1, None).slots();
    assert_eq!(ahead(6, Precedence::Priority), 3 + 1);
    assert_eq!(ahead(4, Precedence::Priority), 3 + 10);
    assert_eq!(ahead(6, Precedence::Flash), 0);
    let last = ladder.entries().last().unwrap().0;
    assert_eq!(ladder.ahead(at(0), 5, Precedence::Routine, 1, Some(last)).slots(), 13);
}

#[test]
fn the_next_look_is_when_a_card_is_free_and_something_is_due_or_a_life_ends() {
    let mut ladder = ladder(1);
    assert_eq!(ladder.next_look(at(0)), None);
    let id = put(&mut ladder, at(0), text(1, Precedence::Priority));
    assert_eq!(ladder.next_look(at(0)), Some(at(0)));
    row(&mut ladder, at(0));
    assert_eq!(ladder.next_look(at(1)), Some(at(60)));
    ladder.cancel(id);
    ladder.owe(at(5), 1, 1, Precedence::Routine);
    assert_eq!(ladder.next_look(at(5)), Some(at(125)));
}

/// What may happen to a ladder, drawn by the property below.
#[derive(Clone, Debug)]
enum Step {
    Submit { by: Sender, precedence: Precedence, matter: Matter, rows: u8 },
    Owe { message: u64 },
    Pass { seconds: u64 },
    Send,
    Hear { nth: usize, said: Said },
}

fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    use proptest::prelude::*;
    let precedence = prop::sample::select(Precedence::ALL.to_vec());
    let matter = prop_oneof![Just(Matter::Text), Just(Matter::Form(1)), Just(Matter::Position)];
    let said = prop_oneof![Just(Said::Complete), (1_u8..4).prop_map(Said::Need)];
    let step = prop_oneof![
        3 => (1_u32..5, precedence, matter, 1_u8..5)
            .prop_map(|(by, precedence, matter, rows)| Step::Submit { by, precedence, matter, rows }),
        1 => (0_u64..9).prop_map(|message| Step::Owe { message }),
        3 => (1_u64..400).prop_map(|seconds| Step::Pass { seconds }),
        5 => Just(Step::Send),
        2 => (0_usize..9, said).prop_map(|(nth, said)| Step::Hear { nth, said }),
    ];
    prop::collection::vec(step, 1..200)
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Whatever happens: no card sends within its slot, nothing goes before a due FLASH, held messages stay, and every
    /// message that was taken is there or has left with a reason.
    #[test]
    fn a_ladder_keeps_its_promises_whatever_happens(steps in steps()) {
        let mut ladder = ladder(2);
        let (mut now, mut last) = (0_u64, [None::<u64>; 2]);
        let mut there: std::collections::BTreeSet<EntryId> = std::collections::BTreeSet::new();
        for step in steps {
            match step {
                Step::Submit { by, precedence, matter, rows } => {
                    let what = Submission { matter, rows, spare_bits: 30, ..text(by, precedence) };
                    if let Ok(admitted) = ladder.submit(at(now), what) {
                        there.insert(admitted.id);
                        if let Some(older) = admitted.replaced {
                            assert!(there.remove(&older));
                        }
                    }
                }
                Step::Owe { message } => ladder.owe(at(now), 1, message, Precedence::Priority),
                Step::Pass { seconds } => {
                    now += seconds;
                    for lapse in ladder.lapse(at(now)) {
                        match lapse {
                            Lapse::Alarm(id) => assert!(there.contains(&id)),
                            Lapse::Expired(id) | Lapse::Unknown(id) => assert!(there.remove(&id)),
                        }
                    }
                }
                Step::Send => {
                    let flash = ladder.entries().any(|(_, e)| e.precedence == Precedence::Flash && !e.is_held() && e.waits(at(now)).is_zero());
                    let Some(choice) = ladder.choose(at(now), &|_, _| 500) else { continue };
                    let card = usize::from(choice.card);
                    assert!(last[card].is_none_or(|before| now >= before + 60), "a card sends within its slot");
                    last[card] = Some(now);
                    let ids = match &choice.load {
                        Load::Row { id, .. } => vec![*id],
                        Load::Positions(ids) => ids.clone(),
                        Load::Receipts(_) => Vec::new(),
                    };
                    assert!(!ids.is_empty() || !choice.rides.is_empty(), "an empty frame");
                    let entries: Vec<Entry> = ids.iter().map(|id| ladder.entry(*id).expect("it is there").clone()).collect();
                    assert!(entries.iter().all(|entry| !entry.is_held()));
                    assert!(!flash || entries.iter().any(|entry| entry.precedence == Precedence::Flash), "something goes before a FLASH");
                    ladder.sent(at(now), &choice);
                    // A position leaves when it is sent.
                    there.retain(|id| !ids.contains(id) || ladder.entry(*id).is_some());
                }
                Step::Hear { nth, said } => {
                    let Some(id) = there.iter().nth(nth).copied() else { continue };
                    if ladder.heard(at(now), id, said) {
                        there.remove(&id);
                    }
                }
            }
            let held: Vec<EntryId> = ladder.entries().map(|(id, _)| id).collect();
            assert_eq!(held, there.iter().copied().collect::<Vec<_>>());
        }
    }
}
