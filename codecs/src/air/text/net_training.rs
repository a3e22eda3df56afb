//! Teaches the net: back-propagation through each message, in 32-bit floating point, whose sums, products, quotients and
//! roots are the same on every machine. What comes out is whole numbers.

use super::alphabet::Alphabet;
use super::net::{CHARACTER_MAX, DECISION_MAX, DECISION_UNIT, GATE_MAX, GATE_UNIT, GATES, INNER, Net, OUTER};
use super::net_kernels::{add_product, add_scaled, add_turned_product, dot, sigmoid, tanh, turned};

/// How often a symbol must occur to be told from the other rare ones, and how often a decision to have weights.
const KIND_MIN: u32 = 12;
const NODE_MIN: u32 = 60;
/// Passes over the corpus.
const PASSES: usize = 6;
/// Symbols of a step, about.
const STEP: usize = 1_000;
/// Messages of which steps of about the same length are made.
const POOL: usize = 1_024;
/// The rate of learning at its highest, and the steps until it is that high.
const RATE: f32 = 0.004;
const WARM_UP: usize = 200;
/// Of 256 numbers of a character, and of the state that decisions see, so many are left out of each lesson: what one alone
/// remembers by heart does not help with a stranger's message.
const LEFT_OUT: u8 = 56;
/// The longest step down the slope.
const SLOPE_MAX: f32 = 1.0;

/// One decision on the way to a symbol: its row, and its side.
type Turn = (usize, bool);

/// The weights, or what each is to be changed by.
#[derive(Clone)]
struct Weights {
    characters: Vec<f32>,
    of_character: Vec<f32>,
    of_state: Vec<f32>,
    bias: Vec<f32>,
    state_bias: Vec<f32>,
    decisions: Vec<f32>,
    decision_bias: Vec<f32>,
}

impl Weights {
    fn zero(kinds: usize, nodes: usize) -> Self {
        Self {
            characters: vec![0.0; kinds * OUTER],
            of_character: vec![0.0; OUTER * GATES],
            of_state: vec![0.0; INNER * GATES],
            bias: vec![0.0; GATES],
            state_bias: vec![0.0; INNER],
            decisions: vec![0.0; nodes * INNER],
            decision_bias: vec![0.0; nodes],
        }
    }

    fn all(&mut self) -> [&mut Vec<f32>; 7] {
        [
            &mut self.characters,
            &mut self.of_character,
            &mut self.of_state,
            &mut self.bias,
            &mut self.state_bias,
            &mut self.decisions,
            &mut self.decision_bias,
        ]
    }
}

/// Numbers that look like chance and are the same every time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    #[expect(clippy::cast_precision_loss, reason = "24 bits fit")]
    fn between(&mut self, bound: f32) -> f32 {
        ((self.next() >> 40) as f32 / 8_388_608.0 - 1.0) * bound
    }

    /// Factors for so many numbers: nothing for those that are left out, and more than one for the rest.
    fn left_out(&mut self, count: usize) -> Vec<f32> {
        let kept = 256.0 / (256.0 - f32::from(LEFT_OUT));
        let bytes = std::iter::repeat_with(|| self.next().to_le_bytes()).flatten();
        bytes.take(count).map(|byte| if byte < LEFT_OUT { 0.0 } else { kept }).collect()
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = usize::try_from(self.next() % (last as u64 + 1)).unwrap_or(0);
            list.swap(last, other);
        }
    }
}

/// What is learned from: the symbols of each message, and the way to every symbol.
struct Lessons<'a> {
    messages: Vec<&'a [u16]>,
    end: u16,
    kinds: Vec<u16>,
    nodes: Vec<u16>,
    /// The turns to each symbol, as far as they have rows.
    turns: Vec<Vec<Turn>>,
}

impl<'a> Lessons<'a> {
    fn new(alphabet: &Alphabet, messages: Vec<&'a [u16]>) -> Self {
        let count = usize::from(alphabet.count());
        let mut seen = vec![0_u32; count];
        let all = messages.iter().flat_map(|message| message.iter().chain([&alphabet.end]));
        all.for_each(|symbol| seen.get_mut(usize::from(*symbol)).into_iter().for_each(|n| *n += 1));
        let ways: Vec<Vec<Turn>> = (0..alphabet.count()).map(|symbol| alphabet.way(symbol).collect()).collect();
        let mut visits = vec![0_u32; count.saturating_sub(1)];
        for ((node, _), n) in ways.iter().zip(&seen).flat_map(|(way, n)| way.iter().map(move |turn| (turn, n))) {
            visits.get_mut(*node).into_iter().for_each(|visits| *visits += n);
        }
        let (kinds, nodes) = (rows(&seen, KIND_MIN), rows(&visits, NODE_MIN));
        let row = |node: usize| nodes.get(node).and_then(|row| usize::from(*row).checked_sub(1));
        let with_rows = |way: Vec<Turn>| way.into_iter().filter_map(|(node, side)| Some((row(node)?, side))).collect();
        Self { messages, end: alphabet.end, turns: ways.into_iter().map(with_rows).collect(), kinds, nodes }
    }

    /// The messages in steps of about [`STEP`] symbols, those of a step nearly of a length.
    fn steps(&self, chance: &mut Chance) -> Vec<Vec<&'a [u16]>> {
        let mut messages = self.messages.clone();
        chance.shuffle(&mut messages);
        let mut steps = Vec::new();
        for pool in messages.chunks_mut(POOL) {
            pool.sort_by_key(|message| std::cmp::Reverse(message.len()));
            let (mut step, mut symbols) = (Vec::new(), 0);
            for message in pool {
                symbols += message.len() + 1;
                step.push(*message);
                if symbols >= STEP {
                    steps.push(std::mem::take(&mut step));
                    symbols = 0;
                }
            }
            if !step.is_empty() {
                steps.push(step);
            }
        }
        chance.shuffle(&mut steps);
        steps
    }
}

/// Numbers from 1 for what occurs often enough, 0 for the rest.
fn rows(seen: &[u32], least: u32) -> Vec<u16> {
    let mut last = 0;
    let mut row = |seen: &u32| {
        last += u16::from(*seen >= least);
        if *seen >= least { last } else { 0 }
    };
    seen.iter().map(&mut row).collect()
}

/// The messages of a step side by side: row after row, first the first symbols of all, longest message first.
struct Rows<'a> {
    /// How many messages are still going at each place.
    going: Vec<usize>,
    kinds: Vec<usize>,
    turns: Vec<&'a [Turn]>,
}

impl<'a> Rows<'a> {
    fn new(lessons: &'a Lessons<'_>, step: &[&[u16]]) -> Self {
        let longest = step.first().map_or(0, |message| message.len());
        let mut rows = Self { going: Vec::new(), kinds: Vec::new(), turns: Vec::new() };
        for place in 0..=longest {
            let going = step.iter().take_while(|message| message.len() >= place);
            rows.going.push(going.clone().count());
            for message in going {
                let before = place.checked_sub(1).and_then(|before| message.get(before)).unwrap_or(&lessons.end);
                let symbol = message.get(place).unwrap_or(&lessons.end);
                rows.kinds.push(lessons.kinds.get(usize::from(*before)).map_or(0, |kind| usize::from(*kind)));
                rows.turns.push(lessons.turns.get(usize::from(*symbol)).map_or(&[], Vec::as_slice));
            }
        }
        rows
    }

    fn count(&self) -> usize {
        self.kinds.len()
    }

    /// The rows of each place: where they begin and end.
    fn places(&self) -> impl DoubleEndedIterator<Item = (usize, usize)> + use<'_, 'a> {
        let mut from = 0;
        let places: Vec<(usize, usize)> = self
            .going
            .iter()
            .map(|going| {
                from += going;
                (from - going, from)
            })
            .collect();
        places.into_iter()
    }
}

/// What a pass forward leaves for the way back.
struct Forward {
    /// What is left of the characters, and by which factors.
    characters: Vec<f32>,
    factors: Vec<f32>,
    /// How much of the old state is heard, how much stays, what is new: after their curves.
    gates: Vec<f32>,
    /// The old state's part in what is new, before it is heard.
    old_part: Vec<f32>,
    old: Vec<f32>,
    state: Vec<f32>,
}

fn thirds(row: &[f32]) -> [&[f32]; 3] {
    let (first, rest) = row.split_at(INNER);
    let (second, third) = rest.split_at(INNER);
    [first, second, third]
}

fn thirds_mut(row: &mut [f32]) -> [&mut [f32]; 3] {
    let (first, rest) = row.split_at_mut(INNER);
    let (second, third) = rest.split_at_mut(INNER);
    [first, second, third]
}

fn forward(weights: &Weights, rows: &Rows<'_>, factors: Vec<f32>) -> Forward {
    let count = rows.count();
    let character = |kind: &usize| weights.characters.get(kind * OUTER..(kind + 1) * OUTER).unwrap_or_default();
    let characters = rows.kinds.iter().flat_map(character);
    let characters: Vec<f32> = characters.zip(&factors).map(|(number, factor)| number * factor).collect();
    let mut gates: Vec<f32> = weights.bias.repeat(count);
    add_product(&mut gates, &characters, &weights.of_character, OUTER, GATES);
    let mut made = Forward {
        characters,
        factors,
        gates,
        old_part: vec![0.0; count * INNER],
        old: vec![0.0; count * INNER],
        state: vec![0.0; count * INNER],
    };
    let mut kept_bias = vec![0.0; 2 * INNER];
    kept_bias.extend_from_slice(&weights.state_bias);
    let mut before = 0;
    for (from, to) in rows.places() {
        let (done, state) = made.state.split_at_mut(from * INNER);
        let old = &mut made.old[from * INNER..to * INNER];
        if from > 0 {
            old.copy_from_slice(&done[before * INNER..(before + to - from) * INNER]);
        }
        let mut kept = kept_bias.repeat(to - from);
        add_product(&mut kept, old, &weights.of_state, INNER, GATES);
        let gates = made.gates[from * GATES..to * GATES].chunks_exact_mut(GATES).zip(kept.chunks_exact(GATES));
        let states = state.chunks_exact_mut(INNER).zip(old.chunks_exact(INNER));
        let old_parts = made.old_part[from * INNER..to * INNER].chunks_exact_mut(INNER);
        for (((gates, kept), (state, old)), old_part) in gates.zip(states).zip(old_parts) {
            one_step(gates, kept, old, old_part, state);
        }
        before = from;
    }
    made
}

fn one_step(gates: &mut [f32], kept: &[f32], old: &[f32], old_part: &mut [f32], state: &mut [f32]) {
    let ([hears, stays, fresh], [kept_hears, kept_stays, kept_fresh]) = (thirds_mut(gates), thirds(kept));
    hears.iter_mut().zip(kept_hears).for_each(|(gate, kept)| *gate = sigmoid(*gate + kept));
    stays.iter_mut().zip(kept_stays).for_each(|(gate, kept)| *gate = sigmoid(*gate + kept));
    old_part.copy_from_slice(kept_fresh);
    for ((fresh, hears), part) in fresh.iter_mut().zip(hears.iter()).zip(kept_fresh) {
        *fresh = tanh(*fresh + hears * part);
    }
    for (((state, fresh), stays), old) in state.iter_mut().zip(fresh.iter()).zip(stays.iter()).zip(old) {
        *state = fresh + stays * (old - fresh);
    }
}

/// The cost of all turns in nats; adds up what the decisions and the states are to be changed by.
fn decide(weights: &Weights, rows: &Rows<'_>, state: &[f32], slopes: &mut Weights, back: &mut [f32]) -> f64 {
    let mut cost = 0.0_f64;
    let each = rows.turns.iter().zip(state.chunks_exact(INNER)).zip(back.chunks_exact_mut(INNER));
    for ((turns, state), back) in each {
        for (row, side) in *turns {
            let at = row * INNER..(row + 1) * INNER;
            let own = &weights.decisions[at.clone()];
            let p = sigmoid(dot(own, state) + weights.decision_bias[*row]);
            let truth = if *side { 1.0 } else { 0.0 };
            cost -= f64::from(if *side { p } else { 1.0 - p }.max(1e-9)).ln();
            let error = p - truth;
            add_scaled(back, error, own);
            add_scaled(&mut slopes.decisions[at], error, state);
            slopes.decision_bias[*row] += error;
        }
    }
    cost
}

/// Goes back from the last place to the first.
fn backward(
    weights: &Weights,
    turned_state: &[f32],
    rows: &Rows<'_>,
    made: &Forward,
    mut back: Vec<f32>,
    slopes: &mut Weights,
) {
    let count = rows.count();
    let (mut to_gates, mut to_kept) = (vec![0.0; count * GATES], vec![0.0; count * GATES]);
    let mut later: Vec<f32> = Vec::new();
    for (from, to) in rows.places().rev() {
        let back = &mut back[from * INNER..to * INNER];
        back.iter_mut().zip(&later).for_each(|(back, later)| *back += later);
        let mut before = vec![0.0; (to - from) * INNER];
        let inner = from * INNER..to * INNER;
        let gates = made.gates[from * GATES..to * GATES].chunks_exact(GATES);
        let olds = made.old[inner.clone()].chunks_exact(INNER).zip(made.old_part[inner].chunks_exact(INNER));
        let outs = to_gates[from * GATES..to * GATES]
            .chunks_exact_mut(GATES)
            .zip(to_kept[from * GATES..to * GATES].chunks_exact_mut(GATES));
        let backs = back.chunks_exact(INNER).zip(before.chunks_exact_mut(INNER));
        for (((gates, olds), outs), backs) in gates.zip(olds).zip(outs).zip(backs) {
            one_step_back(gates, olds, outs, backs);
        }
        add_product(&mut before, &to_kept[from * GATES..to * GATES], turned_state, GATES, INNER);
        later = before;
    }
    add_turned_product(&mut slopes.of_state, &made.old, &to_kept, INNER, GATES);
    add_turned_product(&mut slopes.of_character, &made.characters, &to_gates, OUTER, GATES);
    for (gates, kept) in to_gates.chunks_exact(GATES).zip(to_kept.chunks_exact(GATES)) {
        add_scaled(&mut slopes.bias, 1.0, gates);
        add_scaled(&mut slopes.state_bias, 1.0, &kept[2 * INNER..]);
    }
    let mut characters = vec![0.0; count * OUTER];
    add_product(&mut characters, &to_gates, &turned(&weights.of_character, GATES), GATES, OUTER);
    characters.iter_mut().zip(&made.factors).for_each(|(slope, factor)| *slope *= factor);
    for (kind, slope) in rows.kinds.iter().zip(characters.chunks_exact(OUTER)) {
        add_scaled(&mut slopes.characters[kind * OUTER..(kind + 1) * OUTER], 1.0, slope);
    }
}

type Pair<'a> = (&'a [f32], &'a [f32]);
type PairMut<'a> = (&'a mut [f32], &'a mut [f32]);

fn one_step_back(gates: &[f32], (old, old_part): Pair<'_>, outs: PairMut<'_>, (back, before): (&[f32], &mut [f32])) {
    let [hears, stays, fresh] = thirds(gates);
    let ([to_hears, to_stays, to_fresh], [kept_hears, kept_stays, kept_fresh]) =
        (thirds_mut(outs.0), thirds_mut(outs.1));
    let sources = back.iter().zip(old).zip(old_part).zip(hears).zip(stays).zip(fresh);
    let places = to_hears.iter_mut().zip(to_stays).zip(to_fresh).zip(kept_hears).zip(kept_stays).zip(kept_fresh);
    for ((source, place), before) in sources.zip(places).zip(before) {
        let (((((back, old), old_part), hears), stays), fresh) = source;
        let (((((to_hears, to_stays), to_fresh), kept_hears), kept_stays), kept_fresh) = place;
        *to_fresh = back * (1.0 - stays) * (1.0 - fresh * fresh);
        *to_stays = back * (old - fresh) * stays * (1.0 - stays);
        *to_hears = *to_fresh * old_part * hears * (1.0 - hears);
        *kept_hears = *to_hears;
        *kept_stays = *to_stays;
        *kept_fresh = *to_fresh * hears;
        *before = back * stays;
    }
}

/// Adam: each weight by its own mean slope, the surer the further.
struct Adam {
    means: Weights,
    squares: Weights,
    /// What is left of the first means: they began at nothing.
    left: [f32; 2],
}

impl Adam {
    const KEEP: [f32; 2] = [0.9, 0.999];

    fn step(&mut self, weights: &mut Weights, slopes: &mut Weights, scale: f32, rate: f32) {
        let [keep, keep_square] = Self::KEEP;
        let squares = slopes.all().map(|slopes| dot_all(slopes)).iter().sum::<f32>();
        let scale = scale * (SLOPE_MAX / (squares.sqrt() * scale)).min(1.0);
        self.left = [self.left[0] * keep, self.left[1] * keep_square];
        let rate = rate * (1.0 - self.left[1]).sqrt() / (1.0 - self.left[0]);
        let all = weights.all().into_iter().zip(slopes.all()).zip(self.means.all()).zip(self.squares.all());
        for (((weights, slopes), means), squares) in all {
            for (((weight, slope), mean), square) in weights.iter_mut().zip(slopes).zip(means).zip(squares) {
                let now = *slope * scale;
                *slope = 0.0;
                *mean = keep * *mean + (1.0 - keep) * now;
                *square = keep_square * *square + (1.0 - keep_square) * now * now;
                *weight -= rate * *mean / (square.sqrt() + 1e-8);
            }
        }
    }
}

/// The sum of squares, in eight sums; the last few of an odd number count too.
fn dot_all(slopes: &[f32]) -> f32 {
    let rest = slopes.as_chunks::<8>().1;
    dot(slopes, slopes) + rest.iter().map(|x| x * x).sum::<f32>()
}

/// Teaches a net on these messages.
#[expect(clippy::cast_precision_loss, reason = "a few thousand steps and symbols")]
pub fn teach(alphabet: &Alphabet, messages: Vec<&[u16]>, progress: impl Fn(&str)) -> Net {
    let lessons = Lessons::new(alphabet, messages);
    let count = |rows: &[u16]| rows.iter().max().map_or(0, |max| usize::from(*max));
    let (kinds, nodes) = (count(&lessons.kinds) + 1, count(&lessons.nodes));
    let mut chance = Chance(1);
    let mut weights = Weights::zero(kinds, nodes);
    weights.characters.iter_mut().for_each(|weight| *weight = chance.between(0.1));
    let bound = 1.0 / (INNER as f32).sqrt();
    let gates = weights.of_character.iter_mut().chain(&mut weights.of_state);
    gates.for_each(|weight| *weight = chance.between(bound));
    let mut slopes = Weights::zero(kinds, nodes);
    let mut adam = Adam { means: slopes.clone(), squares: slopes.clone(), left: [1.0; 2] };
    let mut done = 0_usize;
    for pass in 0..PASSES {
        let steps = lessons.steps(&mut chance);
        let (mut cost, mut symbols) = (0.0, 0_usize);
        let all = steps.len() * PASSES;
        for step in &steps {
            let rows = Rows::new(&lessons, step);
            let made = forward(&weights, &rows, chance.left_out(rows.count() * OUTER));
            let factors = chance.left_out(rows.count() * INNER);
            let seen: Vec<f32> = made.state.iter().zip(&factors).map(|(state, factor)| state * factor).collect();
            let mut back = vec![0.0; rows.count() * INNER];
            cost += decide(&weights, &rows, &seen, &mut slopes, &mut back);
            back.iter_mut().zip(&factors).for_each(|(slope, factor)| *slope *= factor);
            let turned_state = turned(&weights.of_state, GATES);
            backward(&weights, &turned_state, &rows, &made, back, &mut slopes);
            symbols += rows.count();
            let warm = (done as f32 / WARM_UP as f32).min(1.0);
            let late = 1.0 - done as f32 / all as f32;
            adam.step(&mut weights, &mut slopes, 1.0 / rows.count() as f32, RATE * warm * (late + 0.01));
            done += 1;
        }
        let bits = cost / symbols as f64 / std::f64::consts::LN_2;
        progress(&format!("net, pass {} of {PASSES}: {bits:.3} bits a symbol", pass + 1));
    }
    whole_numbers(&weights, lessons.kinds, lessons.nodes)
}

/// The weights in their units, as the net has them: gates column by column.
fn whole_numbers(weights: &Weights, kinds: Vec<u16>, nodes: Vec<u16>) -> Net {
    let gate = |list: &[f32]| whole(list, GATE_UNIT, GATE_MAX);
    Net {
        kinds,
        characters: whole(&weights.characters, GATE_UNIT, CHARACTER_MAX),
        of_character: gate(&turned(&weights.of_character, GATES)),
        of_state: gate(&turned(&weights.of_state, GATES)),
        bias: whole(&weights.bias, GATE_UNIT, CHARACTER_MAX),
        state_bias: whole(&weights.state_bias, GATE_UNIT, CHARACTER_MAX),
        nodes,
        decisions: whole(&weights.decisions, DECISION_UNIT, DECISION_MAX),
        decision_bias: whole(&weights.decision_bias, DECISION_UNIT, CHARACTER_MAX),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
fn whole(list: &[f32], unit: i16, max: i16) -> Vec<i16> {
    let (unit, max) = (f32::from(unit), f32::from(max));
    list.iter().map(|weight| (weight * unit).round().clamp(-max, max) as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::super::alphabet::{DIGIT, END, ESCAPE};
    use super::super::net::Mind;
    use super::*;

    fn alphabet() -> Alphabet {
        let list: Vec<char> = [END, DIGIT, ESCAPE].into_iter().chain("东南西北".chars()).collect();
        Alphabet::new(list, vec![3, 1, 2, 5, 4, 6]).unwrap()
    }

    /// What the net expects of a symbol after others, as a probability.
    fn expected(net: &Net, alphabet: &Alphabet, text: &str, next: u16) -> f64 {
        let mut mind = Mind::new(net, alphabet.end);
        text.chars().for_each(|c| mind.hear(alphabet.number(c)));
        let side = |(node, side): (usize, bool)| {
            let p = f64::from(super::super::fixed::squash(mind.expects(node).unwrap())) / 65_536.0;
            if side { p } else { 1.0 - p }
        };
        alphabet.way(next).map(side).product()
    }

    #[test]
    fn a_net_learns_what_depends_on_more_than_the_last_character_and_twice_the_same() {
        let alphabet = alphabet();
        let number = |text: &str| -> Vec<u16> { text.chars().map(|c| alphabet.number(c)).collect() };
        let messages: Vec<Vec<u16>> = ["东西南", "北西东"].iter().map(|text| number(text)).collect();
        let many: Vec<&[u16]> = messages.iter().map(Vec::as_slice).cycle().take(6_000).collect();
        let net = teach(&alphabet, many.clone(), |_| ());
        let [south, east] = ['南', '东'].map(|c| alphabet.number(c));
        assert!(expected(&net, &alphabet, "东西", south) > 0.9, "{}", expected(&net, &alphabet, "东西", south));
        assert!(expected(&net, &alphabet, "北西", east) > 0.9, "{}", expected(&net, &alphabet, "北西", east));
        assert!(expected(&net, &alphabet, "东西南", alphabet.end) > 0.9);
        let few = many.get(..600).unwrap();
        assert!(teach(&alphabet, few.to_vec(), |_| ()) == teach(&alphabet, few.to_vec(), |_| ()));
    }
}
